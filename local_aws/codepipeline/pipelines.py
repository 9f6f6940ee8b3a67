"""A pipeline: its declarations, and its executions."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_aws.codepipeline.executions import Execution, now
from local_aws.codepipeline.gate import Gate
from local_aws.errors import AwsError


@dataclass
class Pipeline:
    """A pipeline; `changed` is the lock of everything in it, and is notified when something did."""

    versions: list[dict[str, Any]]
    tags: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    executions: dict[str, Execution] = field(default_factory=dict)
    latest: dict[str, Execution] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        self.gate = Gate(self.changed)

    @property
    def declaration(self) -> dict[str, Any]:
        """The declaration that holds now."""
        return self.versions[-1]

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.declaration["name"]

    def running(self) -> list[Execution]:
        """The executions that have not ended."""
        executions = list(self.executions.values())  # others begin meanwhile
        return [execution for execution in executions if execution.status in ("InProgress", "Stopping")]

    def execution(self, identifier: str) -> Execution:
        """An execution by its id."""
        if identifier not in self.executions:
            raise AwsError(
                "PipelineExecutionNotFoundException",
                f"No pipeline execution found with ID: {identifier} in pipeline {self.name}",
            )
        return self.executions[identifier]

    def stage(self, name: str) -> dict[str, Any]:
        """A stage of the declaration that holds now."""
        for stage in self.declaration["stages"]:
            if stage["name"] == name:
                return stage
        raise AwsError("StageNotFoundException", f"The pipeline {self.name} has no stage named {name}")

    def wake(self) -> None:
        """Let those who wait look again."""
        with self.changed:
            self.changed.notify_all()
