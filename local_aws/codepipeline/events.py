"""What CodePipeline tells EventBridge.

https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws.codepipeline.executions import ActionRun, Execution

if TYPE_CHECKING:
    from local_aws.account import Account


class Events:
    """The state changes of pipelines, stages and actions."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def pipeline(self, execution: Execution, state: str) -> None:
        """An execution's state changed."""
        detail: dict[str, Any] = {}
        if state == "STARTED":
            trigger = {"trigger-type": execution.trigger_type, "trigger-detail": execution.trigger_detail}
            detail["execution-trigger"] = trigger
        if state in ("STOPPING", "STOPPED") and execution.stop_reason:
            detail["stop-execution-comments"] = execution.stop_reason
        self._emit("Pipeline", execution, state, execution.start, detail)

    def stage(self, execution: Execution, stage: str, state: str) -> None:
        """A stage's state changed."""
        self._emit("Stage", execution, state, datetime.now(UTC), {"stage": stage})

    def action(self, execution: Execution, run: ActionRun, state: str) -> None:
        """An action's state changed."""
        result = {
            "external-execution-id": run.external_id,
            "external-execution-url": run.external_url,
            "external-execution-summary": run.summary,
            "error-code": run.error_code,
        }
        detail = {
            "stage": run.stage,
            "action": run.name,
            "action-execution-id": run.id,
            "region": self._account.settings.region,
            "type": run.declaration["actionTypeId"],
            "execution-result": {key: value for key, value in result.items() if value},
            "input-artifacts": [artifact.describe() for artifact in run.inputs],
            "output-artifacts": [artifact.describe() for artifact in run.outputs],
        }
        self._emit("Action", execution, state, run.start, {key: value for key, value in detail.items() if value})

    def _emit(self, level: str, execution: Execution, state: str, start: datetime, detail: dict[str, Any]) -> None:
        arn = self._account.arn("codepipeline", execution.pipeline)
        common = {
            "pipeline": execution.pipeline,
            "execution-id": execution.id,
            "start-time": f"{start:%Y-%m-%dT%H:%M:%S}.{start.microsecond // 1000:03d}Z",
            "state": state,
            "version": float(execution.declaration["version"]),
            "pipeline-execution-attempt": float(execution.attempt),
        }
        kind = f"CodePipeline {level} Execution State Change"
        self._account.emit("aws.codepipeline", kind, common | detail, [arn])
