"""Questions that must be answered no: who releases, approves, takes back and sweeps."""

from __future__ import annotations

from tests.iam.question import Question as May
from tests.iam.roles import (
    ASSUME,
    BACK,
    CHANGE_STACK,
    CONFIRM,
    DELETE_MODELS,
    ENDPOINT,
    MODELS,
    PACKAGE,
    PLATFORM_PIPELINE,
    PUSHED,
    RELEASE_PIPELINE,
    RETRAINING,
    SERVE,
    STACK,
    START,
    VERIFY,
    WAVE,
)

RELEASES = (
    May("Verify deploys", VERIFY, (ASSUME, *CHANGE_STACK), ("cdk:deploy-role", STACK)),
    May("anyone is CloudFormation", "greenlight-*", (ASSUME, "iam:PassRole"), "cdk:cfn-exec-role"),
    May("anyone reads the account with the CDK's role for look-ups", "greenlight-*", ASSUME, "cdk:lookup-role"),
    May(
        "anyone but the way back of {environment} changes a serving stack of {environment} by itself",
        "greenlight-*",
        CHANGE_STACK,
        STACK,
        but=(BACK,),
    ),
    May(
        "the way back of {environment} changes a serving stack of {elsewhere}",
        BACK,
        CHANGE_STACK,
        "cloudformation:stack/greenlight-serving-{model}-{elsewhere}/1",
    ),
    May(
        "the way back of {environment} changes other stacks",
        BACK,
        CHANGE_STACK,
        tuple(
            f"cloudformation:stack/greenlight-{name}/1"
            for name in ("delivery", "tooling", "{environment}", "rollback-staging")
        ),
    ),
    May(
        "the way back of {environment} looks into {elsewhere}",
        BACK,
        ("sagemaker:DescribeEndpoint", "kms:Decrypt"),
        ("sagemaker:endpoint/greenlight-{model}-{elsewhere}", "key:greenlight-{elsewhere}"),
    ),
    May(
        "the way back of {environment} writes to alerts of {elsewhere}",
        BACK,
        "sns:Publish",
        "at:greenlight-{elsewhere}/Alerts-{team}",
    ),
    May("Serve asks after other pipelines", SERVE, "codepipeline:ListActionExecutions", PLATFORM_PIPELINE),
    May(
        "Verify or Confirm calls endpoints of other projects",
        (VERIFY, CONFIRM),
        "sagemaker:InvokeEndpoint",
        "sagemaker:endpoint/other-{model}-staging",
    ),
    May(
        "anyone deletes training data, records or labels of {team} in {environment} for good",
        "greenlight-*",
        "s3:DeleteObjectVersion",
        ("data/{team}/a.csv", "records/capture/{team}/a", "records/labels/{team}/a", "records/watch/{team}/a"),
    ),
    May("the way back of {environment} deletes or makes stacks", BACK, CHANGE_STACK[1:], STACK),
    May("the way back of {environment} makes or approves a package", BACK, "sagemaker:UpdateModelPackage", PACKAGE),
    May(
        "anyone changes an endpoint of {environment} of {team} beside its stack",
        "greenlight-*",
        ("sagemaker:UpdateEndpoint", "sagemaker:DeleteEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"),
        ENDPOINT,
    ),
    May(
        "anyone makes a model or endpoint beside its stack",
        "greenlight-*",
        ("sagemaker:CreateModel", "sagemaker:CreateEndpoint"),
        MODELS[0],
    ),
    May("anyone approves a package of {team}", "greenlight-*", "sagemaker:UpdateModelPackage", PACKAGE),
    May(
        "anyone approves a release in a person's place",
        "greenlight-*",
        "codepipeline:PutApprovalResult",
        "codepipeline:greenlight-release/Approve/Approve",
    ),
    May(
        "anyone passes over a stage of a release",
        "greenlight-*",
        (
            "codepipeline:OverrideStageCondition",
            "codepipeline:EnableStageTransition",
            "codepipeline:RetryStageExecution",
        ),
        "codepipeline:greenlight-release/Production",
    ),
    May(
        "Verify calls endpoints of production",
        VERIFY,
        "sagemaker:InvokeEndpoint",
        "sagemaker:endpoint/greenlight-{model}-production",
    ),
    May(
        "anyone but Verify and Confirm calls an endpoint of {team}",
        "greenlight-*",
        "sagemaker:InvokeEndpoint",
        ("sagemaker:endpoint/greenlight-{model}-staging", "sagemaker:endpoint/greenlight-{model}-production"),
        but=(VERIFY, CONFIRM),
    ),
    May(
        "Confirm deletes models or configurations of other projects",
        CONFIRM,
        DELETE_MODELS,
        MODELS,
        {"aws:ResourceTag/endpoint": "other-{model}-production"},
    ),
    May("Confirm deletes models or configurations that nobody has marked", CONFIRM, DELETE_MODELS, MODELS),
    May("Confirm marks models, to delete them then", CONFIRM, "sagemaker:AddTags", MODELS),
    May(
        "anyone but Confirm deletes models",
        "greenlight-*",
        DELETE_MODELS,
        MODELS,
        {"aws:ResourceTag/endpoint": "greenlight-a"},
        but=(CONFIRM,),
    ),
    May(
        "the wave starts anything but releases",
        WAVE,
        START,
        (PLATFORM_PIPELINE, "at:greenlight-rollback-production/Machine", "sagemaker:pipeline/greenlight-{model}"),
    ),
    May(
        "a retraining starts anything but a release",
        RETRAINING,
        START,
        (PLATFORM_PIPELINE, "at:greenlight-rollback-production/Machine", "at:greenlight-delivery/Wave/Machine"),
    ),
    May(
        "a push starts anything but the platform pipeline",
        PUSHED,
        START,
        (RELEASE_PIPELINE, "at:greenlight-rollback-production/Machine"),
    ),
    May(
        "anyone but its own rule starts the way back of {environment}",
        "greenlight-*",
        "states:StartExecution",
        "at:greenlight-rollback-{environment}/Machine",
        but=("greenlight-rollback-{environment}/Machine/EventsRole",),
    ),
    May(
        "anyone but the wave and the retraining starts a release",
        "greenlight-*",
        "codepipeline:StartPipelineExecution",
        RELEASE_PIPELINE,
        but=(WAVE, RETRAINING),
    ),
)
