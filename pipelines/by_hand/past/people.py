"""Who did something, as people call each other."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipelines.stages.four_eyes import SESSION

_BUILD = "AWSCodeBuild"


def who(arn: str) -> str:
    """A user's name, a session's name; a program is called by its role."""
    if found := SESSION.match(arn):
        session = found["session"]
        if session.startswith(_BUILD) or re.fullmatch(r"[0-9a-f-]{20,}", session):
            return found["role"]
        return session
    return arn.rpartition("/")[2].rpartition(":")[2]


def starter(trigger: Mapping[str, str]) -> str:
    """Who has started an execution of a pipeline, or what."""
    kind, detail = trigger.get("triggerType", ""), trigger.get("triggerDetail", "")
    if kind in ("StartPipelineExecution", "ManualRollback"):
        return who(detail) if detail else "unknown"
    if ":rule/" in detail:
        return f"rule {detail.rpartition('/')[2]}"
    return kind or "unknown"
