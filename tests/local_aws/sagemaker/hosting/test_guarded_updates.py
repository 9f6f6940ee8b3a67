"""Updates that alarms guard, on the metrics of real requests, with a minute of one second."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.delivery import allow, eventually, queue, role, unique
from tests.local_aws.sagemaker.stage import DATA, LOGS, PULL, Stage

HALF = {"Type": "CAPACITY_PERCENT", "Value": 50}
CANARY = {"Type": "CANARY", "CanarySize": HALF, "WaitIntervalInSeconds": 600}
CALLERS, PAUSE_SECONDS = 2, 0.04


@pytest.fixture
def hurried(account: Account) -> Iterator[Stage]:
    """A stage whose minutes last a second, and whose models' role may look at alarms."""
    before = account.settings
    account.settings = replace(before, minute_seconds=1)
    stage = Stage(account)
    stage.role = role(account, "sagemaker", PULL, LOGS, DATA, allow("cloudwatch:DescribeAlarms"))
    yield stage
    account.settings = before


def pair(stage: Stage, **content: Any) -> dict[str, Any]:
    return stage.variant(stage.model(**content), InitialInstanceCount=2)


@contextmanager
def calling(stage: Stage, endpoint: str) -> Iterator[None]:
    ended = threading.Event()

    def call() -> None:
        while not ended.wait(PAUSE_SECONDS):
            with suppress(ClientError):
                stage.ask(endpoint)

    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def watch_errors(stage: Stage, endpoint: str) -> str:
    """An alarm of one failed request in a hundred, for two minutes."""
    name = unique("errors")
    stage.account.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        Threshold=0.01,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    return name


def update(stage: Stage, endpoint: str, variant: dict[str, Any], deployment: dict[str, Any], **members: Any) -> str:
    config = stage.config(variant)
    stage.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=config, DeploymentConfig=deployment, **members
    )
    return config


def blue_green(routing: dict[str, Any], *alarms: str, **policy: Any) -> dict[str, Any]:
    guarded = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]}} if alarms else {}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **policy}, **guarded}


