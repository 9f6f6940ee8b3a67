"""Endpoints scale by themselves, with a minute of one second."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from local_aws.account import Account
from tests.local_aws.delivery import eventually, unique
from tests.local_aws.sagemaker.stage import Stage

MINUTE_SECONDS = 1.0
TARGET = 600  # invocations per instance and minute: ten a second while a minute lasts one


@pytest.fixture
def hurried(account: Account) -> Iterator[Account]:
    before = account.settings
    account.settings = replace(before, minute_seconds=MINUTE_SECONDS)
    yield account
    account.settings = before


def registered(stage: Stage, name: str, lowest: int, highest: int) -> dict[str, str]:
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    client = stage.account.client("application-autoscaling")
    client.register_scalable_target(**target, MinCapacity=lowest, MaxCapacity=highest)
    return target


def test_to_register_a_variant_brings_it_within_its_bounds_and_says_so(hurried: Account) -> None:
    stage = Stage(hurried)
    name = stage.endpoint(stage.config(stage.variant(stage.model())))
    target = registered(stage, name, 2, 3)
    client = hurried.client("application-autoscaling")

    def last() -> dict[str, Any]:
        found = client.describe_scaling_activities(ServiceNamespace="sagemaker", ResourceId=target["ResourceId"])
        return next(iter(found["ScalingActivities"]), {})

    eventually(lambda: last().get("StatusCode") == "Successful")
    assert last()["Cause"] == "minimum capacity was set to 2"
    assert last()["StatusMessage"] == (
        "Successfully set desired instance count to 2. Change successfully fulfilled by sagemaker."
    )
    registered(stage, name, 1, 1)
    eventually(lambda: last().get("Cause") == "maximum capacity was set to 1" and last()["StatusCode"] == "Successful")
    assert stage.settled(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 1


def test_the_policies_of_a_target_go_with_it(hurried: Account) -> None:
    stage = Stage(hurried)
    target = registered(stage, stage.endpoint(stage.config(stage.variant(stage.model()))), 1, 1)
    client = hurried.client("application-autoscaling")
    tracking = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    client.put_scaling_policy(
        **target,
        PolicyName=unique("policy"),
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 1.0, "PredefinedMetricSpecification": tracking},
    )
    client.deregister_scalable_target(**target)

    found = client.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=target["ResourceId"])
    assert not found["ScalingPolicies"]


def test_a_variant_follows_its_invocations_within_its_bounds(hurried: Account) -> None:
    stage = Stage(hurried)
    name = stage.endpoint(stage.config(stage.variant(stage.model())))
    scaling = hurried.client("application-autoscaling")
    target = registered(stage, name, 1, 3)
    scaling.put_scaling_policy(
        **target,
        PolicyName=unique("policy"),
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": TARGET,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            "ScaleOutCooldown": 0,
            "ScaleInCooldown": 0,
        },
    )

    def instances() -> int:
        return stage.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"][0]["CurrentInstanceCount"]

    def busy() -> bool:
        for _ in range(30):
            stage.ask(name)
        return instances() == 3

    def calm() -> bool:
        stage.ask(name)
        time.sleep(0.3)
        return instances() == 1

    assert eventually(busy, 30)
    assert eventually(calm, 60)
    activities = scaling.describe_scaling_activities(ServiceNamespace="sagemaker", ResourceId=target["ResourceId"])
    said = [each["Description"] for each in activities["ScalingActivities"]]
    assert said[0] == "Setting desired instance count to 1."
    assert "Setting desired instance count to 3." in said
