"""Questions that must be answered no: what one team's batches may do."""

from __future__ import annotations

from tests.iam.question import Question as May
from tests.iam.roles import BATCH, READ, SERVING

BATCHES = (
    May("endpoints of {team} in {environment} read batches of {other}", SERVING, READ, "records/batch/{other}/a"),
    May(
        "batches of {team} in {environment} run jobs as {other}",
        BATCH,
        "iam:PassRole",
        "role:greenlight-{environment}/{other}/Serving",
    ),
    May(
        "batches of {team} in {environment} run jobs as in {elsewhere}",
        BATCH,
        "iam:PassRole",
        "role:greenlight-{elsewhere}/{team}/Serving",
    ),
    May(
        "batches of {team} in {environment} stop or start jobs of {other}",
        BATCH,
        ("sagemaker:CreateTransformJob", "sagemaker:StopTransformJob"),
        "sagemaker:transform-job/greenlight-{their_model}-{environment}-score-1",
    ),
    May(
        "batches of {team} in {environment} list the records",
        BATCH,
        "s3:ListBucket",
        "records",
        {"s3:prefix": "capture/{team}/"},
    ),
    May(
        "batches of {team} in {environment} start processing of {other} or of {elsewhere}",
        BATCH,
        "sagemaker:CreateProcessingJob",
        tuple(
            f"sagemaker:processing-job/greenlight-{whose}-{step}-1"
            for whose in ("{their_model}-{environment}", "{model}-{elsewhere}")
            for step in ("screen", "reconcile")
        ),
    ),
    May(
        "batches of {team} in {environment} start scoring as in {elsewhere}",
        BATCH,
        "sagemaker:CreateTransformJob",
        "sagemaker:transform-job/greenlight-{model}-{elsewhere}-score-1",
    ),
    May(
        "batches of {team} in {environment} look at endpoints or packages of others",
        BATCH,
        ("sagemaker:DescribeEndpoint", "sagemaker:DescribeModelPackage"),
        (
            "sagemaker:endpoint/greenlight-{their_model}-{environment}",
            "sagemaker:endpoint/greenlight-{model}-{elsewhere}",
            "sagemaker:model-package/greenlight-{their_model}/1",
        ),
    ),
    May(
        "batches of {team} in {environment} list batches of {elsewhere}",
        BATCH,
        "s3:ListBucket",
        "at:greenlight-{elsewhere}/Records",
        {"s3:prefix": "batch/{team}/{folder}/a"},
    ),
    May(
        "a new endpoint of {team} in {environment} starts batches of {other} or of {elsewhere}",
        "greenlight-serving-{model}-{environment}/Live/Batch/Machine/EventsRole",
        "states:StartExecution",
        (
            "at:greenlight-serving-{their_model}-{environment}/Live/Batch/Machine",
            "at:greenlight-serving-{model}-{elsewhere}/Live/Batch/Machine",
        ),
    ),
)
