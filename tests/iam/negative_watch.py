"""Questions that must be answered no: what the watch may do."""

from __future__ import annotations

from tests.iam.question import Question as May
from tests.iam.roles import EVENT_BUS, MODEL, MODELS, OF_WATCH, READ, THEIR_MODEL, WRITE

TEAM = "aws:ResourceTag/team"

WATCH = (
    May(
        "the watch of {team} deletes records",
        OF_WATCH,
        ("s3:DeleteObject", "s3:DeleteObjectVersion"),
        ("records/capture/{team}/a", "records/watch/{team}/a", "records/labels/{team}/a"),
        environments=("production",),
    ),
    May(
        "the watch of {team} reads the records of {other}",
        OF_WATCH,
        READ,
        "records/capture/{other}/a",
        environments=("production",),
    ),
    May(
        "the watch of {team} writes labels",
        OF_WATCH,
        "s3:PutObject",
        "records/labels/{team}/a",
        environments=("production",),
    ),
    May("the watch of {team} changes training data", OF_WATCH, WRITE, ("data/{team}/a.csv", "data/{other}/a.csv")),
    May("the watch of {team} changes a model", OF_WATCH, WRITE, (MODEL, THEIR_MODEL)),
    May(
        "the watch of {team} calls endpoints",
        OF_WATCH,
        "sagemaker:InvokeEndpoint",
        "sagemaker:endpoint/greenlight-{model}-production",
    ),
    May(
        "the watch of {team} registers or approves packages",
        OF_WATCH,
        ("sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"),
        "sagemaker:model-package/greenlight-{model}/2",
    ),
    May(
        "the watch of {team} starts a release by itself",
        OF_WATCH,
        "codepipeline:StartPipelineExecution",
        "at:greenlight-delivery/Release/Pipeline",
    ),
    May(
        "the watch of {team} speaks for AWS or others",
        OF_WATCH,
        "events:PutEvents",
        EVENT_BUS,
        {"events:source": "other.watch"},
    ),
    May(
        "the watch of {team} writes metrics of others",
        OF_WATCH,
        "cloudwatch:PutMetricData",
        "*",
        {"cloudwatch:namespace": "other"},
    ),
    May(
        "the watch of {team} reads the logs of {other}",
        OF_WATCH,
        "logs:FilterLogEvents",
        "logs:log-group:/aws/sagemaker/Endpoints/greenlight-{their_model}-production",
        {TEAM: "{other}"},
    ),
    May(
        "the watch of {team} reads logs that nobody has marked",
        OF_WATCH,
        "logs:FilterLogEvents",
        "logs:log-group:/aws/sagemaker/Endpoints/greenlight-{model}-production",
    ),
    May(
        "the watch of {team} looks at endpoints or packages of {other}",
        OF_WATCH,
        (
            "sagemaker:DescribeEndpoint",
            "sagemaker:DescribeEndpointConfig",
            "sagemaker:DescribeModel",
            "sagemaker:DescribeModelPackage",
        ),
        (
            "sagemaker:endpoint/greenlight-{their_model}-production",
            "sagemaker:model-package/greenlight-{their_model}/1",
            *MODELS,
        ),
        {TEAM: "{other}"},
    ),
    May(
        "the watch of {team} marks what it may look at",
        OF_WATCH,
        ("logs:TagResource", "sagemaker:AddTags"),
        (
            "logs:log-group:/aws/sagemaker/Endpoints/greenlight-{their_model}-production",
            "sagemaker:endpoint/greenlight-{their_model}-production",
        ),
    ),
    May(
        "the watch of {team} reads where models of {other} are",
        OF_WATCH,
        "ssm:GetParametersByPath",
        ("ssm:parameter/greenlight/production/models/{other}", "ssm:parameter/greenlight/production/models/{other}/a"),
    ),
    May(
        "the judging of {team} runs jobs as {other}",
        "greenlight-watch-production/Judging-{team}/Machine/Role",
        "iam:PassRole",
        ("role:greenlight-watch-production/{other}/Watch", "role:greenlight-production/*/Serving"),
    ),
    May(
        "the judging of {team} starts jobs of {other}",
        "greenlight-watch-production/Judging-{team}/Machine/Role",
        ("sagemaker:CreateProcessingJob", "sagemaker:CreateTrainingJob"),
        ("sagemaker:processing-job/greenlight-watch-{other}-1", "sagemaker:training-job/pipelines-1"),
    ),
    May(
        "the watch of {team} reads labels, tables, data or models of {other}",
        OF_WATCH,
        READ,
        ("records/labels/{other}/a", "records/watch/{other}/a", "data/{other}/a.csv", THEIR_MODEL),
        environments=("production",),
    ),
    May(
        "the watch of {team} writes records, tables or data of {other}",
        OF_WATCH,
        WRITE,
        ("records/capture/{other}/a", "records/watch/{other}/a", "data/{other}/{their_folder}/recorded/a.csv"),
        environments=("production",),
    ),
    May(
        "the watch of {team} in production reads or writes the records of staging",
        OF_WATCH,
        ("s3:ListBucket", *READ, *WRITE),
        tuple(
            f"at:greenlight-staging/Records{key}"
            for key in ("", "//capture/{team}/a", "//labels/{team}/a", "//watch/{team}/a")
        ),
    ),
    May(
        "the watch of {team} in production decrypts with the key of staging",
        OF_WATCH,
        "kms:Decrypt",
        "key:greenlight-staging",
    ),
)
