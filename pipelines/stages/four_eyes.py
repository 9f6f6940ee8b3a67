"""Whether the one who approved a release is another than the one who started it."""

from __future__ import annotations

import re

from pipelines.stages.history import History

SESSION = re.compile(r"^arn:[^:]+:sts::\d+:assumed-role/(?P<role>[^/]+)/(?P<session>.+)$")
_USER = re.compile(r"^arn:[^:]+:iam::\d+:user/(?:.*/)?(?P<user>[^/]+)$")


def objection(history: History) -> str | None:
    """Why this release may not go on, in a sentence; None where four eyes have seen it, or nobody was asked."""
    approver = history.approver()
    if approver is None:
        return None  # the rule has approved
    return refusal(history.starter()[1], approver)


def refusal(starter: str, approver: str) -> str | None:
    """Why *approver* may not approve what *starter* has started, both ARNs; None where they differ."""
    if not approver:
        return (
            "CodePipeline does not say who approved this release, and approval.four_eyes asks for another person than "
            "the one who started it; release the package again."
        )
    if person(starter) != person(approver):
        return None
    return (
        f"{approver} has approved this release and {starter} has started it: the same person, {person(approver)}. "
        "approval.four_eyes asks for another one; release the package again and let somebody else approve it."
    )


def person(arn: str) -> str:
    """Who is behind an ARN: a session's name whatever role it took, a user's name, else the ARN itself."""
    if found := SESSION.match(arn):
        return found["session"]
    if found := _USER.match(arn):
        return found["user"]
    return arn