def rule_for(stage: Stage, endpoint: str) -> str:
    """A queue that gets the steps of the endpoint's deployments."""
    url, arn = queue(stage.account)
    events = stage.account.client("events")
    pattern = {"detail-type": ["SageMaker Endpoint Deployment State Change"], "detail": {"EndpointName": [endpoint]}}
    events.put_rule(Name=endpoint, EventPattern=json.dumps({"source": ["aws.sagemaker"], **pattern}))
    events.put_targets(Rule=endpoint, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def stages_told(stage: Stage, url: str) -> list[str]:
    """What the pending variants were at, by the messages in a queue."""
    sqs, found = stage.account.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            pending = json.loads(message["Body"])["detail"].get("PendingDeploymentSummary", {})
            found += [
                each["StatusMessage"]
                for variant in pending.get("ProductionVariants", [])
                for each in variant.get("VariantStatus", [])
            ]
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_a_canary_that_fails_is_seen_by_its_alarm_and_taken_back(hurried: Stage) -> None:
    name = hurried.endpoint(hurried.config(pair(hurried, name="old")))
    before = hurried.sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    url, errors, statuses, pending = rule_for(hurried, name), watch_errors(hurried, name), [], []
    with calling(hurried, name):
        bad = update(hurried, name, pair(hurried, answers=500), blue_green(CANARY, errors))
        while not statuses or statuses[-1] != "InService":
            found = hurried.sagemaker.describe_endpoint(EndpointName=name)
            if not statuses or statuses[-1] != found["EndpointStatus"]:
                statuses.append(found["EndpointStatus"])
            pending.append(found.get("PendingDeploymentSummary"))
        traffic = hurried.account.services["sagemaker"].endpoints.traffic(name)  # pyrefly: ignore
        time.sleep(0.5)
        later = hurried.account.services["sagemaker"].endpoints.traffic(name)  # pyrefly: ignore

    assert statuses == ["Updating", "RollingBack", "InService"]
    assert found["EndpointConfigName"] == before
    said = rf"alarms in state ALARM: {errors} \(since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ\)"
    assert re.search(said, found["FailureReason"])
    assert traffic[bad][0] == traffic[bad][1] > 0
    assert traffic[before][1] == 0
    assert later[bad] == traffic[bad]
    assert later[before][0] > traffic[before][0]
    (baking, *_) = [each["ProductionVariants"][0] for each in pending if each and "Baking" in str(each)]
    assert (baking["CurrentInstanceCount"], baking["DesiredInstanceCount"]) == (2, 2)
    told = eventually(lambda: stages_told(hurried, url))
    assert "Launching 2 instance(s)." in told
    assert "Activating traffic on canary capacity of 1 instance(s)." in told
    assert (
        "Baking for 600 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s)."
        in told
    )


def test_the_old_fleet_stays_for_the_termination_wait_and_alarms_still_bring_it_back(hurried: Stage) -> None:
    name = hurried.endpoint(hurried.config(pair(hurried, name="old")))
    errors = watch_errors(hurried, name)
    at_once = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    with calling(hurried, name):
        update(hurried, name, pair(hurried, answers=500), blue_green(at_once, errors, TerminationWaitInSeconds=600))
        found = hurried.settled(name)

    assert errors in found["FailureReason"]
    assert hurried.ask(name)["model"] == "old"


def test_a_rolling_update_may_change_the_size_of_the_fleet(hurried: Stage) -> None:
    name = hurried.endpoint(hurried.config(pair(hurried, name="old")))
    policy = {"RollingUpdatePolicy": {"MaximumBatchSize": HALF, "WaitIntervalInSeconds": 30}}
    with calling(hurried, name):
        config = update(hurried, name, {**pair(hurried, name="new"), "InitialInstanceCount": 4}, policy)
        found = hurried.settled(name)

    traffic = hurried.account.services["sagemaker"].endpoints.traffic(name)  # pyrefly: ignore
    assert found["EndpointConfigName"] == config
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 4
    assert [failed for _, failed in traffic.values()] == [0, 0]


def test_a_request_that_the_old_fleet_is_answering_is_answered_after_the_update(hurried: Stage) -> None:
    name = hurried.endpoint(hurried.config(pair(hurried, name="old")))
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(hurried.ask(name, "sleep 2")))
    asking.start()
    eventually(lambda: _busy(hurried, name))

    update(hurried, name, pair(hurried, name="new"), blue_green({"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}))
    eventually(lambda: hurried.ask(name)["model"] == "new")
    assert not answers
    asking.join()

    assert answers[0]["model"] == "old"


def _busy(stage: Stage, name: str) -> bool:
    (fleet,) = stage.account.services["sagemaker"].endpoints.deployments(name)  # pyrefly: ignore
    return any(variant.busy for variant in fleet.variants.values())


def test_an_update_that_takes_too_long_goes_back(hurried: Stage) -> None:
    name = hurried.endpoint(hurried.config(pair(hurried, name="old")))
    hurried.account.settings = replace(hurried.account.settings, minute_seconds=0.02)  # 600 seconds are 0.2
    routing = {**CANARY, "WaitIntervalInSeconds": 0}
    timed = blue_green(routing, watch_errors(hurried, name), MaximumExecutionTimeoutInSeconds=600)
    update(hurried, name, pair(hurried, ping_seconds=0.5), timed)

    assert "longer than MaximumExecutionTimeoutInSeconds" in hurried.settled(name)["FailureReason"]
    assert hurried.ask(name)["model"] == "old"


def test_while_an_endpoint_updates_it_can_neither_be_updated_nor_deleted(hurried: Stage) -> None:
    name = hurried.endpoint(hurried.config(pair(hurried)))
    config = update(hurried, name, pair(hurried), blue_green({**CANARY, "WaitIntervalInSeconds": 60}))

    for call in (
        lambda: hurried.sagemaker.delete_endpoint(EndpointName=name),
        lambda: hurried.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config),
    ):
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            call()
    assert hurried.settled(name)["EndpointConfigName"] == config


def test_a_guarded_update_keeps_the_names_of_the_variants(hurried: Stage) -> None:
    name = hurried.endpoint(hurried.config(pair(hurried)))

    with pytest.raises(ClientError, match="they must have the same names") as error:
        update(hurried, name, {**pair(hurried), "VariantName": "Other"}, blue_green(CANARY))

    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_the_last_deployment_config_and_what_is_captured_are_retained(hurried: Stage) -> None:
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 50,
        "DestinationS3Uri": f"s3://{hurried.bucket}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    name = hurried.endpoint(hurried.config(pair(hurried), DataCaptureConfig=capture))
    canary = blue_green({**CANARY, "WaitIntervalInSeconds": 0})
    update(hurried, name, pair(hurried), canary, RetainAllVariantProperties=True)
    retained = hurried.settled(name)
    excluded = [{"VariantPropertyType": "DataCaptureConfig"}]
    hurried.sagemaker.update_endpoint(
        EndpointName=name,
        EndpointConfigName=hurried.config(pair(hurried)),
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=excluded,
        RetainDeploymentConfig=True,
    )
    replaced = hurried.settled(name)

    assert retained["DataCaptureConfig"]["CurrentSamplingPercentage"] == 50
    assert "DataCaptureConfig" not in replaced
    assert replaced["LastDeploymentConfig"] == retained["LastDeploymentConfig"] == canary


def test_an_endpoint_that_has_failed_can_only_be_deleted(hurried: Stage) -> None:
    name = hurried.endpoint(hurried.config(hurried.variant(hurried.model(ends=True))))

    with pytest.raises(ClientError, match="Cannot update"):
        hurried.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=hurried.config(pair(hurried)))
    hurried.sagemaker.delete_endpoint(EndpointName=name)


def test_the_scaling_of_an_endpoint_goes_with_it(hurried: Stage) -> None:
    name = hurried.endpoint(hurried.config(hurried.variant(hurried.model())))
    scaling = hurried.account.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=1)
    hurried.sagemaker.delete_endpoint(EndpointName=name)

    def targets() -> list[str]:
        found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        return [each["ResourceId"] for each in found]

    eventually(lambda: target["ResourceId"] not in targets())
