"""The same questions with the same answers, where tools, staging and production are accounts of their own."""

from __future__ import annotations

import re

import pytest

from tests.iam.account import Account
from tests.iam.question import Question
from tests.iam.reach import DEPLOY, EXECUTE, Reach
from tests.iam.test_escalation import expected
from tests.iam.test_questions import NEGATIVE, POSITIVE, sentence

pytestmark = pytest.mark.slow

ELSEWHERE = "CloudFormation makes|a data scientist|an approver"
"""Who is in an account of its own here, so that the question is another one."""
NOT_BUILT = r"Verify calls|Confirm calls|Confirm sweeps|the watch of \w+ looks at its packages"
"""What the README says is not built across accounts: sharing the registry, verifying, and what follows from it."""


@pytest.mark.parametrize("question", [each for each in NEGATIVE if not each.exception], ids=sentence)
def test_no(question: Question, separate: Account) -> None:
    assert question.allowed(separate) == []


@pytest.mark.parametrize(
    "question", [each for each in POSITIVE if not re.match(f"{NOT_BUILT}|{ELSEWHERE}", each.sentence)], ids=sentence
)
def test_yes(question: Question, separate: Account) -> None:
    assert [what for what, decision in question.decided(separate) if not decision] == []


def test_nobody_but_the_named_comes_to_have_all_rights(separate: Account) -> None:
    assert not [path for path in Reach(separate).ways_to(DEPLOY, EXECUTE) if not expected(path)]
