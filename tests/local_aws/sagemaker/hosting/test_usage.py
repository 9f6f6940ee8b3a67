from __future__ import annotations

from typing import Any

import pytest

from local_aws.sagemaker import SageMaker
from local_aws.sagemaker.hosting.usage import Usage
from tests.local_aws.sagemaker.stage import Stage


def ask_and_sample(stage: Stage, name: str, usage: Usage) -> list[dict[str, Any]]:
    for _ in range(50):
        stage.ask(name)
    return [datum for datum in usage.sample() if datum["Dimensions"][0]["Value"] == name]


def cpu(data: list[dict[str, Any]]) -> float:
    return sum(datum["Value"] for datum in data if datum["MetricName"] == "CPUUtilization")


@pytest.mark.timeout(60)
def test_the_use_of_each_instance_is_sampled(stage: Stage) -> None:
    name = stage.endpoint(stage.config(stage.variant(stage.model(), InitialInstanceCount=2)))
    service = stage.account.services["sagemaker"]
    assert isinstance(service, SageMaker)
    usage = Usage(stage.account, service._instances)

    usage.sample()
    data = ask_and_sample(stage, name, usage)
    while cpu(data) == 0:  # the kernel counts in hundredths of a second, and a small server needs less
        data = ask_and_sample(stage, name, usage)

    assert [datum["MetricName"] for datum in data] == ["CPUUtilization", "MemoryUtilization", "DiskUtilization"] * 2
    assert all(0 < datum["Value"] < 100 for datum in data if datum["MetricName"] != "CPUUtilization")
