"""Confirm: production runs the released package, or people hear which one it runs; then what is left is deleted."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from config.naming import Names
from pipelines.by_hand.destroy import _delete_earlier_versions
from pipelines.stages import confirm
from pipelines.stages.sweeping import same, tagged_configs, tagged_models
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.delivery import allow
from tests.local_aws.release.test_serve import released
from tests.local_aws.release.world import World

MAY = (
    allow(
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeModel",
        "sagemaker:DescribeModelPackage",
        "sagemaker:InvokeEndpoint",
        "sagemaker:ListEndpointConfigs",
        "sagemaker:ListModels",
        "sagemaker:ListTags",
    ),
    allow("sagemaker:DeleteEndpointConfig", "sagemaker:DeleteModel")
    | {"Condition": {"StringLike": {"aws:ResourceTag/endpoint": "*"}}},
    allow("cloudformation:DescribeStacks", "cloudformation:ListStackResources"),
    allow("s3:GetObject", "sns:Publish"),
)


def run(world: World, monkeypatch: pytest.MonkeyPatch, package: str, *may: dict[str, Any]) -> str:
    """Runs the program for a package; what it has left in SUMMARY."""
    here = world.here(*(may or MAY))
    monkeypatch.setattr(confirm, "Surroundings", lambda: here)
    given = {"MODEL": world.model, "PACKAGE": package, "ENVIRONMENT": "production", "EXECUTION": "one"}
    for name, value in {**given, "TOPIC": world.topic}.items():
        monkeypatch.setenv(name, value)
    confirm.main()
    return (world.root / "stage.env").read_text()


def serving(world: World) -> str:
    """The ARN of the package that serves."""
    found = confirm.Running.describe(world.stage.sagemaker, world.endpoint("production"))
    package = found.package(world.stage.sagemaker) if found else None
    assert package
    return package.arn


def left(world: World) -> tuple[int, int]:
    """Configs and models that say that they are of production's endpoint."""

    def ours(owner: str) -> bool:
        return owner == world.endpoint("production")

    sagemaker = world.stage.sagemaker
    return len([*tagged_configs(sagemaker, ours)]), len([*tagged_models(sagemaker, ours)])


def test_what_earlier_releases_left_is_deleted_and_what_serves_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        released(world)
    assert left(world) == (3, 3)
    package = serving(world)
    summary = run(world, monkeypatch, package)
    assert f"{world.endpoint('production')} runs {world.group} version 3 and gives its golden answers." in summary
    assert "2 earlier configs and 2 earlier models are deleted." in summary
    assert left(world) == (1, 1)
    assert serving(world) == package
    assert "0 earlier configs and 0 earlier models are deleted." in run(world, monkeypatch, package)


def test_what_an_update_has_just_made_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    released(world)
    tags = [{"Key": Names.ENDPOINT_TAG, "Value": world.endpoint("production")}]
    config = world.stage.config(world.stage.variant(world.stage.model()), Tags=tags)
    run(world, monkeypatch, serving(world))
    assert world.stage.sagemaker.describe_endpoint_config(EndpointConfigName=config)


def test_a_silent_rollback_fails_and_people_hear_what_serves(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    released(world)
    good = serving(world)
    bad = world.package(ends=True)
    world.account.client("cloudformation").update_stack(
        StackName=world.names.stack("serving", world.model, "production"),
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": "Package", "ParameterValue": bad},
            {"ParameterKey": "Release", "UsePreviousValue": True},
            {"ParameterKey": "Rollout", "UsePreviousValue": True},
        ],
    )
    settled(world)
    with pytest.raises(SystemExit) as stopped:
        run(world, monkeypatch, bad)
    said = str(stopped.value)
    assert f"runs {good}, not the released {bad}." in said
    assert said.endswith(f"{world.group} version 1 serves now; the endpoint is InService.")
    told = world.told()
    assert told["Subject"] == f"{world.endpoint('production')} does not run the release of {world.group} version 2"
    assert said in told["Message"]
    assert serving(world) == good


def settled(world: World) -> None:
    Stacks(world.account).settled(world.names.stack("serving", world.model, "production"))


def test_a_rollback_to_another_config_of_the_same_package_is_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    released(world)
    package = serving(world)
    model = world.stage.sagemaker
    (variant,) = confirm.Running.describe(model, world.endpoint("production")).variants  # type: ignore[union-attr]
    same_machine = {name: variant[name] for name in ("InstanceType", "InitialInstanceCount")}
    other = world.stage.config(world.stage.variant(variant["ModelName"], **same_machine))
    model.update_endpoint(EndpointName=world.endpoint("production"), EndpointConfigName=other)
    world.stage.settled(world.endpoint("production"))
    with pytest.raises(SystemExit, match=f"but with the config {other} of an earlier release: SageMaker has rolled"):
        run(world, monkeypatch, package)


def test_wrong_answers_fail(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    released(world)
    package = serving(world)
    found = world.stage.sagemaker.describe_model_package(ModelPackageName=package)
    uri = found["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    world.stage.put(uri.split("/", 3)[3], world.archive(answer="2.0\n5.0\n"))
    with pytest.raises(SystemExit, match=r"olden request 1 \(text/csv\) is not answered as stored"):
        run(world, monkeypatch, package)


def test_without_a_permission_to_delete_nothing_is_deleted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    released(world)
    released(world)
    less = [statement for statement in MAY if "sagemaker:DeleteModel" not in statement["Action"]]
    with pytest.raises(ClientError, match="sagemaker:DeleteEndpointConfig"):
        run(world, monkeypatch, serving(world), *less)
    assert left(world) == (2, 2)


def test_destroying_a_project_finds_them_by_the_same_tags(world: World) -> None:
    released(world)
    released(world)
    _delete_earlier_versions(world.stage.sagemaker, world.names.project)
    assert left(world) == (0, 0)


def test_a_name_and_an_arn_in_small_letters_are_the_same() -> None:
    assert same("arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/config-abc", "Config-aBc")
    assert not same("Config-aBc", "Config-aBd")
