"""Nothing that is needed is denied, and nothing that is allowed is needless: judged by the record of a whole life."""

from __future__ import annotations

import pytest

from tests.iam.account import Account
from tests.iam.use import page
from tests.iam.use.calls import RECORD, Call, lacking, recorded
from tests.iam.use.documented import nobody
from tests.iam.use.judging import Calls, idle, on_everything, refused, unused
from tests.iam.use.kept import KEPT
from tests.iam.use.kinds import kinds
from tests.iam.use.needs import NEEDS
from tests.iam.use.said import what_is

AGAIN = "where the policies are right, live again: make permissions"
LACKING = lacking()
whole = pytest.mark.skipif(bool(LACKING), reason=f"the record lacks {', '.join(LACKING)}; live again: make permissions")
"""What a part of a life says nothing about."""


def test_every_call_that_is_needed_is_allowed(account: Account, calls: Calls) -> None:
    assert refused(account, calls.all) == [], AGAIN


def test_a_denied_call_is_told_with_its_role_action_and_resource(account: Account) -> None:
    role = "greenlight-delivery/Wave/Machine/Role"
    call = Call(role, "s3:GetObject", "arn:aws:s3:::elsewhere/a", because=("release: 1",))
    assert refused(account, [call]) == [
        f"{role} needs s3:GetObject on arn:aws:s3:::elsewhere/a (release: 1): not allowed"
    ]


@whole
def test_the_record_is_of_a_whole_life() -> None:
    assert len(RECORD.read_text().splitlines()) > 500


@whole
def test_every_right_is_used_or_kept_for_a_reason(account: Account, calls: Calls) -> None:
    assert [said for role in account.roles.values() for said in unused(role, calls, KEPT)] == [], AGAIN


@whole
def test_what_is_kept_is_still_there_and_still_unused(account: Account, calls: Calls) -> None:
    assert idle(account, calls, KEPT) == [], "they are used now, or gone: remove them from tests/iam/use/kept.py"


def test_nothing_is_allowed_on_everything_that_can_be_limited(account: Account) -> None:
    found = list(on_everything(account))
    assert found
    assert [str(grant) for grant, limits in found if limits] == []


@whole
def test_each_role_was_seen_in_its_life_or_is_documented(account: Account, calls: Calls) -> None:
    silent = {role.path for role in account.roles.values() if role.policies and not calls.of(role.path)}
    assert silent == set()


def test_the_documented_roles_are_there(account: Account) -> None:
    assert nobody(account, NEEDS) == []


def test_the_record_holds_nothing_of_one_run() -> None:
    text = RECORD.read_text()
    assert len(text) < 1_000_000
    assert "123456789012" not in text
    assert "us-east-1" not in text
    assert text.splitlines() == sorted(set(text.splitlines()), key=text.splitlines().index)


def test_a_construct_that_is_gone_is_named(account: Account) -> None:
    line = (
        '{"who": "greenlight-gone/Role", "action": "s3:GetObject", "resource": "<greenlight-gone/Bucket>", "calls": {}}'
    )
    with pytest.raises(KeyError, match=r"greenlight-gone/Bucket.*make permissions"):
        recorded(account, [line])


def test_the_page_is_current(account: Account) -> None:
    assert page.PAGE.read_text() == page.written(account), "make it anew: python -m tests.iam.use.page"


def test_the_page_says_what_each_role_is_for(account: Account, calls: Calls) -> None:
    said = [what_is(kind, account) for kind in kinds(account, calls)]
    assert [sentence for sentence in said if sentence.startswith("Write a sentence")] == []
