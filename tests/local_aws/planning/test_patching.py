"""Train with IMAGE=newest: the same model in the newest image, registered under a role like that of the build."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests.local_aws.delivery import allow
from tests.local_aws.planning.world import World

TRAINED = "0123456789abcdef0123456789abcdef01234567"


def may(world: World) -> list[dict[str, Any]]:
    """Of the build's role what this needs."""
    packages = world.account.arn("sagemaker", f"model-package/{world.project}-*")
    groups = world.account.arn("sagemaker", f"model-package-group/{world.project}-*")
    return [
        allow("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages", resource=packages),
        allow("sagemaker:AddTags", "sagemaker:CreateModelPackage", resource=[packages, groups]),
        allow("ssm:GetParameter", resource=world.account.arn("ssm", f"parameter/{world.project}/images/*")),
        allow("s3:PutObject", resource=f"arn:aws:s3:::{world.artifacts}/*/code/*"),
    ]


def train(
    world: World, package: str, *statements: dict[str, Any], image: str = "newest"
) -> subprocess.CompletedProcess[str]:
    given = {"MODEL": "parcels", "PACKAGE": package, "IMAGE": image, "ARTIFACTS_BUCKET": world.artifacts}
    revision = {"REVISION": "v2", "REVISION_TYPE": "S3_OBJECT_VERSION_ID"}
    return world.run("stages.train", *(statements or may(world)), **given, **revision)


def registered(world: World, package: str, image: str = "newest") -> str:
    """The package that the stage leaves."""
    done = train(world, package, image=image)
    assert done.returncode == 0, done.stderr
    left = world.left()
    assert left["OUTCOME"] == "registered"
    assert left["STACK"] == world.names.stack("serving", "parcels")
    return left["PACKAGE"]


def described(world: World, package: str) -> dict[str, Any]:
    return world.sagemaker.describe_model_package(ModelPackageName=package)


@pytest.fixture
def package(world: World) -> str:
    world.add("parcels")
    return world.package("parcels", TRAINED, revision="v1", job_image="jobs@1")


def test_the_same_model_is_registered_with_the_newest_image_and_serves(world: World, package: str) -> None:
    world.note(world.images[1])
    made = registered(world, package)
    old, new = described(world, package), described(world, made)
    assert made != package
    (before,), (after,) = (each["InferenceSpecification"]["Containers"] for each in (old, new))
    assert (after["ModelDataUrl"], after["Image"]) == (before["ModelDataUrl"], world.images[1])
    for kept in ("ModelMetrics", "ModelPackageDescription", "ModelPackageGroupName"):
        assert new[kept] == old[kept]
    for kinds in ("SupportedContentTypes", "SupportedResponseMIMETypes"):
        assert new["InferenceSpecification"][kinds] == old["InferenceSpecification"][kinds]
    assert new["ModelApprovalStatus"] == "Approved"
    said = new["CustomerMetadataProperties"]
    assert said.pop("code").startswith(f"s3://{world.artifacts}/post/parcels/code/")
    assert said == {
        "commit": world.commit_of_head(),
        "trained_commit": TRAINED,
        "patched_from": package,
        "revision": "v2",
        "revision_type": "S3_OBJECT_VERSION_ID",
        "run": "run-1",
        "retraining": "none",
        "job_image": "jobs@1",
    }
    summary = world.left()["SUMMARY"]
    group = world.names.package_group("parcels")
    assert summary.startswith(f"{group} version 2 is the model of {group} version 1 in the image ")
    world.serve("parcels", made)


def test_a_stage_that_is_tried_again_registers_nothing_more(world: World, package: str) -> None:
    world.note(world.images[1])
    assert registered(world, package) == registered(world, package)


def test_a_patch_of_a_patch_still_says_what_it_was_trained_at(world: World, package: str) -> None:
    world.note(world.images[1])
    first = registered(world, package)
    world.note(world.images[0])
    second = described(world, registered(world, first))["CustomerMetadataProperties"]
    assert (second["patched_from"], second["trained_commit"]) == (first, TRAINED)


def test_a_package_that_has_the_newest_image_is_released_as_it_is(world: World, package: str) -> None:
    assert registered(world, package) == package
    assert world.left()["SUMMARY"].endswith("version 1 as it is: it has the newest image.")


def test_without_image_a_package_stays_as_it_is(world: World, package: str) -> None:
    world.note(world.images[1])
    assert registered(world, package, "none") == package


def test_a_role_without_the_right_to_register_fails_the_stage(world: World, package: str) -> None:
    world.note(world.images[1])
    statements = [each for each in may(world) if "sagemaker:CreateModelPackage" not in each["Action"]]
    done = train(world, package, *statements)
    assert done.returncode != 0
    assert "not authorized to perform: sagemaker:CreateModelPackage" in done.stderr


@pytest.mark.parametrize(
    ("image", "given", "said"),
    [
        ("latest", True, "IMAGE is 'latest'; write newest, or leave it out."),
        ("newest", False, "IMAGE is 'newest' without a PACKAGE: a model that is trained has the newest image anyway."),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    world: World, package: str, image: str, given: bool, said: str
) -> None:
    done = train(world, package if given else "none", image=image)
    assert done.returncode == 1
    assert done.stderr.strip() == said


def test_before_the_first_image_it_says_what_to_do(world: World, package: str) -> None:
    world.note("none")
    assert "No serving image has been built yet" in train(world, package).stderr
