"""Questions that must be answered no: what one team's endpoints, jobs and pipelines may do."""

from __future__ import annotations

from tests.iam.question import Question as May
from tests.iam.roles import BY_AWS, JOB, MODEL, PIPELINE, READ, SERVING, SIGNED, SIGNING_KEY, THEIR_MODEL, WRITE

EVERY_JOB = "greenlight-tooling/*/Job"

TEAMS = (
    May("endpoints of {team} in {environment} read the training data of {other}", SERVING, READ, "data/{other}/a.csv"),
    May("endpoints of {team} in {environment} read any training data", SERVING, READ, "data/{team}/a.csv"),
    May("endpoints of {team} in {environment} read the models of {other}", SERVING, READ, THEIR_MODEL),
    May("endpoints of {team} in {environment} change the models that they serve", SERVING, WRITE, MODEL),
    May("endpoints of {team} in {environment} read the records of {other}", SERVING, READ, "records/capture/{other}/a"),
    May("endpoints of {team} in {environment} write records of {other}", SERVING, WRITE, "records/capture/{other}/a"),
    May(
        "endpoints of {team} in {environment} delete their own records",
        SERVING,
        ("s3:DeleteObject", "s3:DeleteObjectVersion"),
        "records/capture/{team}/a",
    ),
    May(
        "endpoints of {team} in {environment} read or write the records of {elsewhere}",
        SERVING,
        ("s3:ListBucket", *READ, *WRITE),
        tuple(f"at:greenlight-{{elsewhere}}/Records{key}" for key in ("", "//capture/{team}/a", "//batch/{team}/a")),
    ),
    May(
        "endpoints of {team} in {environment} decrypt with the key of {elsewhere}",
        SERVING,
        "kms:Decrypt",
        "key:greenlight-{elsewhere}",
    ),
    May(
        "endpoints of {team} in {environment} pass on a key of {elsewhere} or of tooling, even to AWS",
        SERVING,
        "kms:CreateGrant",
        ("key:greenlight-{elsewhere}", "key:greenlight-tooling", SIGNING_KEY),
        BY_AWS,
    ),
    May(
        "jobs of {team} pass on a key of {environment} or one that signs, even to AWS",
        JOB,
        "kms:CreateGrant",
        ("key:greenlight-{environment}", SIGNING_KEY),
        BY_AWS,
    ),
    May(
        "endpoints of {team} in {environment} call other endpoints",
        SERVING,
        "sagemaker:InvokeEndpoint",
        "sagemaker:endpoint/*",
    ),
    May("anybody but jobs signs a package", "greenlight-*", "kms:Sign", SIGNING_KEY, SIGNED, but=(EVERY_JOB,)),
    May(
        "jobs of {team} sign what is no digest",
        JOB,
        "kms:Sign",
        SIGNING_KEY,
        {"kms:MessageType": "RAW", "kms:SigningAlgorithm": "ECDSA_SHA_256"},
    ),
    May(
        "jobs of {team} change a signing key",
        JOB,
        ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:CreateGrant"),
        SIGNING_KEY,
    ),
    May("jobs of {team} read the training data of {other}", JOB, READ, "data/{other}/a.csv"),
    May("jobs of {team} change the training data", JOB, WRITE, ("data/{team}/a.csv", "data/{other}/a.csv")),
    May("jobs of {team} read or write the models of {other}", JOB, (*READ, *WRITE), THEIR_MODEL),
    May("jobs of {team} read the records of {environment}", JOB, READ, "records/capture/{team}/a"),
    May(
        "jobs of {team} register or approve a package",
        JOB,
        ("sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"),
        "sagemaker:model-package/greenlight-{model}/2",
    ),
    May(
        "jobs of {team} change their pipeline", JOB, "sagemaker:UpdatePipeline", "sagemaker:pipeline/greenlight-{model}"
    ),
    May(
        "jobs of {team} start a pipeline",
        JOB,
        "sagemaker:StartPipelineExecution",
        "sagemaker:pipeline/greenlight-{model}",
    ),
    May(
        "jobs of {team} start a release",
        JOB,
        "codepipeline:StartPipelineExecution",
        "at:greenlight-delivery/Release/Pipeline",
    ),
    May(
        "jobs of {team} change their own rights",
        JOB,
        (
            "iam:PutRolePolicy",
            "iam:AttachRolePolicy",
            "iam:UpdateAssumeRolePolicy",
            "iam:DeleteRolePermissionsBoundary",
        ),
        f"role:{JOB}",
    ),
    May("jobs of {team} push an image", JOB, ("ecr:PutImage", "ecr:BatchDeleteImage"), "images"),
    May("pipelines of {team} run jobs as {other}", PIPELINE, "iam:PassRole", "role:greenlight-tooling/{other}/Job"),
    May(
        "pipelines of {team} run jobs as an endpoint, a build or themselves",
        PIPELINE,
        "iam:PassRole",
        ("role:greenlight-*/*/Serving", "role:greenlight-delivery/*", f"role:{PIPELINE}"),
    ),
    May(
        "pipelines of {team} change themselves",
        PIPELINE,
        "sagemaker:UpdatePipeline",
        "sagemaker:pipeline/greenlight-{model}",
    ),
    May(
        "pipelines of {team} approve a package",
        PIPELINE,
        "sagemaker:UpdateModelPackage",
        "sagemaker:model-package/greenlight-{model}/2",
    ),
    May(
        "pipelines of {team} register a package of {other}",
        PIPELINE,
        "sagemaker:CreateModelPackage",
        "sagemaker:model-package/greenlight-{their_model}/2",
    ),
    May(
        "pipelines of {team} register a package of another model",
        PIPELINE,
        ("sagemaker:CreateModelPackage", "sagemaker:CreateModelPackageGroup"),
        ("sagemaker:model-package/greenlight-{model}-2/1", "sagemaker:model-package-group/greenlight-{model}-2"),
    ),
    May(
        "pipelines of {team} read the models of {other}, or other models of {team}",
        PIPELINE,
        READ,
        (THEIR_MODEL, "artifacts/{team}/{folder}_2/run-1/model.tar.gz"),
    ),
    May(
        "pipelines of {team} start jobs of other names",
        PIPELINE,
        "sagemaker:CreateTrainingJob",
        "sagemaker:training-job/other",
    ),
)
