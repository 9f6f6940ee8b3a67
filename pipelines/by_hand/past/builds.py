"""What a failed build has said last: the sentence with which its program ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

LINES = 200
MOST_LINES = 6
"""Of one paragraph; what a program has printed before its last words may stand right above them."""


def last_words(codebuild: Any, logs: Any, action: Mapping[str, Any]) -> str:
    """The paragraph before make's own complaint; without a log, what the pipeline says."""
    result = action.get("output", {}).get("executionResult", {})
    stated = result.get("errorDetails", {}).get("message", "") or result.get("externalExecutionSummary", "")
    build = result.get("externalExecutionId", "")
    if ":" not in build:
        return stated
    try:
        return sentence(last_lines(codebuild, logs, build)) or stated
    except (BotoCoreError, ClientError):  # the log has ended, or the caller may not read it
        return stated


def last_lines(codebuild: Any, logs: Any, build: str) -> list[str]:
    """The end of a build's log; nothing of a build that is not there, or that has written none."""
    found = codebuild.batch_get_builds(ids=[build])["builds"] if build else []
    place = found[0].get("logs", {}) if found else {}
    if "streamName" not in place:
        return []
    events = logs.get_log_events(
        logGroupName=place["groupName"], logStreamName=place["streamName"], limit=LINES, startFromHead=False
    )["events"]
    return [event["message"].rstrip() for event in events]


def sentence(lines: list[str]) -> str:
    """The last paragraph before the first `make: ***`, without what make, the shell and CodeBuild say."""
    stops = [number for number, line in enumerate(lines) if line.startswith("make: ***")]
    if not stops:
        return ""
    said: list[str] = []
    for line in reversed(lines[: stops[0]][-MOST_LINES:]):
        if not line or line.startswith(("[Container]", "Traceback", "make")):
            break
        said.insert(0, line.strip())
    return " ".join(said)
