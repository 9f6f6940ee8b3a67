"""A build: what was asked, and how far it has come."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

NOT_REHEARSED = "Not rehearsed: "


@dataclass
class BuildPhase:
    """A phase of a build, and what there is to say about it."""

    name: str
    start: datetime
    status: str = "IN_PROGRESS"
    end: datetime | None = None
    code: str = ""
    message: str = ""
    notes: list[str] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """The phase as `BatchGetBuilds` shows it; what is not rehearsed comes as contexts of their own."""
        described: dict[str, Any] = {"phaseType": self.name, "startTime": self.start}
        if self.name == "COMPLETED":
            return described
        if self.end is None:
            return {**described, "phaseStatus": "IN_PROGRESS"}
        contexts = [{"statusCode": self.code, "message": self.message}]
        return {
            **described,
            "phaseStatus": self.status,
            "endTime": self.end,
            "durationInSeconds": round((self.end - self.start).total_seconds()),
            "contexts": contexts + [{"statusCode": "", "message": note} for note in self.notes],
        }


@dataclass
class Build:
    """One run of a project, under the settings that it has for this run (the project's, with the overrides)."""

    project: str
    number: int
    arn_prefix: str
    initiator: str
    settings: dict[str, Any]
    id: str = ""
    status: str = "IN_PROGRESS"
    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    end: datetime | None = None
    phases: list[BuildPhase] = field(default_factory=list)
    exported: dict[str, str] = field(default_factory=dict)
    logs: dict[str, Any] = field(default_factory=dict)
    source_version: str = ""
    resolved_source_version: str = ""
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    finished: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    on_finish: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.id = self.id or f"{self.project}:{uuid.uuid4()}"

    @property
    def arn(self) -> str:
        """The build's ARN."""
        return f"{self.arn_prefix}:build/{self.id}"

    @property
    def succeeding(self) -> bool:
        """Whether no phase has failed so far."""
        return all(phase.status in ("SUCCEEDED", "IN_PROGRESS") for phase in self.phases)

    def enter(self, phase: str) -> BuildPhase:
        """Begin a phase."""
        self.phases.append(BuildPhase(phase, datetime.now(UTC)))
        return self.phases[-1]

    def leave(self, status: str = "SUCCEEDED", code: str = "", message: str = "") -> None:
        """End the present phase."""
        phase = self.phases[-1]
        phase.status, phase.code, phase.message = status, code, message
        phase.end = datetime.now(UTC)

    def complete(self) -> None:
        """End the build: its status is that of the first phase that did not succeed.

        So a phase that failed fails the build under `on-failure: CONTINUE` too: CodeBuild does not document what
        becomes of the build then, and a rehearsal must not pass what AWS may fail.
        """
        failed = [phase.status for phase in self.phases if phase.status != "SUCCEEDED"]
        self.enter("COMPLETED")
        self.end = datetime.now(UTC)
        self.status = failed[0] if failed else "SUCCEEDED"
        self.finished.set()
        self.on_finish()

    def note(self, line: str) -> None:
        """Keep what a line of output says is not rehearsed."""
        if line.startswith(NOT_REHEARSED) and self.phases and line not in self.phases[-1].notes:
            self.phases[-1].notes.append(line)

    def describe(self) -> dict[str, Any]:
        """The build as `BatchGetBuilds` shows it."""
        secondary = [artifact for artifact in self.artifacts if artifact.get("artifactIdentifier")]
        described: dict[str, Any] = {
            "id": self.id,
            "arn": self.arn,
            "buildNumber": self.number,
            "startTime": self.start,
            "endTime": self.end,
            "currentPhase": self.phases[-1].name if self.phases else "SUBMITTED",
            "buildStatus": self.status,
            "projectName": self.project,
            "sourceVersion": self.source_version,
            "resolvedSourceVersion": self.resolved_source_version,
            "phases": [phase.describe() for phase in self.phases],
            "buildComplete": self.finished.is_set(),
            "initiator": self.initiator,
            "logs": self.logs,
            "exportedEnvironmentVariables": [{"name": key, "value": value} for key, value in self.exported.items()],
            "artifacts": next((artifact for artifact in self.artifacts if artifact not in secondary), None),
            "secondaryArtifacts": secondary or None,
            **{key: self.settings[key] for key in _SHOWN if key in self.settings},
        }
        return {key: value for key, value in described.items() if value not in (None, "")}


_SHOWN = (
    "source",
    "secondarySources",
    "environment",
    "serviceRole",
    "timeoutInMinutes",
    "queuedTimeoutInMinutes",
    "encryptionKey",
    "cache",
    "vpcConfig",
)
