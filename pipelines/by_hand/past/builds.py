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
        (found,) = codebuild.batch_get_builds(ids=[build])["builds"]
        place = found["logs"]
        events = logs.get_log_events(
            logGroupName=place["groupName"], logStreamName=place["streamName"], limit=LINES, startFromHead=False
        )["events"]
    except (BotoCoreError, ClientError, KeyError, ValueError):  # the log has ended, or the caller may not read it
        return stated
    return sentence([event["message"].rstrip() for event in events]) or stated


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
