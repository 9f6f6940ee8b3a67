"""The judgement finds every mistake of one action: one that is missing, and one that is too much."""

from __future__ import annotations

import pytest

from tests.iam.account import Account
from tests.iam.use.judging import Calls, unused
from tests.iam.use.kept import KEPT
from tests.iam.use.mutations import NEEDLESS, changed, removals, with_more


def test_each_action_that_is_taken_away_is_missed_by_name(account: Account, calls: Calls) -> None:
    made = list(removals(account, calls))
    missed = [f"{each.role} without {each.action}" for each in made if not each.caught]
    print(f"{len(made) - len(missed)} of {len(made)} removals caught")
    assert len(made) > 200
    assert missed == []


@pytest.mark.parametrize("action", NEEDLESS)
def test_an_action_too_much_is_found_in_each_role(account: Account, calls: Calls, action: str) -> None:
    silent = []
    for role in account.roles.values():
        with changed(role, with_more(role, action)):
            if not any(f"{role.path} may {action} on *" in said for said in unused(role, calls, KEPT)):
                silent.append(role.path)
    assert silent == []


def test_policies_are_whole_again_after_a_mutation(account: Account) -> None:
    role = next(iter(account.roles.values()))
    before = dict(role.policies)
    with changed(role, {}):
        assert role.policies == {}
    assert role.policies == before
