"""What the questions are asked of is all that the templates hold: every role, every policy, no reference left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.iam.account import RESOURCE_POLICIES, Account
from tests.iam.evaluator import listed
from tests.iam.resolving import Resolver

OF_IDENTITIES = {
    "AWS::IAM::Role": {"AssumeRolePolicyDocument", "Policies"},
    "AWS::IAM::Policy": {"PolicyDocument"},
    "AWS::IAM::ManagedPolicy": {"PolicyDocument"},
    "AWS::IAM::RolePolicy": {"PolicyDocument"},
}


def holding_policies(account: Account) -> Iterator[tuple[str, str]]:
    """Type and property of everything in the templates that looks like a policy."""
    for stack in account.stacks.values():
        for resource in stack.template["Resources"].values():
            for name, value in resource.get("Properties", {}).items():
                if '"Statement":' in json.dumps(value) or name == "Statement":
                    yield resource["Type"], name


def test_every_policy_of_the_templates_is_read(account: Account) -> None:
    read = {(kind, holds) for kind, (_, holds) in RESOURCE_POLICIES.items()}
    read |= {(kind, name) for kind, names in OF_IDENTITIES.items() for name in names}
    assert set(holding_policies(account)) <= read


def test_every_policy_of_the_templates_belongs_to_a_role(account: Account) -> None:
    written = [
        resource
        for stack in account.stacks.values()
        for resource in stack.template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Policy"
    ]
    attached = {path for role in account.roles.values() for path in role.policies}
    assert len(attached) == len(written) > 20
    assert not any(resource["Properties"].keys() & {"Users", "Groups"} for resource in written)


def test_every_role_of_the_templates_is_there(account: Account) -> None:
    kinds = [each["Type"] for stack in account.stacks.values() for each in stack.template["Resources"].values()]
    assert len(account.roles) == kinds.count("AWS::IAM::Role")
    assert not {"AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::AccessKey"} & set(kinds)


def test_no_reference_is_left_in_a_policy(account: Account) -> None:
    documents: list[Any] = [role.policies for role in account.roles.values()] + list(account.policies.values())
    text = json.dumps(documents)
    assert '"Ref"' not in text
    assert "Fn::" not in text
    assert "${" not in text.replace("${aws:", "")


def test_resources_are_arns_of_the_form_that_aws_has(account: Account) -> None:
    for role in account.roles.values():
        for statement in role.statements:
            for resource in listed(statement["Resource"]):
                assert resource == "*" or (resource.startswith("arn:aws:") and resource.count(":") >= 5), resource


def test_what_cannot_be_resolved_is_an_error_and_not_a_guess(account: Account) -> None:
    resolver = Resolver(account.stacks)
    stack = next(iter(account.stacks.values()))
    with pytest.raises(ValueError, match="cannot resolve"):
        resolver.value({"Fn::GetAZs": ""}, stack)
    with pytest.raises(KeyError):
        resolver.value({"Ref": "NoSuchResource"}, stack)


def test_a_question_to_nobody_is_an_error(account: Account) -> None:
    with pytest.raises(KeyError, match="no role"):
        account.like("greenlight-nowhere/*")
    with pytest.raises(KeyError, match="no role"):
        account.role("greenlight-nowhere/Role")
