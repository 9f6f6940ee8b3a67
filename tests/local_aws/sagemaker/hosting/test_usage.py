from __future__ import annotations

from local_aws.sagemaker import SageMaker
from local_aws.sagemaker.hosting.usage import Usage
from tests.local_aws.sagemaker.stage import Stage


def test_the_use_of_each_instance_is_sampled(stage: Stage) -> None:
    name = stage.endpoint(stage.config(stage.variant(stage.model(), InitialInstanceCount=2)))
    service = stage.account.services["sagemaker"]
    assert isinstance(service, SageMaker)
    usage = Usage(stage.account, service._instances)

    usage.sample()
    for _ in range(50):
        stage.ask(name)
    data = [datum for datum in usage.sample() if datum["Dimensions"][0]["Value"] == name]

    assert [datum["MetricName"] for datum in data] == ["CPUUtilization", "MemoryUtilization", "DiskUtilization"] * 2
    assert sum(datum["Value"] for datum in data if datum["MetricName"] == "CPUUtilization") > 0
    assert all(0 < datum["Value"] < 100 for datum in data if datum["MetricName"] != "CPUUtilization")
