"""Questions that must be answered yes: without these calls nothing is trained, released, served or watched."""

from __future__ import annotations

from tests.iam.negative_strangers import TOPIC, USE_KEY
from tests.iam.question import OURS
from tests.iam.question import Question as May
from tests.iam.roles import (
    ASSUME,
    BACK,
    BUILDS,
    CONFIRM,
    DECIDE,
    DELETE_MODELS,
    DEPLOY,
    EVENT_BUS,
    IMAGE,
    JOB,
    MODEL,
    MODELS,
    OF_WATCH,
    PIPELINE,
    PLAN,
    RELEASE_PIPELINE,
    RETRAINING,
    SERVE,
    SERVING,
    STACK,
    TRAIN,
    VERIFY,
    WAVE,
)

WITHIN = {"aws:SourceAccount": OURS}
AS_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}
ARTIFACTS_KEY = "key:greenlight-tooling"
PRODUCTION = ("production",)

NEEDED = (
    May("endpoints of {team} in {environment} load their models", SERVING, "s3:GetObject", MODEL),
    May("endpoints of {team} in {environment} decrypt them", SERVING, "kms:Decrypt", ARTIFACTS_KEY),
    May("endpoints of {team} in {environment} write records", SERVING, "s3:PutObject", "records/capture/{team}/a"),
    May(
        "endpoints of {team} in {environment} encrypt records",
        SERVING,
        "kms:GenerateDataKey",
        "key:greenlight-{environment}",
    ),
    May(
        "endpoints of {team} in {environment} pull their image",
        SERVING,
        ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        "images",
    ),
    May(
        "endpoints of {team} in {environment} log in to the image repository", SERVING, "ecr:GetAuthorizationToken", "*"
    ),
    May(
        "a roll-out of {team} in {environment} looks at its alarms",
        SERVING,
        "cloudwatch:DescribeAlarms",
        "cloudwatch:alarm:greenlight-{model}-{environment}-errors",
    ),
    May("batches of {team} in {environment} are written", SERVING, "s3:PutObject", "records/batch/{team}/{folder}/a"),
    May(
        "batches of {team} in {environment} run jobs as their team",
        "greenlight-serving-{model}-{environment}/Live/Batch/Machine/Role",
        "iam:PassRole",
        "role:greenlight-{environment}/{team}/Serving",
        AS_SAGEMAKER,
    ),
    May(
        "SageMaker serves as {team} in {environment}",
        "service:sagemaker.amazonaws.com",
        ASSUME,
        f"role:{SERVING}",
        WITHIN,
    ),
    May("jobs of {team} read their training data", JOB, "s3:GetObject", "data/{team}/a.csv"),
    May("jobs of {team} write their models", JOB, "s3:PutObject", MODEL),
    May(
        "pipelines of {team} start training",
        PIPELINE,
        "sagemaker:CreateTrainingJob",
        "sagemaker:training-job/pipelines-a",
    ),
    May("pipelines of {team} run jobs as their team", PIPELINE, "iam:PassRole", f"role:{JOB}", AS_SAGEMAKER),
    May(
        "pipelines of {team} register their packages",
        PIPELINE,
        "sagemaker:CreateModelPackage",
        "sagemaker:model-package/greenlight-{model}/2",
    ),
    May(
        "Train starts the training of {team}",
        TRAIN,
        "sagemaker:StartPipelineExecution",
        "sagemaker:pipeline/greenlight-{model}",
    ),
    May("Serve and Deploy deploy", (SERVE, DEPLOY), ASSUME, ("cdk:deploy-role", "cdk:file-publishing-role")),
    May("Serve asks who approved", SERVE, "codepipeline:ListActionExecutions", RELEASE_PIPELINE),
    May(
        "Verify calls the endpoint of {team} in staging",
        VERIFY,
        "sagemaker:InvokeEndpoint",
        "sagemaker:endpoint/greenlight-{model}-staging",
    ),
    May("Verify keeps its report on {team}", VERIFY, "s3:PutObject", "artifacts/{team}/releases/a.html"),
    May("Decide tells what changes", DECIDE, "sns:Publish", "releases"),
    May(
        "Confirm calls the endpoint of {team} in production",
        CONFIRM,
        "sagemaker:InvokeEndpoint",
        "sagemaker:endpoint/greenlight-{model}-production",
    ),
    May(
        "Confirm sweeps the models of {team}",
        CONFIRM,
        DELETE_MODELS,
        MODELS,
        {"aws:ResourceTag/endpoint": "greenlight-{model}-production"},
    ),
    May(
        "the release pipeline runs its builds",
        "greenlight-delivery/Release/Pipeline/Role",
        "codebuild:StartBuild",
        "at:greenlight-delivery/Release/Builds/Serve/Project",
    ),
    May("CodeBuild builds", "service:codebuild.amazonaws.com", ASSUME, f"role:{BUILDS}", WITHIN),
    May("Image pushes and names the newest image", IMAGE, ("ecr:PutImage", "ecr:InitiateLayerUpload"), "images"),
    May("Image says which is the newest image", IMAGE, "ssm:PutParameter", "ssm:parameter/greenlight/images/serving"),
    May("Plan starts the wave", PLAN, "states:StartExecution", "at:greenlight-delivery/Wave/Machine"),
    May("the wave starts releases", WAVE, "codepipeline:StartPipelineExecution", RELEASE_PIPELINE),
    May("a retraining starts a release", RETRAINING, "codepipeline:StartPipelineExecution", RELEASE_PIPELINE),
    May("the way back of {environment} puts the stack of {team} back", BACK, "cloudformation:UpdateStack", STACK),
    May(
        "the watch of {team} reads its records",
        OF_WATCH,
        "s3:GetObject",
        "records/capture/{team}/a",
        environments=PRODUCTION,
    ),
    May(
        "the watch of {team} keeps what it found",
        OF_WATCH,
        "s3:PutObject",
        "records/watch/{team}/a",
        environments=PRODUCTION,
    ),
    May(
        "the watch of {team} tells the light",
        OF_WATCH,
        "events:PutEvents",
        EVENT_BUS,
        {"events:source": "greenlight.watch"},
        environments=PRODUCTION,
    ),
    May(
        "the judging of {team} runs as its watch",
        "greenlight-watch-production/Judging-{team}/Machine/Role",
        "iam:PassRole",
        f"role:{OF_WATCH}",
        AS_SAGEMAKER,
    ),
    May(
        "EventBridge writes to the alerts of {team} in {environment}",
        "service:events.amazonaws.com",
        "sns:Publish",
        "at:greenlight-{environment}/Alerts-{team}",
        WITHIN,
        environments=PRODUCTION,
    ),
    May(
        "EventBridge encrypts for the alerts of {team}, though AWS does not say for which account",
        "service:events.amazonaws.com",
        USE_KEY,
        "key:greenlight-production",
        {TOPIC: "at:greenlight-production/Alerts-{team}"},
    ),
    May(
        "CloudWatch encrypts for the alerts of {team}",
        "service:cloudwatch.amazonaws.com",
        USE_KEY,
        "key:greenlight-production",
        {TOPIC: "at:greenlight-production/Alerts-{team}", **WITHIN},
    ),
)
