"""What comes back of a registry, in which order, and as what: decided from records and from what is there."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from pipelines.by_hand.restore.places import moment
from pipelines.by_hand.restore.records import FIRST, ROOT, Described, in_order
from pipelines.by_hand.restore.registry import PENDING, returns

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/shop-parcels"
SHAPE = (
    boto3.client("sagemaker", region_name="eu-west-1")
    .meta.service_model.operation_model("DescribeModelPackage")
    .output_shape
)


def package(
    version: int, created: Any, status: str = "Approved", *, of: int = 0, first: str = "", **more: Any
) -> Described:
    """A package as a record has it; *of* and *first* say of which it is a restored one."""
    metadata = {ROOT: f"{ARN}/{of}", FIRST: first} if of else {}
    record = {
        "ModelPackageArn": f"{ARN}/{version}",
        "CreationTime": created,
        "ModelApprovalStatus": status,
        "CustomerMetadataProperties": metadata,
        **more,
    }
    return Described.parse(json.dumps(record).encode(), SHAPE)


FIRST_DAY, SECOND_DAY = "2026-11-01T10:00:00.123Z", "2026-11-02T10:00:00.123Z"


def versions(found: list[Described]) -> list[str]:
    return [each.arn.rpartition("/")[2] for each in found]


def test_a_restored_package_is_the_one_that_it_was() -> None:
    old = package(1, FIRST_DAY)
    new = package(7, SECOND_DAY, of=1, first="2026-11-01T10:00:00Z")
    assert old.identity == new.identity
    assert versions(in_order([new, old])) == ["7"], "it is described as it was last"
    assert list(returns([old], [new])) == []


def test_a_group_that_counts_from_one_again_has_other_packages() -> None:
    old, new = package(1, FIRST_DAY), package(1, SECOND_DAY)
    assert len(in_order([old, new])) == 2
    (coming,) = returns([old, new], [new])
    assert coming.package is old


def test_packages_of_one_second_come_back_by_their_numbers() -> None:
    found = in_order(package(number, FIRST_DAY) for number in (10, 9, 2))
    assert versions(found) == ["2", "9", "10"]


@pytest.mark.parametrize(("status", "becomes"), [("Approved", PENDING), ("Rejected", "Rejected")])
def test_what_is_older_than_what_is_there_is_not_approved_by_coming_back(status: str, becomes: str) -> None:
    old, there = package(1, FIRST_DAY, status), package(2, SECOND_DAY)
    (coming,) = returns([old, there], [there])
    assert coming.status == becomes
    assert bool(coming.why) == (becomes != status)
    (alone,) = returns([old], [])
    assert alone.status == status


def test_times_are_texts_on_aws_and_numbers_on_the_local_aws() -> None:
    assert package(1, FIRST_DAY).first == package(1, 1793527200.123).first == "2026-11-01T10:00:00Z"


def test_names_are_those_of_the_api_whatever_case_step_functions_wrote() -> None:
    containers = [{"Image": "i", "ModelDataUrl": "s3://b/k", "ModelDataEtag": "e", "Unknown": 1}]
    kinds = {"SupportedResponseMimeTypes": ["text/csv"]}
    found = package(1, FIRST_DAY, InferenceSpecification={"Containers": containers, **kinds})
    assert found.description["InferenceSpecification"] == {
        "Containers": [{"Image": "i", "ModelDataUrl": "s3://b/k", "ModelDataETag": "e"}],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    assert found.model_data == ["s3://b/k"]


@pytest.mark.parametrize("record", [b"", b"[]", b"{}"])
def test_what_is_no_record_is_refused(record: bytes) -> None:
    with pytest.raises(ValueError, match=r"ModelPackageArn|Expecting value"):
        Described.parse(record, SHAPE)


@pytest.mark.parametrize("text", ["yesterday", "2026-11-20", "2026-11-20T12:00:00", "2999-01-01T00:00:00Z"])
def test_a_time_is_one_with_a_zone_that_has_been(text: str) -> None:
    with pytest.raises(SystemExit, match=f"AT is .?{text}"):
        moment(text)
    assert moment("") is None
