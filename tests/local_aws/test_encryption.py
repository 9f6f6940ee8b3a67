import json

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.delivery import allow, bucket, role

BUILDS = "codebuild.amazonaws.com"
OBJECTS = allow("s3:GetObject", "s3:PutObject")


def encrypted(account: Account, key: str | None) -> str:
    name = bucket(account)
    default = {"SSEAlgorithm": "aws:kms", **({"KMSMasterKeyID": key} if key else {})}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    account.client("s3").put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=rules)
    return name


def key_of(account: Account) -> str:
    """A key whose policy leaves the decision to the policies of the account's roles, as the CDK makes them."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return account.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]


def test_an_object_is_written_and_read_with_the_callers_right_to_the_key(account: Account) -> None:
    key = key_of(account)
    name = encrypted(account, key)
    both = role(account, "codebuild", OBJECTS, allow("kms:Decrypt", "kms:GenerateDataKey", resource=key))
    s3 = account.client("s3", both, service_principal=BUILDS)
    s3.put_object(Bucket=name, Key="k", Body=b"secret")
    assert s3.get_object(Bucket=name, Key="k")["Body"].read() == b"secret"


def test_without_the_key_nothing_is_written_or_read(account: Account) -> None:
    name = encrypted(account, key_of(account))
    account.client("s3").put_object(Bucket=name, Key="k", Body=b"secret")
    s3 = account.client("s3", role(account, "codebuild", OBJECTS), service_principal=BUILDS)
    with pytest.raises(ClientError, match="is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms"):
        s3.put_object(Bucket=name, Key="other", Body=b"")
    with pytest.raises(ClientError, match="is not authorized to perform: kms:Decrypt"):
        s3.get_object(Bucket=name, Key="k")
    assert s3.head_object(Bucket=name, Key="k")["ContentLength"] == 6


def test_awss_own_key_needs_no_permission(account: Account) -> None:
    name = encrypted(account, None)
    s3 = account.client("s3", role(account, "codebuild", OBJECTS), service_principal=BUILDS)
    s3.put_object(Bucket=name, Key="default", Body=b"1")
    s3.put_object(Bucket=name, Key="asked", Body=b"2", ServerSideEncryption="aws:kms")
    assert s3.get_object(Bucket=name, Key="asked")["ServerSideEncryption"] == "aws:kms"
    assert s3.get_object(Bucket=name, Key="default")["Body"].read() == b"1"
