import json
from collections.abc import Callable
from typing import Any

from local_aws.account import Account
from tests.local_aws.delivery import OBJECTS, allow, bucket, eventually, queue, role, unique, zipped

EVENTS = "events"


def rule(account: Account, source: str, target: dict[str, Any]) -> None:
    """A rule that sends events of a source to a target."""
    events = account.client("events")
    name = unique("rule")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [source]}))
    answer = events.put_targets(Rule=name, Targets=[{"Id": "target", **target}])
    assert answer["FailedEntryCount"] == 0


def received(account: Account, url: str) -> Callable[[], list[Any]]:
    def receive() -> list[Any]:
        found = account.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in found]

    return receive


def pipeline(account: Account) -> tuple[str, str]:
    """A pipeline that takes an object; its name and ARN."""
    source, name = bucket(account), unique("pipeline")
    account.client("s3").put_object(Bucket=source, Key="source.zip", Body=zipped({"file": "content"}))
    taking = {
        "name": "Take",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": source, "S3ObjectKey": "source.zip", "PollForSourceChanges": "false"},
        "outputArtifacts": [{"name": "source"}],
    }
    approving = {
        "name": "Look",
        "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
    }
    stages = [{"name": "Source", "actions": [taking]}, {"name": "Approve", "actions": [approving]}]
    account.client("codepipeline").create_pipeline(
        pipeline={
            "name": name,
            "roleArn": role(account, "codepipeline", OBJECTS),
            "pipelineType": "V2",
            "executionMode": "PARALLEL",
            "artifactStore": {"type": "S3", "location": source},
            "variables": [{"name": "MODEL", "defaultValue": "none"}],
            "stages": stages,
        }
    )
    return name, account.arn("codepipeline", name)


def executions(account: Account, name: str) -> list[dict[str, Any]]:
    return account.client("codepipeline").list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]


def test_events_of_aws_reach_the_targets_of_rules(account: Account) -> None:
    url, arn = queue(account)
    source = f"aws.{unique('source')}"
    rule(account, source, {"Arn": arn})
    account.emit(source, "Something Happened", {"name": "x"}, ["arn:aws:x:::y"])
    (event,) = eventually(received(account, url))
    assert (event["source"], event["detail-type"], event["detail"]) == (source, "Something Happened", {"name": "x"})
    assert event["resources"] == ["arn:aws:x:::y"]
    assert (event["account"], event["region"]) == ("123456789012", "us-east-1")


def test_others_cannot_speak_as_aws(account: Account) -> None:
    entry = {"Source": "aws.sagemaker", "DetailType": "t", "Detail": "{}"}
    answer = account.client("events").put_events(Entries=[entry])
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


def test_a_rule_starts_a_pipeline_with_the_variables_that_its_template_makes(account: Account) -> None:
    name, arn = pipeline(account)
    source = unique("source")
    starting = role(account, EVENTS, allow("codepipeline:StartPipelineExecution", resource=arn))
    transformer = {
        "InputPathsMap": {"model": "$.detail.model"},
        "InputTemplate": '{"variables": [{"name": "MODEL", "value": "<model>"}]}',
    }
    rule(account, source, {"Arn": arn, "RoleArn": starting, "InputTransformer": transformer})
    before = len(executions(account, name))
    entry = {"Source": source, "DetailType": "Drift", "Detail": json.dumps({"model": "employment"})}
    account.client("events").put_events(Entries=[entry])
    eventually(lambda: len(executions(account, name)) > before)
    newest = executions(account, name)[0]["pipelineExecutionId"]
    execution = account.client("codepipeline").get_pipeline_execution(pipelineName=name, pipelineExecutionId=newest)
    variables = execution["pipelineExecution"]["variables"]
    assert variables == [{"name": "MODEL", "resolvedValue": "employment"}]


def test_a_rule_whose_role_may_not_starts_nothing(account: Account) -> None:
    name, arn = pipeline(account)
    source = unique("source")
    powerless = role(account, EVENTS, allow("sns:Publish"))
    rule(account, source, {"Arn": arn, "RoleArn": powerless})
    before = len(executions(account, name))
    account.client("events").put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": "{}"}])

    def denied() -> bool:
        account.journal.flush()
        return any(powerless.rpartition("/")[2] in denial.caller for denial in account.journal.denials)

    eventually(denied)
    assert len(executions(account, name)) == before


def test_a_rule_starts_a_state_machine_only_as_its_role_may(account: Account) -> None:
    states = account.client("stepfunctions")
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    machine = states.create_state_machine(
        name=unique("machine"), definition=json.dumps(definition), roleArn=role(account, "states")
    )["stateMachineArn"]
    source = unique("source")
    rule(account, source, {"Arn": machine, "RoleArn": role(account, EVENTS, allow("sns:Publish"))})
    event = {"Source": source, "DetailType": "t", "Detail": "{}"}
    account.client("events").put_events(Entries=[event])
    assert states.list_executions(stateMachineArn=machine)["executions"] == []
    starting = role(account, EVENTS, allow("states:StartExecution", resource=machine))
    rule(account, source, {"Arn": machine, "RoleArn": starting})
    account.client("events").put_events(Entries=[event])
    eventually(lambda: len(states.list_executions(stateMachineArn=machine)["executions"]) == 1)
