"""Which instance types keep what they store on disks of their own, held against what EC2 says of each."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import botocore.session
import moto
import pytest

from config.instances import OWN_DISKS, has_own_disks

OF_JOBS = ("Training", "Processing", "Transform")
NOT_TOLD = {"dl1": True, "p2": False, "p3": False, "p6e-gb200": True}
"""Families that EC2's answer does not have (which moto keeps), and whether EC2's pages give them disks."""


def sagemaker_instances(*kinds: str) -> set[str]:
    """The instance types that botocore's description of SageMaker names for endpoints or jobs."""
    # botocore types every shape as the plainest one, which has no enum.
    service = botocore.session.get_session().get_service_model("sagemaker")
    return {name for kind in kinds for name in service.shape_for(f"{kind}InstanceType").enum}  # type: ignore[attr-defined]


ALL = sagemaker_instances("ProductionVariant", *OF_JOBS)


@pytest.fixture(scope="module")
def ec2() -> dict[str, Any]:
    """EC2's answer to DescribeInstanceTypes, by the type."""
    file = Path(moto.__file__).parent / "ec2/resources/instance_types.json.gz"
    return json.loads(gzip.decompress(file.read_bytes()))


def family(instance: str) -> str:
    return instance.split(".")[1]


def test_every_type_of_sagemaker_is_judged_as_ec2_describes_it(ec2: dict[str, Any]) -> None:
    told = {name for name in ALL if name.removeprefix("ml.") in ec2}
    assert len(told) > 200
    for name in told:
        described = ec2[name.removeprefix("ml.")]
        assert has_own_disks(name) is described["InstanceStorageSupported"], name
        if has_own_disks(name):
            assert described["InstanceStorageInfo"]["EncryptionSupport"] == "required", name
    for name in ALL - told:
        assert has_own_disks(name) is NOT_TOLD[family(name)], name


def test_no_family_is_named_that_sagemaker_does_not_have() -> None:
    assert {family(name) for name in ALL} >= OWN_DISKS


@pytest.mark.parametrize("instance", ["ml.c5d.large", "ml.m6id.xlarge", "ml.g4dn.xlarge", "ml.trn1.2xlarge"])
def test_disks_of_their_own_are_seen_also_in_families_to_come(instance: str) -> None:
    assert has_own_disks(instance)


@pytest.mark.parametrize("instance", ["ml.m5.large", "ml.c7i-flex.large", "ml.inf2.xlarge", "ml.t3.medium"])
def test_volumes_of_ebs_are_no_disks_of_their_own(instance: str) -> None:
    assert not has_own_disks(instance)
