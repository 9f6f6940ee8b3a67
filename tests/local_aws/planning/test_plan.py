"""Plan on real commits, against what production runs and the registry knows, under a role like its own."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.delivery import allow
from tests.local_aws.planning.world import World

NONE = "none"


def plan(world: World, execution: str = "one", *may: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    allowed = (
        allow("states:StartExecution", resource=world.wave),
        allow("sns:Publish", resource=world.topic),
        allow("sagemaker:DescribeEndpoint", resource=world.account.arn("sagemaker", f"endpoint/{world.project}-*")),
        allow("sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel"),
        allow(
            "sagemaker:DescribeModelPackage",
            "sagemaker:ListModelPackages",
            resource=world.account.arn("sagemaker", f"model-package/{world.project}-*"),
        ),
        allow("ssm:GetParameter", resource=world.account.arn("ssm", f"parameter/{world.project}/images/*")),
        allow("cloudformation:ListStacks"),
    )
    given = {"EXECUTION": execution, "REVISION": "v1", "REVISION_TYPE": "S3_OBJECT_VERSION_ID"}
    return world.run("stages.plan", *(may or allowed), **given, WAVE=world.wave, TOPIC=world.topic)


def planned(world: World, execution: str = "one") -> list[dict[str, str]]:
    """The releases of the wave that Plan starts; nothing where it starts none."""
    before = len(world.waves())
    done = plan(world, execution)
    assert done.returncode == 0, done.stderr
    started = world.waves()[before:]
    return started[0]["releases"] if started else []


def test_a_model_without_a_package_is_trained_and_the_wave_knows_the_revision(world: World) -> None:
    world.add("parcels")
    done = plan(world)
    assert done.returncode == 0, done.stderr
    release = {"model": "parcels", "reason": "It has no package yet.", "package": NONE, "image": NONE}
    assert world.waves() == [{"releases": [release], "revision": "v1", "revision_type": "S3_OBJECT_VERSION_ID"}]
    assert world.left() == {"SUMMARY": "1 of 1 models to release: parcels."}


def test_the_same_stage_tried_again_starts_no_second_wave(world: World) -> None:
    world.add("parcels")
    assert planned(world, "one")
    world.add("letters")  # so that the second plan is another one
    assert planned(world, "one") == []
    assert [each["model"] for each in planned(world, "two")] == ["letters", "parcels"]


def test_what_production_runs_decides_and_not_the_newest_package(world: World) -> None:
    old = world.add("parcels")
    world.serve("parcels", world.package("parcels", old))
    world.write("model_code/parcels/train.py", "first")
    new = world.commit()
    (release,) = planned(world, "one")
    assert (release["package"], release["image"]) == (NONE, NONE)
    assert release["reason"] == f"model_code/parcels/train.py changed since its package of commit {old[:8]}."
    package = world.package("parcels", new)  # it waits for somebody's approval
    done = plan(world, "two")
    assert (done.returncode, len(world.waves())) == (0, 1), done.stderr
    assert f"start the release pipeline with PACKAGE={package}" in done.stdout
    assert world.left()["SUMMARY"].endswith("waits to come to production, or was taken back: parcels.")
    world.write("model_code/parcels/train.py", "second")
    world.commit()
    (release,) = planned(world, "three")
    assert release["package"] == NONE
    (world.root / "model_code/parcels/train.py").unlink()
    world.commit()
    assert planned(world, "four") == [], "it is what production runs"


def test_a_commit_that_changes_no_model_starts_nothing(world: World) -> None:
    commit = world.add("parcels")
    world.serve("parcels", world.package("parcels", commit))
    world.write("README.md", "words")
    world.commit()
    done = plan(world)
    assert done.returncode == 0, done.stderr
    assert world.waves() == []
    assert world.left()["SUMMARY"] == "0 of 1 models to release: none."
    assert "parcels: Not affected" in done.stdout


def test_only_the_models_that_a_commit_changes_are_released(world: World) -> None:
    for name in ("letters", "parcels"):
        commit = world.add(name)
    for name in ("letters", "parcels"):
        world.package(name, commit)  # nothing is in production yet: the newest approved one counts
    world.write("model_code/letters/train.py", "changed")
    world.commit()
    assert [each["model"] for each in planned(world)] == ["letters"]


def test_a_newer_image_alone_is_released_without_training(world: World) -> None:
    commit = world.add("parcels")
    package = world.package("parcels", commit)
    world.serve("parcels", package)
    world.package("parcels", commit, retraining="2026-03-abc")  # a retraining that somebody has stopped
    world.note(world.images[1])
    (release,) = planned(world)
    assert (release["package"], release["image"]) == (package, "newest")
    assert world.left()["SUMMARY"] == "1 of 1 models to release: parcels (image only)."
    world.package("parcels", commit, image=world.images[1], patched_from=package, trained_commit=commit)
    assert planned(world, "two") == [], "the release of it waits for an approval"


def test_what_was_trained_at_this_commit_gets_a_newer_image_without_training_again(world: World) -> None:
    old = world.add("parcels")
    world.serve("parcels", world.package("parcels", old))
    world.write("model_code/parcels/train.py", "changed")
    package = world.package("parcels", world.commit())
    world.note(world.images[1])
    (release,) = planned(world)
    assert (release["package"], release["image"]) == (package, "newest")


def test_a_patched_package_is_compared_by_the_commit_that_it_was_trained_at(world: World) -> None:
    trained = world.add("parcels")
    world.write("model_code/parcels/train.py", "changed")
    patched_at = world.commit()
    world.serve("parcels", world.package("parcels", patched_at, trained_commit=trained))
    (release,) = planned(world)
    assert f"commit {trained[:8]}" in release["reason"]


@pytest.mark.parametrize("image", [0, 1])
def test_a_rejected_package_is_not_made_again_of_the_same_files(world: World, image: int) -> None:
    old = world.add("parcels")
    world.serve("parcels", world.package("parcels", old))
    world.write("model_code/parcels/train.py", "changed")
    world.package("parcels", world.commit(), status="Rejected")
    world.note(world.images[image])
    assert planned(world) == []


def test_of_a_model_whose_folder_is_gone_people_are_told_and_nothing_is_deleted(world: World) -> None:
    world.add("parcels")
    world.add("old_letters")
    stacks = Stacks(world.account)
    names = [
        world.names.stack("training", "old_letters"),
        world.names.stack("serving", "old_letters", "staging"),
        world.names.stack("training", "parcels"),
        world.names.stack("tooling"),
    ]
    for name in names:
        stacks.deploy(name, {"Topic": {"Type": "AWS::SNS::Topic"}})
    (world.root / "model_code/old_letters/model.yaml").unlink()
    world.write("model_code/old_letters/__pycache__/train.pyc", "what Python leaves")
    world.commit()
    assert [each["model"] for each in planned(world)] == ["parcels"]
    summary = world.left()["SUMMARY"]
    assert "The folder of old-letters is gone, and the stacks are still there." in summary
    told = world.told()
    assert told["Subject"] == "The stacks of old-letters are left over"
    assert "make teardown MODEL=old-letters" in told["Message"]
    assert f"{names[1]}, {names[0]}" in told["Message"]
    assert "parcels" not in told["Message"]
    assert all(stacks.status(name) == "CREATE_COMPLETE" for name in names)


def test_without_the_right_to_start_the_wave_the_stage_fails(world: World) -> None:
    world.add("parcels")
    done = plan(world, "one", allow("sagemaker:*", "ssm:GetParameter", "cloudformation:ListStacks"))
    assert done.returncode != 0
    assert "states:StartExecution" in done.stderr
