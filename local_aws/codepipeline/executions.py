"""One run of a pipeline: its stages, its actions, and what they left."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Halt = Literal["", "superseded", "stop", "abandon", "cancel"]
# What is left to say of an execution that was told to end, and how.
HALTED: dict[Halt, str] = {"superseded": "Superseded", "stop": "Stopped", "abandon": "Stopped", "cancel": "Cancelled"}


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Revision:
    """What a source action has found: the version of its object."""

    action: str
    artifact: str
    id: str
    change: str
    summary: str
    created: datetime
    url: str


@dataclass(frozen=True)
class Artifact:
    """An artifact in the artifact store, and the id of the source revision that it comes from."""

    name: str
    bucket: str
    key: str
    revision: str = ""

    def describe(self) -> dict[str, Any]:
        """The artifact as CodePipeline shows it."""
        return {"name": self.name, "s3location": {"bucket": self.bucket, "key": self.key}}


@dataclass
class ActionRun:
    """One run of an action."""

    stage: str
    declaration: dict[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    start: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    updated_by: str = ""
    token: str = ""
    external_id: str = ""
    external_url: str = ""
    summary: str = ""
    log_stream_arn: str = ""
    error_code: str = ""
    error: str = ""
    configuration: dict[str, str] = field(default_factory=dict)
    inputs: list[Artifact] = field(default_factory=list)
    outputs: list[Artifact] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    decision: tuple[str, str, str] | None = None  # of an approval: status, by whom, summary

    @property
    def name(self) -> str:
        """The action's name."""
        return self.declaration["name"]

    def result(self) -> dict[str, Any]:
        """The `executionResult` of the action."""
        error = {"code": self.error_code, "message": self.error[:5000]} if self.error else None
        members = {
            "externalExecutionId": self.external_id,
            "externalExecutionSummary": self.summary[:2048],
            "externalExecutionUrl": self.external_url,
            "errorDetails": error,
            "logStreamARN": self.log_stream_arn,
        }
        return {name: value for name, value in members.items() if value}


@dataclass
class RuleRun:
    """One check of a rule of a condition."""

    declaration: dict[str, Any]
    configuration: dict[str, str]
    status: str
    message: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    time: datetime = field(default_factory=now)


@dataclass
class ConditionRun:
    """One check of the conditions before, or after, a stage."""

    status: str
    summary: str
    rules: list[RuleRun]
    time: datetime = field(default_factory=now)


@dataclass
class StageRun:
    """A stage as one execution goes through it; a retry adds runs of actions."""

    name: str
    status: str = "InProgress"
    actions: list[ActionRun] = field(default_factory=list)
    conditions: dict[str, ConditionRun] = field(default_factory=dict)
    retries: int = 0

    all_again: datetime | None = None

    def latest(self) -> dict[str, ActionRun]:
        """The last run of each action, by name."""
        return {run.name: run for run in self.actions}

    def done(self) -> set[str]:
        """The actions that a retry need not run again."""
        runs = self.latest().values()
        return {r.name for r in runs if r.status == "Succeeded" and not (self.all_again and r.start < self.all_again)}


@dataclass
class Execution:
    """A run of a pipeline with the declaration that it started with."""

    declaration: dict[str, Any]
    variables: dict[str, str]
    trigger_type: str
    trigger_detail: str
    overrides: list[dict[str, str]] = field(default_factory=list)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    summary: str = ""
    start: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    attempt: int = 1
    halt: Halt = ""
    stop_reason: str = ""
    stages: dict[str, StageRun] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.declaration["name"]

    @property
    def mode(self) -> str:
        """QUEUED, SUPERSEDED or PARALLEL."""
        return self.declaration["executionMode"]

    def actions(self) -> Iterator[ActionRun]:
        """All runs of actions, in the order of their start."""
        stages = list(self.stages.values())  # the execution goes on meanwhile
        return iter(sorted((run for stage in stages for run in list(stage.actions)), key=lambda run: run.start))

    def override(self, action: str, kind: str) -> str:
        """The revision of a source action that this execution was told to take, or ""."""
        found = [o["revisionValue"] for o in self.overrides if (o["actionName"], o["revisionType"]) == (action, kind)]
        return found[0] if found else ""
