"""The watch's own stacks on the local AWS, with a job that only says what it was told, and speaks as its role may."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.delivery import eventually, queue
from tests.local_aws.sagemaker.stage import Stage
from tests.local_aws.test_eventbridge import received

AT = datetime(2018, 3, 1, 5, tzinfo=UTC)
ENDPOINT = "greenlight-m-production"
PARTS = ("tooling", "production", "watch-production")
PROGRAM = """
import json, sys
import boto3

said = dict(zip(sys.argv[1::2], sys.argv[2::2]))
print(json.dumps(said))
if said["--at"].startswith("2019"):
    sys.exit("no")
project, team = said["--project"], said["--team"]
about = {"team": team, "environment": said["--environment"], "tell": True, "to": "red", "message": "It is red."}
events, s3 = boto3.client("events"), boto3.client("s3")
entry = {"Source": f"{project}.watch", "DetailType": "Model Light Changed", "Detail": json.dumps(about)}
assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
s3.put_object(Bucket=said["--bucket"], Key=f"watch/{team}/m/state.json", Body=b"{}", IfNoneMatch="*")
s3.get_object(Bucket=said["--bucket"], Key=f"watch/{team}/m/state.json")
s3.list_objects_v2(Bucket=said["--bucket"], Prefix=f"capture/{team}/")
s3.put_object(Bucket=said["--bucket"], Key=f"capture/{team}/e/log/1.jsonl", Body=b"{}")
s3.put_object(Bucket=said["--data-bucket"], Key=f"{team}/data/recorded/m/1.parquet", Body=b"")
path = f"/{project}/{said['--environment']}/models/{team}/"
boto3.client("ssm").get_parameters_by_path(Path=path)
dimensions = [{"Name": "Environment", "Value": said["--environment"]}, {"Name": "Team", "Value": team}]
judged = {"MetricName": "Judged", "Dimensions": dimensions, "Value": 1.0, "Timestamp": said["--at"]}
boto3.client("cloudwatch").put_metric_data(Namespace=f"{project}/watch", MetricData=[judged])
metric = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations"}
query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
boto3.client("cloudwatch").get_metric_data(
    MetricDataQueries=[query], StartTime="2018-02-01T00:00:00Z", EndTime="2018-03-01T00:00:00Z"
)
sagemaker, logs, name = boto3.client("sagemaker"), boto3.client("logs"), f"{project}-m-production"
found = sagemaker.describe_endpoint(EndpointName=name)
found = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
sagemaker.describe_model(ModelName=found["ProductionVariants"][0]["ModelName"])
package = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{project}-m/1"
sagemaker.describe_model_package(ModelPackageName=package)
logs.filter_log_events(logGroupName=f"/aws/sagemaker/Endpoints/{name}")
for refused in (
    lambda: s3.put_object(Bucket=said["--bucket"], Key="watch/another/m/state.json", Body=b"{}"),
    lambda: s3.put_object(Bucket=said["--data-bucket"], Key=f"{team}/data/rows.parquet", Body=b""),
    lambda: boto3.client("cloudwatch").put_metric_data(Namespace="AWS/States", MetricData=[judged]),
    lambda: events.put_events(Entries=[{**entry, "Source": "another"}]),
    lambda: sagemaker.describe_endpoint(EndpointName=f"{project}-of-another-production"),
):
    try:
        refused()
    except Exception as error:
        assert "AccessDenied" in repr(error), error
    else:
        sys.exit("it may more than it should")
"""


class Watch(NamedTuple):
    """The deployed stacks, and the first team's names."""

    stacks: Stacks
    image: str
    team: str
    name: str
    """Of the schedule, the state machine, and the alarm."""


def deploy(stacks: Stacks, assembly: Path, part: str, **parameters: str) -> None:
    template = json.loads((assembly / f"greenlight-{part}.template.json").read_text())
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    sections = {key: value for key, value in template.items() if key[0].isupper() and key != "Resources"}
    name = f"greenlight-{part}"
    try:
        status = stacks.deploy(name, template["Resources"], **sections, parameters=given)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return  # another test of this account has deployed it
        raise
    assert status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stacks.failures(name)


def physical(stacks: Stacks, assembly: Path, part: str, kind: str, word: str = "") -> str:
    """What the one resource of a kind, whose logical name holds a word, is called in the account."""
    template = json.loads((assembly / f"greenlight-{part}.template.json").read_text())
    (name,) = [each for each, found in template["Resources"].items() if found["Type"] == kind and word in each]
    return stacks.resource(f"greenlight-{part}", name)


