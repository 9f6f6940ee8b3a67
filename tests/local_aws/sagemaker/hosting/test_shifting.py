"""Two fleets of real processes, with requests the whole time."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.delivery import allow, eventually, role, unique
from tests.local_aws.sagemaker.stage import DATA, LOGS, PULL, Stage

BAKE_SECONDS = 3
HALF = {"Type": "CAPACITY_PERCENT", "Value": 50}
CANARY = {"Type": "CANARY", "CanarySize": HALF, "WaitIntervalInSeconds": BAKE_SECONDS}


class Callers:
    """Requests at a steady rate, and which model answered each."""

    def __init__(self, stage: Stage, endpoint: str) -> None:
        self._stage, self._endpoint = stage, endpoint
        self.answers: list[tuple[float, str]] = []

    @contextmanager
    def calling(self) -> Iterator[Callers]:
        ended = threading.Event()
        threads = [threading.Thread(target=self._call, args=(ended,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def counted(self, since: float = 0, until: float = float("inf")) -> Counter[str]:
        return Counter(name for at, name in self.answers if since <= at < until)

    def _call(self, ended: threading.Event) -> None:
        while not ended.wait(0.04):
            try:
                name = self._stage.ask(self._endpoint)["model"]
            except ClientError as error:
                name = f"failed: {error.response['Error']['Code']}"
            self.answers.append((time.monotonic(), name))


@pytest.fixture
def fleet(stage: Stage) -> str:
    """An endpoint with two instances of the model "old"."""
    return stage.endpoint(stage.config(stage.variant(stage.model(name="old"), InitialInstanceCount=2)))


def update(stage: Stage, name: str, deployment: dict[str, Any], model: str = "new", **members: Any) -> str:
    config = stage.config(stage.variant(stage.model(name=model), InitialInstanceCount=2))
    stage.sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=config, DeploymentConfig=deployment, **members
    )
    return config


def alarm(stage: Stage, state: str = "OK") -> str:
    """An alarm on a metric that nobody publishes, so that it stays as it is set."""
    name = unique("alarm")
    cloudwatch = stage.account.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Nobody",
        MetricName="Nothing",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test says so")
    return name


def watched(routing: dict[str, Any], *alarms: str, **policy: Any) -> dict[str, Any]:
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **policy},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]},
    }


@pytest.fixture
def watching(stage: Stage) -> Iterator[None]:
    """The models' role may look at alarms."""
    before = stage.role
    stage.role = role(stage.account, "sagemaker", PULL, LOGS, DATA, allow("cloudwatch:DescribeAlarms"))
    yield
    stage.role = before


