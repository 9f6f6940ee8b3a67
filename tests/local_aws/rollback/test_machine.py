"""The way back on the local AWS: the project's own stacks under enforced permissions, with requests flowing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_aws.account import Account
from tests.local_aws.delivery import eventually
from tests.local_aws.rollback.world import MODELS, NAMES, PROJECT, Traffic, World, number

pytestmark = pytest.mark.slow
MODEL = MODELS[0]
FIRST, SECOND, THIRD = (f"2026-01-0{day}T10:00:00.000Z/release-{day}" for day in (1, 2, 3))


@pytest.fixture(scope="module")
def world(account: Account, assembly: Path) -> World:
    return World(account, assembly, MODEL)


@pytest.fixture(scope="module")
def packages(world: World) -> tuple[str, str]:
    """Two released packages; the second one runs."""
    old, new = world.package("old", commit="1" * 40), world.package("new", commit="2" * 40)
    world.release(old, FIRST)
    world.release(new, SECOND)
    return old, new


@pytest.fixture
def released(world: World, packages: tuple[str, str]) -> tuple[str, str]:
    """The second one runs, whatever the test before has left, and nobody was told anything yet."""
    for package in packages:
        world.sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    if world.runs() != packages[1] or world.parameters()["Release"] != SECOND:
        world.release(packages[1], SECOND)
    world.told()
    return packages


def failed(end: dict[str, Any]) -> str:
    assert end["status"] == "FAILED", end
    assert end["error"] == "NotRolledBack", end
    return end["cause"]


def test_it_goes_back_under_load_without_a_failed_request(world: World, released: tuple[str, str]) -> None:
    old, new = released
    with Traffic(world) as traffic:
        eventually(lambda: traffic.answers["new"] >= 5)
        began = time.monotonic()
        end = world.back(package=old, reason="It answers nonsense.")
        took = time.monotonic() - began
        before = traffic.answers["new"]
        eventually(lambda: traffic.answers["old"] >= 5)
    print(f"{took:.1f} s from the start to the end, {dict(traffic.answers)}")
    assert end["status"] == "SUCCEEDED", end
    assert json.loads(end["output"])["package"] == old
    assert traffic.failures == []
    assert traffic.answers["new"] == before, "the new one answers no more"
    assert world.runs() == old
    parameters = world.parameters()
    assert (parameters["Package"], parameters["Rollout"]) == (old, "at-once")
    time_, _, name = parameters["Release"].partition("/")
    assert time_ > SECOND
    assert time_.endswith("Z")
    assert len(time_) == len("2026-01-02T10:00:00.000Z")
    assert name == end["executionArn"].rpartition(":")[2]
    (told,) = eventually(world.told)
    assert (
        told == f"{world.endpoint} runs {number(old)} again; before it was {number(new)}. Reason: It answers nonsense."
    )


def test_without_a_package_it_takes_the_newest_approved_one_that_is_older(
    world: World, released: tuple[str, str]
) -> None:
    newer = world.package("newer")  # approved by the gate, and not released yet
    assert world.back()["status"] == "SUCCEEDED"
    assert world.runs() == released[0]
    world.sagemaker.delete_model_package(ModelPackageName=newer)


def test_what_runs_already_is_left_alone(world: World, released: tuple[str, str]) -> None:
    end = world.back(package=released[1])
    assert end["status"] == "SUCCEEDED", end
    assert world.parameters()["Release"] == SECOND
    assert world.told() == []


def test_a_package_that_may_not_serve_is_refused_and_the_team_is_told(world: World, released: tuple[str, str]) -> None:
    group = f"{PROJECT.name}-another"
    world.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    foreign = world.package("foreign", group=group)
    pending = world.package("pending", status="PendingManualApproval")
    said = failed(world.back(package=foreign))
    assert said == f"{number(foreign)} is of the group {group}; this model has the group {world.group}."
    assert world.told() == [said]
    said = failed(world.back(package=pending))
    assert said.startswith(f"{number(pending)} is PendingManualApproval in the registry, and only an Approved")
    said = failed(world.back(package=f"{released[0]}000"))
    assert said.startswith(f"DescribeModelPackage for {world.endpoint} failed: ")
    assert world.runs() == released[1]
    world.sagemaker.delete_model_package(ModelPackageName=pending)


def test_a_model_that_there_is_not_and_one_without_an_endpoint_are_told(
    world: World, released: tuple[str, str]
) -> None:
    said = failed(world.ended(world.start(model="nothing", package=released[0])))
    assert said.startswith("There is no model nothing in production; there are: ")
    said = failed(world.ended(world.start("staging", model=MODEL.name, package=released[0])))
    assert "does not exist" in said
    world.release_nothing("staging")
    said = failed(world.ended(world.start("staging", model=MODEL.name, package=released[0])))
    assert said.endswith("has no endpoint: no package was released to it yet, so there is no way back.")


def test_a_release_in_progress_is_waited_for(world: World, released: tuple[str, str]) -> None:
    old, _ = released
    third = world.package("third", ping_seconds=2)
    with Traffic(world) as traffic:
        release = world.account.background("a release", lambda: world.release(third, THIRD))
        eventually(lambda: world.stacks.status(world.stack) == "UPDATE_IN_PROGRESS")
        assert world.back(package=old)["status"] == "SUCCEEDED"
        eventually(lambda: traffic.answers["old"] >= 3)
    release.join()
    assert traffic.answers["third"] > 0, "the release has ended before"
    assert traffic.failures == []
    assert world.runs() == old
    world.sagemaker.delete_model_package(ModelPackageName=third)


def test_a_release_that_began_later_stays(world: World, released: tuple[str, str]) -> None:
    later = "2999-01-01T00:00:00.000Z/later"
    world.release(released[1], later)
    said = failed(world.back(package=released[0]))
    assert said.startswith(f"{later} has written the stack {world.stack} since this way back was asked for")
    assert world.runs() == released[1]


def test_rejecting_the_package_that_serves_brings_the_older_one_back(world: World, released: tuple[str, str]) -> None:
    old, new = released
    reject(world, new)
    eventually(lambda: world.runs() == old, 60)
    told = eventually(world.told, 60)
    assert told == [
        f"{world.endpoint} runs {number(old)} again; before it was {number(new)}. Reason: The package that served was "
        "rejected in the registry."
    ]


def test_rejecting_a_package_that_does_not_serve_changes_nothing(world: World, released: tuple[str, str]) -> None:
    (end,) = machine_after(world, lambda: reject(world, released[0]))
    assert end["status"] == "SUCCEEDED"
    assert world.runs() == released[1]
    assert world.told() == []


def test_rejecting_the_only_package_tells_people_that_it_still_runs(world: World, released: tuple[str, str]) -> None:
    reject(world, released[0])
    eventually(lambda: not running(world))
    ends = machine_after(world, lambda: reject(world, released[1]))
    assert "goes on running" in failed(ends[0])
    assert world.told() == [ends[0]["cause"]]
    assert world.runs() == released[1]


def test_rejecting_a_package_that_alarms_have_rolled_back_takes_the_stack_back_too(
    world: World, released: tuple[str, str]
) -> None:
    """CloudFormation says the new one, the endpoint runs the old one: batches would go on with the new one."""
    old, new = released
    config = config_of(world, old)
    world.sagemaker.update_endpoint(EndpointName=world.endpoint, EndpointConfigName=config)
    world.stage.settled(world.endpoint)
    assert (world.runs(), world.parameters()["Package"]) == (old, new)
    (end,) = machine_after(world, lambda: reject(world, new))
    assert end["status"] == "SUCCEEDED", end
    assert (world.runs(), world.parameters()["Package"]) == (old, old)


def test_its_role_may_update_serving_stacks_of_its_environment_and_no_others(account: Account, world: World) -> None:
    machine = world.states.describe_state_machine(
        stateMachineArn=account.arn("states", f"stateMachine:{NAMES.rollback('staging')}")
    )
    under = {"service_principal": "states.amazonaws.com", "source_arn": machine["stateMachineArn"]}
    acting = account.client("cloudformation", machine["roleArn"], **under)
    sagemaker = account.client("sagemaker", machine["roleArn"], **under)
    update = {"UsePreviousTemplate": True, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    for stack in (world.stack, NAMES.stack("production"), NAMES.stack("rollback", "staging")):
        with pytest.raises(Exception, match="not authorized"):
            acting.update_stack(StackName=stack, **update)
    with pytest.raises(Exception, match=r"No updates|does not exist"):
        acting.update_stack(StackName=NAMES.stack("serving", MODEL.name, "staging"), **update)
    with pytest.raises(Exception, match="not authorized"):
        acting.delete_stack(StackName=NAMES.stack("serving", MODEL.name, "staging"))
    with pytest.raises(Exception, match="not authorized"):
        sagemaker.update_endpoint(EndpointName=world.endpoint, EndpointConfigName="any")
    with pytest.raises(Exception, match="not authorized"):
        sagemaker.describe_endpoint(EndpointName=world.endpoint)


def reject(world: World, package: str) -> None:
    world.sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Rejected")


def executions(world: World) -> dict[str, dict[str, Any]]:
    machine = world.account.arn("states", f"stateMachine:{NAMES.rollback('production')}")
    return {each["executionArn"]: each for each in world.states.list_executions(stateMachineArn=machine)["executions"]}


def running(world: World) -> bool:
    return any(each["status"] == "RUNNING" for each in executions(world).values())


def machine_after(world: World, act: Callable[[], None]) -> list[dict[str, Any]]:
    """How the executions have ended that something has started."""
    before = executions(world)
    act()
    new = eventually(lambda: executions(world).keys() - before.keys())
    return [world.ended(execution) for execution in new]


def config_of(world: World, package: str) -> str:
    """An endpoint config, kept from before, of a package."""
    sagemaker = world.sagemaker
    for found in sagemaker.list_endpoint_configs(MaxResults=100)["EndpointConfigs"]:
        config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
        model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        if model["PrimaryContainer"].get("ModelPackageName") == package:
            return found["EndpointConfigName"]
    raise AssertionError(package)
