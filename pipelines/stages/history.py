"""Reads the history of the release pipeline: who releases the same model, who started, who approved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.stages.turn import Action, Release

APPROVAL = "Approve"
"""The action of a person who lets a release into production."""
FAR = timedelta(days=14)
"""No release runs for longer: an approval waits for a week at most, and training for hours."""


@dataclass(frozen=True)
class History:
    """The executions of the release pipeline, seen from one of them."""

    codepipeline: Any
    pipeline: str
    execution: str
    _models: dict[str, str] = field(default_factory=dict)

    def releases(self) -> tuple[Release, list[Release]]:
        """The release itself, and the other ones of its model that still run."""
        found = list(self._executions())
        running = [each for each in found if each["status"] in ("InProgress", "Stopping")]
        own = next(each for each in found if each["pipelineExecutionId"] == self.execution)
        model = self._model(self.execution)
        others = [
            self._release(each)
            for each in running
            if each is not own and self._model(each["pipelineExecutionId"]) == model
        ]
        return self._release(own), others

    def starter(self) -> tuple[str, str]:
        """What started this release, and who, as an ARN."""
        trigger = self._describe(self.execution).get("trigger", {})
        return trigger.get("triggerType", "unknown"), trigger.get("triggerDetail", "")

    def approver(self) -> str | None:
        """The ARN of who has approved this release; None where nobody was asked, nothing where nobody knows."""
        runs = [each for each in self._actions(self.execution) if each["actionName"] == APPROVAL]
        approved = [each for each in runs if each["status"] == "Succeeded"]
        newest = max(approved, key=lambda each: each["startTime"], default=None)
        return None if newest is None else newest.get("updatedBy", "")

    def _executions(self) -> Iterator[dict[str, Any]]:
        """Newest first, as far back as one may still run, and at least back to this one."""
        seen = False
        for page in self.codepipeline.get_paginator("list_pipeline_executions").paginate(pipelineName=self.pipeline):
            for each in page["pipelineExecutionSummaries"]:
                seen = seen or each["pipelineExecutionId"] == self.execution
                yield each
                if seen and each["startTime"] < datetime.now(UTC) - FAR:
                    return
        if not seen:
            raise LookupError(
                f"EXECUTION is {self.execution}: {self.pipeline} has no such execution; this program runs in a stage "
                "of that pipeline."
            )

    def _release(self, summary: dict[str, Any]) -> Release:
        execution = summary["pipelineExecutionId"]
        actions = [Action(each["stageName"], each["status"], each["startTime"]) for each in self._actions(execution)]
        return Release(execution, summary["startTime"], summary["status"] in ("InProgress", "Stopping"), tuple(actions))

    def _actions(self, execution: str) -> list[dict[str, Any]]:
        pages = self.codepipeline.get_paginator("list_action_executions").paginate(
            pipelineName=self.pipeline, filter={"pipelineExecutionId": execution}
        )
        return [action for page in pages for action in page["actionExecutionDetails"]]

    def _model(self, execution: str) -> str:
        if execution not in self._models:
            variables = self._describe(execution).get("variables", [])
            named = (variable["resolvedValue"] for variable in variables if variable["name"] == "MODEL")
            self._models[execution] = next(named, "")
        return self._models[execution]

    def _describe(self, execution: str) -> dict[str, Any]:
        return self.codepipeline.get_pipeline_execution(pipelineName=self.pipeline, pipelineExecutionId=execution)[
            "pipelineExecution"
        ]