@pytest.fixture(scope="module")
def watch(account: Account, assembly: Path) -> Iterator[Watch]:
    stacks, stage = Stacks(account), Stage(account)
    version = {"Name": "/cdk-bootstrap/hnb659fds/version", "Value": "30", "Type": "String"}
    account.client("ssm").put_parameter(**version, Overwrite=True)
    for part in PARTS:
        deploy(stacks, assembly, part)
    repository = physical(stacks, assembly, "tooling", "AWS::ECR::Repository")
    image = stage.image("job", {"pipelines/watch.py": PROGRAM}, repository)
    template = json.loads((assembly / "greenlight-watch-production.template.json").read_text())
    schedules = [each for each in template["Resources"].values() if each["Type"] == "AWS::Scheduler::Schedule"]
    name = schedules[0]["Properties"]["Name"]
    team = name.removeprefix("greenlight-watch-")
    served(stage, team)
    account.calendar.set(AT)
    yield Watch(stacks, image, team, name)
    account.calendar.set(None)
    stage.sagemaker.delete_endpoint(EndpointName=ENDPOINT)


def served(stage: Stage, team: str) -> None:
    """What a release leaves of a model of the team, which its tag tells from others'."""
    tags, model = [{"Key": "team", "Value": team}], stage.model()
    stage.sagemaker.add_tags(ResourceArn=stage.account.arn("sagemaker", f"model/{model}"), Tags=tags)
    config = stage.config(stage.variant(model), Tags=tags)
    stage.account.client("logs").create_log_group(
        logGroupName=f"/aws/sagemaker/Endpoints/{ENDPOINT}", tags={"team": team}
    )
    stage.sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=config, Tags=tags)
    stage.settled(ENDPOINT)
    stage.sagemaker.create_model_package_group(ModelPackageGroupName="greenlight-m", Tags=tags)
    stage.sagemaker.create_model_package(ModelPackageGroupName="greenlight-m")


def ended(account: Account, execution: str) -> dict[str, Any]:
    states = account.client("stepfunctions")
    described = lambda: states.describe_execution(executionArn=execution)  # noqa: E731
    return eventually(lambda: (found := described())["status"] != "RUNNING" and found, 60)


def alarm(account: Account, name: str) -> str:
    found = account.client("cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["CompositeAlarm", "MetricAlarm"]
    )
    return (found["CompositeAlarms"] + found["MetricAlarms"])[0]["StateValue"]


@pytest.mark.slow
def test_the_watch_runs_and_tells_under_its_roles(account: Account, assembly: Path, watch: Watch) -> None:
    run = ended(account, account.scheduler.fire(watch.name))
    assert run["status"] == "SUCCEEDED", "without an image it ends cleanly"

    deploy(watch.stacks, assembly, "watch-production", Image=watch.image)
    account.calendar.set(AT)
    topic = physical(watch.stacks, assembly, "production", "AWS::SNS::Topic", watch.team)
    url, arn = queue(account)
    account.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    run = ended(account, account.scheduler.fire(watch.name))

    assert run["status"] == "SUCCEEDED", (run.get("cause"), lines(account))
    told = json.loads(lines(account)[0])
    assert (told["--at"], told["--team"]) == ("2018-03-01T05:00:00Z", watch.team)
    messages = [json.loads(each["Message"]) for each in eventually(received(account, url))]
    assert "It is red." in messages

    account.calendar.set(AT.replace(year=2019))
    run = ended(account, account.scheduler.fire(watch.name))

    assert (run["status"], run["error"]) == ("FAILED", "ProcessingJobFailed")
    assert "ended as Failed; its log says why" in run["cause"]
    eventually(lambda: alarm(account, f"{watch.name}-failed") == "ALARM")
    assert alarm(account, watch.name) == "ALARM"


def lines(account: Account) -> list[str]:
    """What the newest watch job has printed."""
    group, logs = "/aws/sagemaker/ProcessingJobs", account.client("logs")
    try:
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="greenlight-watch")["logStreams"]
    except ClientError:
        return []
    found = logs.get_log_events(logGroupName=group, logStreamName=streams[-1]["logStreamName"], startFromHead=True)
    return [event["message"] for event in found["events"]]
