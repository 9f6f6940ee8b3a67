"""Every question has its answer, for each team and environment of the shipped project."""

from __future__ import annotations

import pytest

from tests.iam import page
from tests.iam.account import Account
from tests.iam.question import Question
from tests.iam.questions import NO, YES

NEGATIVE = [asked for chapter in NO.values() for question in chapter for asked in question.asked()]
POSITIVE = [asked for question in YES for asked in question.asked()]


def sentence(question: Question) -> str:
    return question.sentence


@pytest.mark.parametrize("question", [each for each in NEGATIVE if not each.exception], ids=sentence)
def test_no(question: Question, account: Account) -> None:
    assert question.allowed(account) == [], f"May it be that {question.sentence}? The policies allow it"


@pytest.mark.parametrize("question", [each for each in NEGATIVE if each.exception], ids=sentence)
def test_what_aws_leaves_open(question: Question, account: Account) -> None:
    assert question.allowed(account), (
        f"{question.sentence}: the answer is no now; remove the exception from the question"
    )


@pytest.mark.parametrize("question", POSITIVE, ids=sentence)
def test_yes(question: Question, account: Account) -> None:
    refused = [what for what, decision in question.decided(account) if not decision]
    assert refused == [], f"{question.sentence}: needed, and refused"


def test_there_are_enough_questions() -> None:
    assert sum(map(len, NO.values())) >= 40
    assert len(YES) >= 20
    sentences = [question.sentence for question in (*(each for chapter in NO.values() for each in chapter), *YES)]
    assert len(set(sentences)) == len(sentences)


def test_a_role_without_policies_answers_yes_to_nothing(account: Account) -> None:
    """The positive questions find out an evaluator, or policies, that say no to everything."""
    for role in account.roles.values():
        before, role.policies = role.policies, {}
        try:
            assert not any(question.allowed(account) for question in POSITIVE if question.who == (role.path,))
        finally:
            role.policies = before


def test_the_page_of_questions_is_current(account: Account) -> None:
    assert page.PAGE.read_text() == page.written(account), "make it anew: python -m tests.iam.page"
