"""The manual approval."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

from local_aws.codepipeline.actions.action import Action, ActionError
from local_aws.codepipeline.executions import now
from local_aws.codepipeline.pipelines import Pipeline
from local_aws.errors import AwsError

DAYS = 7  # AWS's own limit for a decision


def run(action: Action) -> None:
    """Ask for a decision, tell the topic, and wait for `PutApprovalResult`."""
    minutes = action.run.declaration.get("timeoutInMinutes", DAYS * 24 * 60)
    action.run.token = str(uuid.uuid4())
    action.run.external_id = action.run.token  # in PARALLEL mode this is the only place that shows it
    action.run.summary = action.configuration.get("CustomData", "")
    action.run.external_url = action.configuration.get("ExternalEntityLink", "")
    if topic := action.configuration.get("NotificationArn"):
        _notify(action, topic, minutes)
    if not action.wait(lambda: action.run.decision, minutes * 60):
        raise ActionError("JobFailed", f"Nobody has decided within {minutes} minutes.")
    assert action.run.decision
    status, by, summary = action.run.decision
    action.run.summary = summary or f"{status} by {by}"
    if status == "Rejected":
        raise ActionError("JobFailed", f"Rejected by {by}{f': {summary}' if summary else ''}")


def answer(pipeline: Pipeline, params: dict[str, Any], by: str) -> None:
    """Give the decision of `PutApprovalResult`, once, to the action that its token belongs to."""
    stage, name = pipeline.stage(params["stageName"]), params["actionName"]
    if name not in [action["name"] for action in stage["actions"]]:
        raise AwsError("ActionNotFoundException", f"The stage {stage['name']} has no action {name}")
    with pipeline.changed:
        runs = [run for execution in pipeline.executions.values() for run in execution.actions()]
        asked = next((run for run in runs if run.token == params["token"] and run.name == name), None)
        if asked is None:
            raise AwsError("InvalidApprovalTokenException", "The approval request has expired, or there was none.")
        if asked.status != "InProgress" or asked.decision:
            raise AwsError(
                "ApprovalAlreadyCompletedException", "The approval action has already been approved or rejected."
            )
        asked.decision = (params["result"]["status"], by, params["result"]["summary"])
        asked.updated_by = by
        pipeline.changed.notify_all()
        # Whoever asks next is to see what has become of it.
        pipeline.changed.wait_for(lambda: asked.status != "InProgress", timeout=2)


def _notify(action: Action, topic: str, minutes: int) -> None:
    region = action.account.settings.region
    link = f"https://{region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/{action.execution.pipeline}/view"
    message = {
        "region": region,
        "consoleLink": link,
        "approval": {
            "pipelineName": action.execution.pipeline,
            "stageName": action.run.stage,
            "actionName": action.run.name,
            "token": action.run.token,
            "expires": (now() + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%MZ"),
            "externalEntityLink": action.configuration.get("ExternalEntityLink"),
            "approvalReviewLink": f"{link}#/{action.run.stage}/{action.run.name}/approve/{action.run.token}",
            "customData": action.configuration.get("CustomData"),
        },
    }
    subject = f"APPROVAL NEEDED: AWS CodePipeline {action.execution.pipeline} for action {action.run.name}"
    action.client("sns").publish(TopicArn=topic, Subject=subject[:100], Message=json.dumps(message))
