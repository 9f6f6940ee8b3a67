"""State changes reach EventBridge in CodePipeline's own form."""

from __future__ import annotations

import json

from tests.local_aws.codepipeline.conftest import Delivery, build, stage
from tests.local_aws.delivery import eventually, queue, unique


def test_pipelines_stages_actions_and_builds_tell_what_they_do(delivery: Delivery) -> None:
    events, sqs = delivery.account.client("events"), delivery.account.client("sqs")
    url, arn = queue(delivery.account)
    rule = unique("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["aws.codepipeline", "aws.codebuild"]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    project = delivery.project("exit 1")
    pipeline = delivery.create(stage("Test", build("Unit", project)))
    seen: dict[tuple[str, ...], dict] = {}

    def complete() -> bool:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            detail = event["detail"]
            if pipeline in (detail.get("pipeline"), "") or detail.get("project-name") == project:
                parts = (detail.get("stage"), detail.get("action"), detail.get("state") or detail.get("build-status"))
                seen[(event["detail-type"].split()[1], *map(str, parts))] = event
        return ("Pipeline", "None", "None", "FAILED") in seen

    eventually(complete)
    events.remove_targets(Rule=rule, Ids=["queue"])
    events.delete_rule(Name=rule)
    assert set(seen) == {
        ("Pipeline", "None", "None", "STARTED"),
        ("Stage", "Source", "None", "STARTED"),
        ("Action", "Source", "Source", "STARTED"),
        ("Action", "Source", "Source", "SUCCEEDED"),
        ("Stage", "Source", "None", "SUCCEEDED"),
        ("Stage", "Test", "None", "STARTED"),
        ("Action", "Test", "Unit", "STARTED"),
        ("Build", "None", "None", "IN_PROGRESS"),
        ("Build", "None", "None", "FAILED"),
        ("Action", "Test", "Unit", "FAILED"),
        ("Stage", "Test", "None", "FAILED"),
        ("Pipeline", "None", "None", "FAILED"),
    }
    failed = seen["Action", "Test", "Unit", "FAILED"]
    assert failed["resources"] == [delivery.account.arn("codepipeline", pipeline)]
    assert failed["detail"]["execution-result"]["error-code"] == "JobFailed"
    assert failed["detail"]["execution-id"] == delivery.first(pipeline)
