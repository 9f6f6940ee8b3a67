"""Every action, resource and condition key of the policies is one that AWS knows, and none is wider than it must be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from tests.iam.account import Account, Role
from tests.iam.actions import Action, Reference, texts_in
from tests.iam.evaluator import listed
from tests.iam.questions import actions_asked

REFERENCE = Reference.stored()
AGAIN = (
    "if it is new, make the table anew as tests/iam/actions.py says; if it is not in it then, AWS has no such action"
)

ON_ANYTHING: dict[str, str] = {}
"""Actions that could be limited to resources and are allowed on `*`, with the reason."""

GLOBAL = ("aws:securetransport", "aws:sourceaccount", "aws:sourcearn", "aws:principalarn", "aws:principalaccount")
"""The condition keys that every action knows."""

FITS_NOTHING: dict[str, str] = {}
"""Actions on a resource of a kind that AWS does not list for them, with the reason."""


def granted(account: Account) -> Iterator[tuple[Role, Mapping[str, Any], str, Action]]:
    """Role, statement, its text and an action that it names, for each of these."""
    for role in account.roles.values():
        for statement in role.statements:
            for text in listed(statement.get("Action", [])):
                for action in REFERENCE.named_by(text):
                    yield role, statement, text, action


def test_aws_knows_every_action_of_the_policies(account: Account) -> None:
    unknown = {text for text in texts_in(account) if not text.endswith(":*") and not REFERENCE.named_by(text)}
    assert not unknown, AGAIN


def test_aws_knows_every_action_of_the_questions() -> None:
    assert not actions_asked() - REFERENCE.actions.keys(), AGAIN


def test_an_action_that_aws_does_not_know_is_found() -> None:
    assert not REFERENCE.named_by("s3:GetObjekt")
    assert not REFERENCE.named_by("states:StartExecutions")


def test_nothing_is_allowed_on_everything_that_can_be_limited(account: Account) -> None:
    wide = {
        f"{action.name}, by {role.path}"
        for role, statement, _, action in granted(account)
        if statement["Effect"] == "Allow" and "*" in listed(statement.get("Resource", "*"))
        if action.arns and action.name not in ON_ANYTHING
    }
    assert not wide, "limit it to resources, or name the reason in ON_ANYTHING"


def test_every_exception_is_still_one(account: Account) -> None:
    used = {action.name for _, each, _, action in granted(account) if "*" in listed(each.get("Resource", "*"))}
    assert ON_ANYTHING.keys() <= used


def test_no_policy_allows_whole_services_or_all_but_some(account: Account) -> None:
    for role in account.roles.values():
        for statement in role.statements:
            assert not {"NotAction", "NotResource"} & statement.keys(), (
                f"{role.path}: say what is allowed, not what is not"
            )
            assert not any(text == "*" or text.endswith(":*") for text in listed(statement["Action"])), role.path


def test_no_role_has_a_policy_of_aws(account: Account) -> None:
    """Their text is not in the templates, and changes."""
    assert {role.path: role.managed for role in account.roles.values() if role.managed} == {}


def test_every_action_has_a_resource_of_a_kind_that_it_knows(account: Account) -> None:
    useless = {
        f"{text} on {statement['Resource']}, by {role.path}"
        for role, statement, text, _ in granted(account)
        if not any(fits(action, statement["Resource"]) for action in REFERENCE.named_by(text))
        if text not in FITS_NOTHING
    }
    assert not useless


def test_every_condition_key_is_one_that_its_actions_know(account: Account) -> None:
    strange = {
        f"{key} for {action.name}, by {role.path}"
        for role, statement, _, action in granted(account)
        for block in statement.get("Condition", {}).values()
        for key in block
        if key.lower() not in GLOBAL and not action.knows(key)
    }
    assert not strange


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a*c", "ab*", True),
        ("a*c", "b*", False),
        ("*", "", True),
        ("a/*/c", "a/b/*", True),
        ("arn:aws:s3:::b", "arn:*:s3:::*/*", False),
    ],
)
def test_two_patterns_meet_where_a_text_has_both_forms(one: str, other: str, expected: bool) -> None:
    assert meet(one, other) is expected
    assert meet(other, one) is expected


def fits(action: Action, resources: Any) -> bool:
    """Whether an action can be about one of a statement's resources."""
    forms = [form_of(arn) for arn in action.arns]
    return any(text == "*" or any(meet(text, form) for form in forms) for text in listed(resources))


def form_of(arn: str) -> str:
    """`arn:${Partition}:sns:${Region}:${Account}:${TopicName}` as a pattern."""
    made, rest = "", arn
    while "${" in rest:
        before, _, rest = rest.partition("${")
        made, rest = f"{made}{before}*", rest.partition("}")[2]
    return made + rest


@cache
def meet(one: str, other: str) -> bool:
    """Whether some text has the form of both patterns."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return meet(one[1:], other) or meet(one, other[1:])
    if other[0] == "*":
        return meet(other, one)
    return (one[0] == other[0] or "?" in (one[0], other[0])) and meet(one[1:], other[1:])
