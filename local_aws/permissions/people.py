"""What people do by hand: say no to a release, and wait for state machines."""

from __future__ import annotations

import time
from typing import Any

from local_aws.account import Account
from local_aws.rehearsal.delivery import Execution
from local_aws.rehearsal.failure import RehearsalError

LONGEST, LOOK_SECONDS = 300.0, 0.5


class People:
    """People with all rights, whose patience ends (RehearsalError)."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._pipelines: Any = account.client("codepipeline")
        self._states: Any = account.client("stepfunctions")

    def refuse(self, run: Execution) -> str:
        """Say no where a release asks for approval; gives the status in which it has ended."""
        deadline = time.monotonic() + LONGEST
        while (status := self._status(run)) == "InProgress":
            for action in self._asking(run):
                self._pipelines.put_approval_result(
                    pipelineName=run.pipeline,
                    stageName=action["stageName"],
                    actionName=action["actionName"],
                    result={"summary": "Not this one.", "status": "Rejected"},
                    token=action["output"]["executionResult"]["externalExecutionId"],
                )
            self._wait(deadline, f"{run.pipeline} {run.identifier}")
        return status

    def asked(self, run: Execution) -> None:
        """Wait until a release asks for approval."""
        deadline = time.monotonic() + LONGEST
        while not self._asking(run):
            self._wait(deadline, f"{run.pipeline} {run.identifier}")

    def start(self, machine: str, name: str, given: str) -> str:
        """Start a state machine; gives its status in the end."""
        arn = self._account.arn("states", f"stateMachine:{machine}")
        return self.end(self._states.start_execution(stateMachineArn=arn, name=name, input=given)["executionArn"])

    def begun(self, machine: str, known: int) -> str:
        """The first execution of a machine that comes on top of the *known* ones."""
        deadline = time.monotonic() + LONGEST
        while len(found := self.executions(machine)) <= known:
            self._wait(deadline, machine)
        return found[len(found) - known - 1]

    def executions(self, machine: str) -> list[str]:
        """Those of a machine, newest first."""
        arn = self._account.arn("states", f"stateMachine:{machine}")
        pages = self._states.get_paginator("list_executions").paginate(stateMachineArn=arn)
        return [each["executionArn"] for page in pages for each in page["executions"]]

    def end(self, execution: str) -> str:
        """The status in which an execution has ended."""
        deadline = time.monotonic() + LONGEST
        while (found := self._states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            self._wait(deadline, execution)
        return f"{found['status'].lower()} {found.get('cause', '')}".strip()

    def _status(self, run: Execution) -> str:
        found = self._pipelines.get_pipeline_execution(pipelineName=run.pipeline, pipelineExecutionId=run.identifier)
        return found["pipelineExecution"]["status"]

    def _asking(self, run: Execution) -> list[dict[str, Any]]:
        actions = self._pipelines.list_action_executions(
            pipelineName=run.pipeline, filter={"pipelineExecutionId": run.identifier}
        )["actionExecutionDetails"]
        return [
            action
            for action in actions
            if action["status"] == "InProgress"
            and action["input"]["actionTypeId"]["category"] == "Approval"
            and action["output"].get("executionResult", {}).get("externalExecutionId")
        ]

    def _wait(self, deadline: float, what: str) -> None:
        if time.monotonic() > deadline:
            raise RehearsalError(f"{what} has not ended within {LONGEST:.0f} s.", self._account.settings.home)
        time.sleep(LOOK_SECONDS)
