"""What roles may and no call needs, or what a policy says in a wider form than the calls; each with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kept:
    """Actions (as a policy writes them) of roles (forms of paths) that stay although nothing needs them."""

    actions: tuple[str, ...]
    reason: str
    roles: tuple[str, ...]


_PIPELINES = ("greenlight-delivery/*/Pipeline/Role",)

KEPT: tuple[Kept, ...] = (
    Kept(
        ("s3:GetObject*", "s3:GetBucket*", "s3:List*"),
        "the CDK's form of a right to read a bucket; of these, GetObject, GetObjectVersion and ListBucket are used",
        _PIPELINES,
    ),
    Kept(
        ("s3:DeleteObject*", "s3:Abort*"),
        "the CDK's form of a right to write and delete; what is written in parts is given up with it",
        _PIPELINES,
    ),
    Kept(
        ("s3:PutObjectLegalHold", "s3:PutObjectRetention", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"),
        "the CDK's right to write holds them; the buckets have no object lock, and no policy asks for an object's tags",
        _PIPELINES,
    ),
    Kept(
        ("kms:DescribeKey", "kms:Encrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"),
        "the CDK's form of a right to use a key; S3 and SNS ask for GenerateDataKey and Decrypt",
        ("greenlight-delivery/*/Project/Role", *_PIPELINES),
    ),
    Kept(
        ("s3:DeleteObject",),
        "rows that waited in quarantine are deleted there once they are scored; only one of the shipped models has any",
        ("greenlight-*/*/Serving",),
    ),
    Kept(
        ("codebuild:StopBuild",),
        "the CDK gives it to a pipeline with the right to start a build",
        _PIPELINES,
    ),
    Kept(
        ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        "the CDK's right to push holds the one to pull; the local AWS has no layers of an earlier image to reuse",
        ("greenlight-delivery/Platform/Image/Project/Role",),
    ),
    Kept(
        ("sagemaker:DescribeModelPackageGroup",),
        "AWS does not say which calls a pipeline makes to register; it asks to create the group although there is one",
        ("greenlight-training-*/Runner/Role",),
    ),
    Kept(
        ("logs:FilterLogEvents",),
        "what a serverless model records is read from its log; only one of the teams has such a model",
        ("greenlight-watch-production/*/Watch",),
    ),
    Kept(
        ("cloudformation:DescribeStackEvents",),
        "says why a stack has failed; in the recorded life SageMaker goes back by itself before one does",
        ("greenlight-delivery/Release/Builds/Serve/Project/Role",),
    ),
)
