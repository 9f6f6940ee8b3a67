from __future__ import annotations

from typing import Any

import pytest

from local_aws.errors import AwsError
from local_aws.sagemaker.hosting.rollout import rollout


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def blue_green(kind: str, **members: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": 300, **members}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 60}}


def rolling(value: int) -> dict[str, Any]:
    return {"RollingUpdatePolicy": {"MaximumBatchSize": percent(value), "WaitIntervalInSeconds": 300}}


@pytest.mark.parametrize(
    ("deployment", "instances", "shares"),
    [
        (None, 3, [1]),
        (blue_green("ALL_AT_ONCE"), 3, [1]),
        (blue_green("CANARY", CanarySize=percent(10)), 2, [0.5, 1]),
        (blue_green("CANARY", CanarySize=percent(30)), 10, [0.3, 1]),
        (blue_green("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 1}), 4, [0.25, 1]),
        (blue_green("LINEAR", LinearStepSize=percent(25)), 8, [0.25, 0.5, 0.75, 1]),
        (blue_green("LINEAR", LinearStepSize=percent(40)), 5, [0.4, 0.8, 1]),
        (rolling(50), 3, [2 / 3, 1]),
        (rolling(10), 4, [0.25, 0.5, 0.75, 1]),
    ],
)
def test_traffic_shifts_by_whole_instances(deployment: dict[str, Any] | None, instances: int, shares: Any) -> None:
    found = rollout(deployment, instances)
    assert [found.share(step) for step in found.steps] == pytest.approx(shares)


def test_times_and_alarms_are_the_configurations() -> None:
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "one"}, {"AlarmName": "two"}]}}
    found = rollout({**blue_green("ALL_AT_ONCE"), **alarms}, 1)
    assert (found.bake, found.keep, found.alarms) == (300, 60, ("one", "two"))


def test_a_rolling_update_shares_by_the_instances_of_both_sizes() -> None:
    growing, shrinking = rollout(rolling(50), 4), rollout(rolling(50), 2)
    assert [growing.remaining(step, 2) for step in growing.steps] == [1, 0]
    assert [growing.share(step, 2) for step in growing.steps] == pytest.approx([2 / 3, 1])
    assert [shrinking.remaining(step, 4) for step in shrinking.steps] == [2, 0]


def test_a_rolling_update_goes_back_at_once_or_in_batches() -> None:
    assert rollout(rolling(50), 4).back == 4
    policy = {**rolling(50)["RollingUpdatePolicy"], "RollbackMaximumBatchSize": percent(25)}
    assert rollout({"RollingUpdatePolicy": policy}, 4).back == 1


def test_a_timeout_that_ends_before_the_waiting_is_refused() -> None:
    policy = blue_green("ALL_AT_ONCE")["BlueGreenUpdatePolicy"]
    with pytest.raises(AwsError, match="larger than all waiting, which is 660 seconds"):
        rollout(
            {
                "BlueGreenUpdatePolicy": {
                    **policy,
                    "TerminationWaitInSeconds": 360,
                    "MaximumExecutionTimeoutInSeconds": 600,
                }
            },
            1,
        )


@pytest.mark.parametrize(
    ("deployment", "instances", "why"),
    [
        (blue_green("CANARY", CanarySize=percent(10)), 1, "of at least two"),
        (blue_green("CANARY", CanarySize=percent(60)), 10, "between 0% and 50%"),
        (blue_green("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 3}), 4, "between 0% and 50%"),
        (blue_green("CANARY"), 4, "CanarySize is needed"),
        (blue_green("LINEAR", LinearStepSize=percent(5)), 10, "between 10% and 50%"),
        (rolling(2), 10, "between 5% and 50%"),
        (rolling(50), 1, "of at least two"),
        ({**rolling(50), **blue_green("ALL_AT_ONCE")}, 2, "not both"),
    ],
)
def test_what_sagemaker_refuses_is_refused(deployment: dict[str, Any], instances: int, why: str) -> None:
    with pytest.raises(AwsError, match=why) as error:
        rollout(deployment, instances)
    assert error.value.code == "ValidationException"


def test_rolling_needs_one_variant_with_instances() -> None:
    with pytest.raises(AwsError, match="one variant with instances"):
        rollout(rolling(50), 2, plain=False)
