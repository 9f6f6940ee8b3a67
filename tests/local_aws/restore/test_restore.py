"""`make restore` on the local AWS: a person who may do what docs/backup.md says brings back what was lost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local_aws.account import Account
from tests.local_aws.restore.world import Person, World
from tests.local_aws.rollback.world import MODELS, number

pytestmark = pytest.mark.slow
MODEL = MODELS[0]


@pytest.fixture(scope="module")
def world(account: Account, assembly: Path) -> Iterator[World]:
    world = World(account, assembly, MODEL)
    yield world
    world.leave()


@pytest.fixture(scope="module")
def person(account: Account, world: World) -> Person:
    return Person(account, world)


@pytest.fixture
def packages(world: World) -> Iterator[list[str]]:
    """Three packages, the second of which was rejected; nothing else is registered."""
    found = [world.trained(name) for name in ("a", "b", "c")]
    world.sagemaker.update_model_package(
        ModelPackageArn=found[1], ModelApprovalStatus="Rejected", ApprovalDescription="worse on recent rows"
    )
    world.recorded(found[1], "Rejected")
    yield found
    world.forget()


def now() -> str:
    """The time that it is, apart from what is done before and after it."""
    time.sleep(1.1)
    said = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    time.sleep(1.1)
    return said


def test_a_model_that_was_lost_wholly_serves_again(world: World, person: Person, packages: list[str]) -> None:
    world.release(packages[2], "2026-01-01T00:00:00.000Z/c")
    assert world.answers(packages[2]) == [None]
    before, objects = world.packages(), {key: world.content(key) for key in world.keys(world.folder)}
    world.lose()
    versions = world.versions()

    shown = person.restore()
    assert shown.returncode == 1
    assert f"These come back: {len(objects) + 3} objects" in shown.stdout
    assert "3 packages" in shown.stdout
    assert f"Nothing is brought back yet. To go on: make restore MODEL={MODEL.name} CONFIRM=" in shown.stderr
    assert world.versions() == versions

    began = time.monotonic()
    done = person.restore(confirm=MODEL.name)
    took = time.monotonic() - began
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout, f"{took:.1f} s")
    assert {key: world.content(key) for key in world.keys(world.folder)} == objects
    head = world.s3.head_object(Bucket=world.artifacts, Key=next(iter(objects)))
    assert head["ContentType"] == "application/x-test"
    assert world.versions() > versions, "no version is ever deleted"
    after = world.packages()
    for name in ("ModelPackageDescription", "ModelApprovalStatus", "ModelMetrics", "InferenceSpecification"):
        assert [each[name] for each in after] == [each[name] for each in before]
    assert [each.get("ApprovalDescription") for each in after] == [None, "worse on recent rows", None]
    assert [each["CustomerMetadataProperties"]["restored_from"] for each in after] == packages

    release = f"name=PACKAGE,value={after[2]['ModelPackageArn']}"
    assert f"{world.stack} names {number(packages[2])}" in done.stdout
    assert release in done.stdout
    world.release(after[2]["ModelPackageArn"], "2026-01-02T00:00:00.000Z/again")
    assert world.runs() == after[2]["ModelPackageArn"]
    assert world.answers(after[2]["ModelPackageArn"]) == [None]
    print(f"{time.monotonic() - began:.1f} s until it serves")

    versions = world.versions()
    again = person.restore(confirm=MODEL.name)
    assert again.returncode == 0
    assert f"There is nothing to bring back of {MODEL.name}" in again.stdout
    assert release not in again.stdout
    assert len(world.packages()) == 3
    assert versions <= world.versions()

    world.lose()
    assert person.restore(confirm=MODEL.name).returncode == 0
    assert [each["CustomerMetadataProperties"]["restored_from"] for each in world.packages()] == packages, "once each"


def test_a_restore_that_was_interrupted_goes_on_where_it_was(
    account: Account, world: World, person: Person, packages: list[str]
) -> None:
    world.lose()
    stopped = Person(account, world, without="sagemaker:UpdateModelPackage").restore(confirm=MODEL.name)
    assert stopped.returncode == 1
    assert "AWS did not do it" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert len(world.packages()) == 2
    done = person.restore(confirm=MODEL.name)
    assert done.returncode == 0, done.stderr
    assert "0 objects (0 bytes), 1 package." in done.stdout
    assert [each["CustomerMetadataProperties"]["restored_from"] for each in world.packages()] == packages


def test_a_package_older_than_what_is_there_is_not_taken_for_the_newest(
    world: World, person: Person, packages: list[str]
) -> None:
    world.sagemaker.delete_model_package(ModelPackageName=packages[0])
    done = person.restore(confirm=MODEL.name)
    assert done.returncode == 0, done.stderr
    assert f"{number(packages[0])} as PendingManualApproval: it is older than what is there" in done.stdout
    back = world.packages()[-1]
    assert back["ModelApprovalStatus"] == "PendingManualApproval"
    assert back["CustomerMetadataProperties"]["restored_from"] == packages[0]


def test_objects_and_approvals_come_back_as_they_were_at_a_time(
    world: World, person: Person, packages: list[str]
) -> None:
    a, c = (f"{world.folder}runs/{name}/evaluation/evaluation.json" for name in ("a", "c"))
    rows = f"{MODEL.team}/{MODEL.data.prefix.strip('/')}/rows.csv"
    world.put(rows, "good", world.data)
    world.s3.delete_object(Bucket=world.artifacts, Key=c)
    then, good = now(), world.content(a)
    world.put(a, "{}")
    world.put(rows, "bad", world.data)
    world.put(f"{world.folder}later.json", "{}")
    world.sagemaker.update_model_package(ModelPackageArn=packages[0], ModelApprovalStatus="Rejected")
    world.recorded(packages[0], "Rejected")
    world.sagemaker.delete_model_package(ModelPackageName=packages[0])
    world.sagemaker.delete_model_package(ModelPackageName=packages[2])

    done = person.restore(at=then, confirm=MODEL.name)
    assert done.returncode == 0, done.stderr
    assert "2 objects" in done.stdout
    assert (world.content(a), world.content(rows, world.data)) == (good, b"good")
    assert c not in world.keys(world.folder), "it was deleted by then"
    assert f"{world.folder}later.json" in world.keys(world.folder)
    statuses = {each["ModelPackageDescription"]: each["ModelApprovalStatus"] for each in world.packages()}
    assert statuses == {"It is b.": "Rejected", "It is a.": "PendingManualApproval", "It is c.": "Approved"}
    again = person.restore(at=then, confirm=MODEL.name)
    assert "There is nothing to bring back" in again.stdout, again.stdout


def test_a_package_whose_model_is_gone_for_good_is_said_and_left_out(
    world: World, person: Person, packages: list[str]
) -> None:
    key = f"{world.folder}runs/b/package/model.tar.gz"
    for each in world.s3.list_object_versions(Bucket=world.artifacts, Prefix=key)["Versions"]:
        world.s3.delete_object(Bucket=world.artifacts, Key=key, VersionId=each["VersionId"])
    for package in packages:
        world.sagemaker.delete_model_package(ModelPackageName=package)
    done = person.restore(confirm=MODEL.name)
    assert done.returncode == 0, done.stderr
    assert f"not {number(packages[1])}: no version of s3://{world.artifacts}/{key} is kept any more" in done.stdout
    assert [each["ModelPackageDescription"] for each in world.packages()] == ["It is a.", "It is c."]


def test_what_cannot_be_brought_back_is_said(person: Person) -> None:
    later = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    for given, said in (
        ({"model": "nothing"}, "MODEL is 'nothing'"),
        ({"at": "yesterday"}, "AT is 'yesterday'; write a time with its zone, such as AT=2026-11-20T12:00:00Z"),
        ({"at": "2026-11-20T12:00:00"}, "write a time with its zone"),
        ({"at": later}, "which is in the future"),
        ({"at": "2020-01-01T00:00:00Z"}, "keeps versions that were deleted or overwritten for 90 days; take a time"),
    ):
        done = person.restore(**given)
        assert done.returncode == 1
        assert said in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_a_package_without_a_record_is_named(world: World, person: Person, packages: list[str]) -> None:
    for key in world.keys(world.records):
        if json.loads(world.content(key))["ModelPackageArn"] == packages[0]:
            for each in world.s3.list_object_versions(Bucket=world.artifacts, Prefix=key)["Versions"]:
                world.s3.delete_object(Bucket=world.artifacts, Key=key, VersionId=each["VersionId"])
    assert f"{number(packages[0])} is in the registry, and has no record of itself" in person.restore().stdout