def test_a_canary_gets_its_share_then_all_and_no_request_fails(stage: Stage, fleet: str) -> None:
    with Callers(stage, fleet).calling() as callers:
        config = update(stage, fleet, {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": CANARY}})
        eventually(lambda: callers.counted()["new"])
        began = time.monotonic()
        during = stage.sagemaker.describe_endpoint(EndpointName=fleet)
        time.sleep(BAKE_SECONDS - 1)
        until = time.monotonic()
        settled = stage.settled(fleet)
        time.sleep(0.3)
        after = time.monotonic()
        time.sleep(0.5)

    canary = callers.counted(began, until)
    assert during["EndpointStatus"] == "Updating"
    assert during["PendingDeploymentSummary"]["EndpointConfigName"] == config
    assert 0.3 < canary["new"] / canary.total() < 0.7, canary
    assert settled["EndpointConfigName"] == config
    assert settled["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"] == CANARY
    assert callers.counted(after).keys() == {"new"}
    assert callers.counted().keys() == {"old", "new"}


@pytest.mark.usefixtures("watching")
def test_an_alarm_brings_the_old_fleet_back_and_cloudformation_would_not_notice(stage: Stage) -> None:
    name = stage.endpoint(stage.config(stage.variant(stage.model(name="old"), InitialInstanceCount=2)))
    before = stage.sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    watched_alarm = alarm(stage)
    with Callers(stage, name).calling() as callers:
        update(stage, name, watched(CANARY, watched_alarm))
        eventually(lambda: callers.counted()["new"])
        stage.account.client("cloudwatch").set_alarm_state(
            AlarmName=watched_alarm, StateValue="ALARM", StateReason="a test says so"
        )
        settled = stage.settled(name)
        after = time.monotonic()
        time.sleep(0.5)

    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", before)
    assert watched_alarm in settled["FailureReason"]
    assert callers.counted(after).keys() == {"old"}
    assert callers.counted().keys() == {"old", "new"}


@pytest.mark.usefixtures("watching")
@pytest.mark.parametrize("state", ["ALARM", "missing"])
def test_an_alarm_that_is_off_or_not_there_lets_no_request_through_to_the_new(stage: Stage, state: str) -> None:
    name = stage.endpoint(stage.config(stage.variant(stage.model(name="old"), InitialInstanceCount=2)))
    watched_alarm = unique("nowhere") if state == "missing" else alarm(stage, state)
    with Callers(stage, name).calling() as callers:
        update(stage, name, watched(CANARY, watched_alarm))
        settled = stage.settled(name)
        eventually(lambda: callers.counted().total() > 20)

    assert watched_alarm in settled["FailureReason"]
    assert callers.counted().keys() == {"old"}


def test_alarms_are_looked_at_under_the_role_of_the_model(stage: Stage, fleet: str) -> None:
    watched_alarm = alarm(stage)
    update(stage, fleet, watched(CANARY, watched_alarm))
    settled = stage.settled(fleet)
    assert "could not be described" in settled["FailureReason"]
    assert stage.ask(fleet)["model"] == "old"


def test_rolling_replaces_batch_by_batch_without_a_second_fleet(stage: Stage, fleet: str) -> None:
    most = 0
    policy = {"RollingUpdatePolicy": {"MaximumBatchSize": HALF, "WaitIntervalInSeconds": 1}}
    with Callers(stage, fleet).calling() as callers:
        update(stage, fleet, policy)
        endpoints: Any = stage.account.services["sagemaker"].endpoints  # pyrefly: ignore
        while stage.sagemaker.describe_endpoint(EndpointName=fleet)["EndpointStatus"] == "Updating":
            fleets = endpoints.deployments(fleet)
            most = max(most, sum(len(each.servers) for fleet in fleets for each in fleet.variants.values()))
        settled = stage.settled(fleet)

    assert settled["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert 2 <= most <= 3
    assert callers.counted().keys() == {"old", "new"}


@pytest.mark.usefixtures("watching")
def test_a_rolling_update_goes_back_by_starting_old_instances_again(stage: Stage) -> None:
    name = stage.endpoint(stage.config(stage.variant(stage.model(name="old"), InitialInstanceCount=2)))
    watched_alarm = alarm(stage)
    policy = {"RollingUpdatePolicy": {"MaximumBatchSize": HALF, "WaitIntervalInSeconds": 5}}
    with Callers(stage, name).calling() as callers:
        update(stage, name, policy | {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": watched_alarm}]}})
        eventually(lambda: callers.counted()["new"])
        stage.account.client("cloudwatch").set_alarm_state(
            AlarmName=watched_alarm, StateValue="ALARM", StateReason="a test says so"
        )
        settled = stage.settled(name)

    assert settled["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert watched_alarm in settled["FailureReason"]
    assert callers.counted().keys() == {"old", "new"}


@pytest.mark.usefixtures("watching")
def test_a_rolling_update_whose_old_instances_cannot_start_again_serves_with_a_mix(stage: Stage) -> None:
    model = stage.model(name="old")
    name = stage.endpoint(stage.config(stage.variant(model, InitialInstanceCount=2)))
    stage.sagemaker.delete_model(ModelName=model)
    watched_alarm = alarm(stage)
    policy = {"RollingUpdatePolicy": {"MaximumBatchSize": HALF, "WaitIntervalInSeconds": 2}}
    update(stage, name, policy | {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": watched_alarm}]}})
    endpoints: Any = stage.account.services["sagemaker"].endpoints  # pyrefly: ignore
    eventually(lambda: endpoints.live[name].running == 1)
    stage.account.client("cloudwatch").set_alarm_state(
        AlarmName=watched_alarm, StateValue="ALARM", StateReason="a test says so"
    )

    def failed() -> dict[str, Any] | None:
        described = stage.sagemaker.describe_endpoint(EndpointName=name)
        return described if described["EndpointStatus"] == "UpdateRollbackFailed" else None

    assert eventually(failed)["FailureReason"].startswith("Both the rolling deployment and the auto-rollback failed")
    assert {stage.ask(name)["model"] for _ in range(40)} == {"old", "new"}
    stage.sagemaker.delete_endpoint(EndpointName=name)


def test_a_server_that_is_killed_costs_the_requests_that_were_on_it_and_is_replaced(stage: Stage, fleet: str) -> None:
    endpoints: Any = stage.account.services["sagemaker"].endpoints  # pyrefly: ignore
    (variant,) = endpoints.live[fleet].variants.values()
    killed = variant.servers[0].process.pid
    with Callers(stage, fleet).calling() as callers:
        time.sleep(0.5)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: killed not in [server.process.pid for server in variant.servers])
        time.sleep(0.5)

    failed = sum(count for name, count in callers.counted().items() if name != "old")
    assert failed <= 4, callers.counted()  # as many as there are callers
    assert len([server for server in variant.servers if server.alive]) == 2


def test_the_instance_type_of_a_variant_under_scaling_cannot_change(stage: Stage, fleet: str) -> None:
    scaling = stage.account.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{fleet}/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=2, MaxCapacity=4)
    other = stage.config(stage.variant(stage.model(), InitialInstanceCount=2, InstanceType="ml.m5.xlarge"))

    with pytest.raises(ClientError, match="deregister it first"):
        stage.sagemaker.update_endpoint(EndpointName=fleet, EndpointConfigName=other)
    scaling.deregister_scalable_target(**target)
    stage.sagemaker.update_endpoint(EndpointName=fleet, EndpointConfigName=other)

    assert stage.settled(fleet)["EndpointConfigName"] == other
