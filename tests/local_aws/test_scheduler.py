"""Schedules start state machines under their own role, at real time or at the calendar's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from local_aws.errors import AwsError
from tests.local_aws.delivery import allow, eventually, role, unique
from tests.local_aws.sagemaker.stage import LOGS, PULL, Stage

AT = datetime(2018, 3, 1, 5, tzinfo=UTC)


@pytest.fixture
def calendar(account: Account) -> Iterator[None]:
    account.calendar.set(AT)
    yield
    account.calendar.set(None)


@pytest.fixture(scope="module")
def stage(account: Account) -> Stage:
    return Stage(account)


def machine(account: Account, states: dict[str, Any], *permissions: dict[str, Any]) -> str:
    definition = {"StartAt": next(iter(states)), "States": states}
    client = account.client("stepfunctions")
    created = client.create_state_machine(
        name=unique("machine"), definition=json.dumps(definition), roleArn=role(account, "states", *permissions)
    )
    return created["stateMachineArn"]


def schedule(account: Account, target: str, scheduler_role: str, given: dict[str, str]) -> str:
    name = unique("schedule")
    account.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="cron(0 5 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": target, "RoleArn": scheduler_role, "Input": json.dumps(given)},
    )
    return name


def ended(account: Account, execution: str) -> dict[str, Any]:
    states = account.client("stepfunctions")

    def over() -> dict[str, Any] | None:
        described = states.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    return eventually(over)


@pytest.mark.usefixtures("calendar")
def test_a_fired_schedule_says_its_time_and_who_it_is(account: Account) -> None:
    target = machine(account, {"Done": {"Type": "Succeed"}})
    given = {"at": "<aws.scheduler.scheduled-time>", "of": "<aws.scheduler.schedule-arn>"}
    given["id"] = "<aws.scheduler.execution-id>"
    starting = role(account, "scheduler", allow("states:StartExecution", resource=target))
    name = schedule(account, target, starting, given)
    output = json.loads(ended(account, account.scheduler.fire(name))["output"])
    assert output["at"] == "2018-03-01T05:00:00Z"
    assert output["of"] == account.arn("scheduler", f"schedule/default/{name}")
    assert len(output["id"]) == 36


def test_a_schedule_starts_only_what_its_role_may(account: Account) -> None:
    target = machine(account, {"Done": {"Type": "Succeed"}})
    name = schedule(account, target, role(account, "scheduler", allow("sns:Publish")), {})
    with pytest.raises(ClientError, match=r"not authorized to perform: states:StartExecution"):
        account.scheduler.fire(name)


def test_its_role_must_trust_the_scheduler(account: Account) -> None:
    target = machine(account, {"Done": {"Type": "Succeed"}})
    name = schedule(account, target, role(account, "events", allow("states:StartExecution")), {})
    with pytest.raises(AwsError, match=r"its trust policy does not let scheduler\.amazonaws\.com in"):
        account.scheduler.fire(name)


def test_another_target_is_refused_in_a_sentence(account: Account) -> None:
    name = schedule(account, account.arn("sqs", "queue"), role(account, "scheduler"), {})
    with pytest.raises(AwsError, match=r"is not rehearsed on the local AWS; let the schedule start a state machine"):
        account.scheduler.fire(name)


def test_ministacks_clock_starts_it_too_but_not_while_the_calendar_is_set(account: Account) -> None:
    target = machine(account, {"Done": {"Type": "Succeed"}})
    name = schedule(account, target, role(account, "scheduler", allow("states:StartExecution")), {})
    states = account.client("stepfunctions")
    due = account.client("scheduler").get_schedule(Name=name)
    account.calendar.set(AT)
    account.scheduler.due(due)
    account.calendar.set(None)
    assert states.list_executions(stateMachineArn=target)["executions"] == []
    event = {"EventId": "x", "Source": "aws.scheduler", "DetailType": "Scheduled Event", "Detail": "{}", "Time": 0}
    account.emulator.events._invoke_target(due["Target"], event, due)
    eventually(lambda: states.list_executions(stateMachineArn=target)["executions"])


def job(stage: Stage, image: str) -> dict[str, Any]:
    """States that run a processing job, as the stacks' machines do."""
    name = "States.Format('watch-{}', States.Hash($$.Execution.Id, 'MD5'))"
    look = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeProcessingJob"}
    return {
        "Start": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:createProcessingJob",
            "Parameters": {
                "ProcessingJobName.$": name,
                "AppSpecification": {
                    "ImageUri": image,
                    "ContainerArguments.$": "States.Array('--at', $.at)",
                },
                "ProcessingResources": {
                    "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
                },
                "RoleArn": stage.role,
            },
            "ResultPath": None,
            "Next": "Look",
        },
        "Look": {**look, "Parameters": {"ProcessingJobName.$": name}, "ResultPath": "$.job", "Next": "Done"},
        "Done": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.job.ProcessingJobStatus", "StringEquals": "Completed", "Next": "Good"},
                {"Variable": "$.job.ProcessingJobStatus", "StringEquals": "InProgress", "Next": "Wait"},
            ],
            "Default": "Bad",
        },
        "Wait": {"Type": "Wait", "Seconds": 15, "Next": "Look"},
        "Good": {"Type": "Succeed"},
        "Bad": {"Type": "Fail", "ErrorPath": "$.job.ProcessingJobStatus", "CausePath": "$.job.FailureReason"},
    }


@pytest.mark.usefixtures("calendar")
def test_from_the_schedule_to_the_job_everybody_acts_under_a_role(account: Account, stage: Stage) -> None:
    states = job(stage, stage.image("watch", {"watch.py": 'import sys; print("told", *sys.argv[1:])'}))
    jobs = account.arn("sagemaker", "processing-job/watch-*")
    may = allow("sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob", resource=jobs)
    target = machine(account, states, may, allow("iam:PassRole", resource=stage.role))
    starting = role(account, "scheduler", allow("states:StartExecution", resource=target))
    name = schedule(account, target, starting, {"at": "<aws.scheduler.scheduled-time>"})

    run = ended(account, account.scheduler.fire(name))

    assert run["status"] == "SUCCEEDED", run.get("cause")
    made = json.loads(run["output"])["job"]["ProcessingJobName"]
    (stream,) = account.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=made
    )["logStreams"]
    (line,) = account.client("logs").get_log_events(
        logGroupName="/aws/sagemaker/ProcessingJobs", logStreamName=stream["logStreamName"], startFromHead=True
    )["events"]
    assert line["message"] == "told --at 2018-03-01T05:00:00Z"
    assert datetime.fromtimestamp(line["timestamp"] / 1000, UTC) == AT


@pytest.mark.usefixtures("calendar")
def test_a_machine_that_may_not_pass_the_jobs_role_starts_none(account: Account, stage: Stage) -> None:
    other = role(account, "sagemaker", PULL, LOGS)
    may = allow("sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob")
    target = machine(account, job(stage, stage.processor), may, allow("iam:PassRole", resource=other))
    starting = role(account, "scheduler", allow("states:StartExecution", resource=target))
    name = schedule(account, target, starting, {"at": "<aws.scheduler.scheduled-time>"})

    run = ended(account, account.scheduler.fire(name))

    assert run["status"] == "FAILED"
    assert "iam:PassRole" in run["cause"]

    def counted() -> list[dict[str, Any]]:
        return account.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/States",
            MetricName="ExecutionsFailed",
            Dimensions=[{"Name": "StateMachineArn", "Value": target}],
            StartTime=AT.replace(hour=4),
            EndTime=AT.replace(hour=6),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]

    assert eventually(counted)[0]["Sum"] == 1
