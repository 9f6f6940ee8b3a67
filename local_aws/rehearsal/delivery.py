"""Follows executions of the delivery pipelines, and approves what asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_aws.account import Account
from local_aws.rehearsal.failure import RehearsalError
from local_aws.rehearsal.report import Report, Step
from pipelines.by_hand.past.builds import last_lines

LINES_SHOWN = 15
POLL_SECONDS = 1.0
"""Often enough for people; looking costs the processor that the releases need."""
NOT_REHEARSED = "Not rehearsed: "


@dataclass(frozen=True)
class Execution:
    """One run of a pipeline."""

    pipeline: str
    identifier: str
    model: str = ""
    """The model that it releases."""

    @property
    def title(self) -> str:
        return f"{self.pipeline} {self.model}".rstrip()


@dataclass(frozen=True)
class Ended:
    """How a run has ended: its status, and where it failed the action and what that said."""

    status: str
    action: str
    said: str


@dataclass(frozen=True)
class _Followed:
    """A run, what has been told of its actions, and the steps that the report gets when it has ended."""

    execution: Execution
    heed: Callable[[Execution, str], None] = lambda _execution, _action: None
    told: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


class Delivery:
    """The delivery pipelines, seen from outside through CodePipeline's own API."""

    def __init__(self, account: Account, report: Report) -> None:
        self._account = account
        self._client: Any = account.client("codepipeline")
        self._logs: Path = account.settings.home / "logs"
        self._report = report

    def release(self, pipeline: str, model: str, package: str, reason: str) -> Execution:
        """Starts a release of an earlier package, as a person would."""
        given = {"MODEL": model, "PACKAGE": package, "REASON": reason}
        variables = [{"name": name, "value": value} for name, value in given.items()]
        started = self._client.start_pipeline_execution(name=pipeline, variables=variables)
        return Execution(pipeline, started["pipelineExecutionId"], model=model)

    def executions(self, pipeline: str) -> list[Execution]:
        """Every run of a pipeline, oldest first."""
        pages = self._client.get_paginator("list_pipeline_executions").paginate(pipelineName=pipeline)
        found = [item["pipelineExecutionId"] for page in pages for item in page["pipelineExecutionSummaries"]]
        return [Execution(pipeline, identifier) for identifier in reversed(found)]

    def variables(self, execution: Execution) -> dict[str, str]:
        """The pipeline variables of a run."""
        found = self._describe(execution).get("variables", [])
        return {variable["name"]: variable["resolvedValue"] for variable in found}

    def outputs(self, execution: Execution, action: str) -> dict[str, str]:
        """The variables that an action of a run has left."""
        for found in self._actions(execution):
            if found["actionName"] == action:
                return found.get("output", {}).get("outputVariables", {})
        return {}

    def follow(
        self,
        executions: Iterable[Execution],
        *,
        approve: bool = False,
        heed: Callable[[Execution, str], None] = lambda _execution, _action: None,
    ) -> Iterator[Execution]:
        """Follows runs that go on at the same time, tells each action as it changes, and gives each run that has ended.

        *heed* is called with every action that has ended. Raises RehearsalError when a run fails.
        """
        going = [_Followed(execution, heed) for execution in executions]
        try:
            while going:
                for run in tuple(going):
                    if self._has_ended(run, approve=approve):
                        going.remove(run)
                        self._report.steps += run.steps
                        yield run.execution
                time.sleep(POLL_SECONDS)
        finally:
            self._report.steps += [step for run in going for step in run.steps]

    def _has_ended(self, run: _Followed, *, approve: bool) -> bool:
        status = self._look(run, approve=approve)
        if status in ("Failed", "Stopped", "Cancelled", "Superseded"):
            raise RehearsalError(self._why(run.execution, status), self._logs)
        return status == "Succeeded"

    def _look(self, run: _Followed, *, approve: bool) -> str:
        """Tells what has changed since the last look, and approves where that is wanted; gives the run's status."""
        going = False
        for action in self._actions(run.execution):
            self._tell(run, action)
            going |= action["status"] == "InProgress"
            if approve and action["status"] == "InProgress" and _category(action) == "Approval":
                self._approve(run.execution, action)
        return "InProgress" if going else self._describe(run.execution)["status"]

    def end(self, execution: Execution, approved: Callable[[], bool] = lambda: True) -> Ended:
        """Follows a run to its end, whichever that is; approves it as soon as it asks and *approved* says so."""
        run = _Followed(execution)
        while (status := self._look(run, approve=approved())) in ("InProgress", "Stopping"):
            time.sleep(POLL_SECONDS)
        self._look(run, approve=False)  # what has changed with the end
        self._report.steps += run.steps
        failed = [action["actionName"] for action in self._actions(execution) if action["status"] == "Failed"]
        return Ended(status, next(iter(failed), ""), self._why(execution, status) if failed else "")

    def settle(self, execution: Execution) -> None:
        """Waits for the end of a run that has nothing to tell; raises RehearsalError when it fails."""
        while (status := self._describe(execution)["status"]) == "InProgress":
            time.sleep(POLL_SECONDS)
        if status != "Succeeded":
            raise RehearsalError(self._why(execution, status), self._logs)

    def _tell(self, run: _Followed, action: dict[str, Any]) -> None:
        name, status = action["actionName"], action["status"]
        if run.told.get(name) == status:
            return
        run.told[name] = status
        title = f"{run.execution.title} / {name}"
        if status == "InProgress":
            self._report.say(f"{title} ...")
            return
        seconds = round((action["lastUpdateTime"] - action["startTime"]).total_seconds(), 1)
        evidence = self._evidence(action)
        run.steps.append(Step(title, seconds, evidence))
        self._report.say(f"{title}: {evidence} ({seconds:.1f} s)")
        run.heed(run.execution, name)

    def _evidence(self, action: dict[str, Any]) -> str:
        lines = _result(action).get("externalExecutionSummary", "").splitlines()
        self._report.not_rehearsed += [
            line.removeprefix(NOT_REHEARSED) for line in lines if line.startswith(NOT_REHEARSED)
        ]
        said = " ".join(line for line in lines if not line.startswith(NOT_REHEARSED))
        summary = action.get("output", {}).get("outputVariables", {}).get("SUMMARY", "")
        return summary or said or action["status"]

    def _approve(self, execution: Execution, action: dict[str, Any]) -> None:
        token = _result(action).get("externalExecutionId")
        if not token:
            return
        self._client.put_approval_result(
            pipelineName=execution.pipeline,
            stageName=action["stageName"],
            actionName=action["actionName"],
            result={"summary": "Approved by the rehearsal, not by a person.", "status": "Approved"},
            token=token,
        )

    def _why(self, execution: Execution, status: str) -> str:
        failed = [action for action in self._actions(execution) if action["status"] == "Failed"]
        details = [
            f"{action['actionName']}: {_result(action).get('errorDetails', {}).get('message', 'no reason given')}"
            for action in failed
        ]
        said = [
            line for action in failed if _category(action) in ("Build", "Test") for line in self._last_lines(action)
        ]
        return "\n".join([f"The {execution.pipeline} pipeline has {status.lower()}.", *details, *said])

    def _last_lines(self, action: dict[str, Any]) -> list[str]:
        """The end of a build's log, without what CodeBuild itself writes there."""
        build = _result(action).get("externalExecutionId", "")
        lines = last_lines(self._account.client("codebuild"), self._account.client("logs"), build)
        return [line for line in lines if not line.startswith("[Container]")][-LINES_SHOWN:]

    def _describe(self, execution: Execution) -> dict[str, Any]:
        return self._client.get_pipeline_execution(
            pipelineName=execution.pipeline, pipelineExecutionId=execution.identifier
        )["pipelineExecution"]

    def _actions(self, execution: Execution) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_action_executions").paginate(
            pipelineName=execution.pipeline, filter={"pipelineExecutionId": execution.identifier}
        )
        found = [action for page in pages for action in page["actionExecutionDetails"]]
        return sorted(found, key=lambda action: action["startTime"])


def _category(action: dict[str, Any]) -> str:
    return action.get("input", {}).get("actionTypeId", {}).get("category", "")


def _result(action: dict[str, Any]) -> dict[str, Any]:
    return action.get("output", {}).get("executionResult", {})
