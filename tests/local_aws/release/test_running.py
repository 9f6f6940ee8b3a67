"""What an endpoint runs is read from SageMaker."""

from __future__ import annotations

from pipelines.stages.running import Running
from tests.local_aws.release.world import World


def test_an_endpoint_that_is_not_there_runs_nothing(world: World) -> None:
    assert Running.describe(world.stage.sagemaker, world.endpoint("production")) is None


def test_an_endpoint_whose_model_is_of_no_package_runs_none(world: World) -> None:
    endpoint = world.stage.endpoint(world.stage.config(world.stage.variant(world.stage.model())))
    found = Running.describe(world.stage.sagemaker, endpoint)
    assert found
    assert found.package(world.stage.sagemaker) is None
    assert found.instances == {"AllTraffic": "ml.c7i.large"}


def test_an_endpoint_whose_config_was_deleted_is_still_described(world: World) -> None:
    config = world.stage.config(world.stage.variant(world.stage.model()))
    endpoint = world.stage.endpoint(config)
    world.stage.sagemaker.delete_endpoint_config(EndpointConfigName=config)
    found = Running.describe(world.stage.sagemaker, endpoint)
    assert found
    assert (found.config, found.instances, found.package(world.stage.sagemaker)) == (config, {}, None)
