"""Rights on a bucket's objects, as few as reading and writing take: the CDK's own grants hold a dozen more."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

READING = ("s3:GetObject", "kms:Decrypt")
WRITING = ("s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt")
"""A large object is written in parts, which are read again with the key when they are put together.

Nobody needs to give an upload up: the buckets' lifecycle does, a week later.
"""


def grant_get(bucket: s3.IBucket, grantee: iam.IGrantable, *forms: str) -> None:
    """Lets *grantee* get objects that are there, in the version that it is told: an artifact, for CodeBuild."""
    _grant(bucket, grantee, forms, (*READING, "s3:GetObjectVersion"))


def grant_read(bucket: s3.IBucket, grantee: iam.IGrantable, *forms: str) -> None:
    """Lets *grantee* read the objects whose keys have one of these forms (`team/*`), and see which there are.

    Without the right to list, S3 calls an object that is missing forbidden.
    """
    _grant(bucket, grantee, forms, READING)
    grantee.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket.bucket_arn])
    )


def grant_write(bucket: s3.IBucket, grantee: iam.IGrantable, *forms: str) -> None:
    """Lets *grantee* write objects whose keys have one of these forms."""
    _grant(bucket, grantee, forms, WRITING)


def grant_delete(bucket: s3.IBucket, grantee: iam.IGrantable, *forms: str) -> None:
    """Lets *grantee* delete objects whose keys have one of these forms; the bucket keeps their versions."""
    _grant(bucket, grantee, forms, ("s3:DeleteObject",))


def _grant(bucket: s3.IBucket, grantee: iam.IGrantable, forms: tuple[str, ...], actions: tuple[str, ...]) -> None:
    grants = s3.BucketGrants.from_bucket(bucket)
    for form in forms:
        grants.actions_on_object_keys(grantee, form, *actions)
