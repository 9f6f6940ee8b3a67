"""Writes docs/permissions-questions.md, the questions with the answers of the policies: `python -m tests.iam.page`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.iam.account import Account
from tests.iam.question import Question
from tests.iam.questions import NO, YES
from tests.synthesis import ROOT, synthesize

PAGE = ROOT / "docs" / "permissions-questions.md"
INTRODUCTION = """\
# May it?

What the policies of the synthesized stacks answer, asked by an evaluator of IAM in `tests/iam/`, for each team and
each environment of the shipped project. This page is made from the tests (`python -m tests.iam.page`); the table of
questions is `tests/iam/questions.py`. "Anyone" is every role of the stacks, also one that is added tomorrow. Where AWS
leaves no other answer than yes, what it documents stands beside it, and a test fails as soon as the answer is no.

The answers are of these stacks, and of what [bootstrap.md](bootstrap.md) gives CloudFormation and people.
`tests/iam/test_escalation.py` says who comes as far as the CDK's roles, which the builds Deploy and Serve may be.
"""


def written(account: Account) -> str:
    """The whole page."""
    lines = [INTRODUCTION]
    for title, questions in NO.items():
        lines += [f"## {title}", "", "| May it be that | answer |", "|---|---|"]
        lines += [_row(question, account, wanted=False) for question in questions]
        lines += [""]
    lines += ["## What must work", "", "| May it be that | answer |", "|---|---|"]
    lines += [_row(question, account, wanted=True) for question in YES]
    return "\n".join(lines) + "\n"


def _row(question: Question, account: Account, *, wanted: bool) -> str:
    answers = [bool(decision) for asked in question.asked() for _, decision in asked.decided(account)]
    said = "**no**" if not any(answers) else "yes" if wanted and all(answers) else f"yes: {question.exception}"
    shown = question.sentence.replace("{", "*").replace("}", "*").replace("their_model", "their model")
    return f"| {shown} | {said} |"


def _write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(written(Account(synthesize(Path(folder)))))


if __name__ == "__main__":
    _write()
