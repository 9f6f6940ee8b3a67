"""Names of one run become those of every run, and keep what policies decide by."""

from __future__ import annotations

import pytest

from local_aws.permissions.plain import Plain

ACCOUNT, REGION = "123456789012", "us-east-1"
PLAIN = Plain(
    {"one-data-1a2b3c4d5e6f7": "one/Data", "one-data": "one/Less", "0f0e0d0c-0000-4000-8000-0123456789ab": "one/Key"},
    ACCOUNT,
    REGION,
)


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("*", "*"),
        ("arn:aws:s3:::one-data-1a2b3c4d5e6f7/labour/2016/a.csv", "arn:aws:s3:::<one/Data>/labour/N/a.csv"),
        (
            "arn:aws:kms:us-east-1:123456789012:key/0f0e0d0c-0000-4000-8000-0123456789ab",
            "arn:aws:kms:{region}:{account}:key/<one/Key>",
        ),
        (
            "arn:aws:iam::123456789012:role/cdk-hnb659fds-deploy-role-123456789012-us-east-1",
            "arn:aws:iam::{account}:role/cdk-hnb659fds-deploy-role-{account}-{region}",
        ),
        (
            "arn:aws:sagemaker:us-east-1:123456789012:training-job/pipelines-a1b2c3d4e5f6-Train-Ab3dE5gH7j",
            "arn:aws:sagemaker:{region}:{account}:training-job/pipelines-ID-Train-ID",
        ),
        (
            "arn:aws:sagemaker:us-east-1:123456789012:model-package/one-model/17",
            "arn:aws:sagemaker:{region}:{account}:model-package/one-model/1",
        ),
        (
            "arn:aws:s3:::one-data-1a2b3c4d5e6f7/one-release/Source/aB3dE5g",
            "arn:aws:s3:::<one/Data>/one-release/Source/ID",
        ),
        (
            "arn:aws:s3:::one-data-1a2b3c4d5e6f7/labour/m/runs/abcdef123456/package/model.tar.gz",
            "arn:aws:s3:::<one/Data>/labour/m/runs/ID/package/model.tar.gz",
        ),
    ],
)
def test_a_resource_loses_what_is_random_and_nothing_else(arn: str, expected: str) -> None:
    assert PLAIN.resource(arn) == expected


def test_a_value_keeps_its_words() -> None:
    assert PLAIN.text("sagemaker.amazonaws.com") == "sagemaker.amazonaws.com"
    assert PLAIN.text("batch/labour/in/2016-01/") == "batch/labour/in/N-N/"


def test_two_runs_read_the_same() -> None:
    other = Plain({"one-data-7f6e5d4c3b2a1": "one/Data"}, "210987654321", "eu-west-1")
    one = PLAIN.resource("arn:aws:s3:::one-data-1a2b3c4d5e6f7/labour/runs/a1b2c3d4e5f6/x")
    assert other.resource("arn:aws:s3:::one-data-7f6e5d4c3b2a1/labour/runs/f6e5d4c3b2a1/x") == one
