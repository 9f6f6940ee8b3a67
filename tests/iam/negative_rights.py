"""Questions that must be answered no: who may give rights, open what is closed, or silence what watches."""

from __future__ import annotations

from tests.iam.question import Question as May
from tests.iam.roles import (
    ASSUME,
    BATCH,
    BY_AWS,
    MODEL,
    PLATFORM_PIPELINE,
    READ,
    RECORD,
    RECORDER,
    RELEASE_PIPELINE,
    WRITE,
)

ESCALATION = (
    May(
        "anyone gives a role rights",
        "greenlight-*",
        ("iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:CreatePolicyVersion"),
        "role:*",
    ),
    May(
        "anyone makes a role, user or key",
        "greenlight-*",
        ("iam:CreateRole", "iam:CreateUser", "iam:CreateAccessKey"),
        ("iam:role/new", "iam:user/new"),
    ),
    May(
        "anyone passes a role to a service but SageMaker",
        "greenlight-*",
        "iam:PassRole",
        "role:*",
        {"iam:PassedToService": "codebuild.amazonaws.com"},
    ),
    May(
        "anyone takes off a boundary",
        "greenlight-*",
        ("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"),
        "role:*",
    ),
    May("anyone is another role of the project", "greenlight-*", ASSUME, "role:*"),
    May(
        "anyone changes a key of {environment}, or deletes it",
        "greenlight-*",
        ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:CreateGrant"),
        ("key:greenlight-{environment}", "key:greenlight-tooling"),
    ),
    May(
        "anyone but what SageMaker runs passes on a key of {environment}, even to AWS",
        "greenlight-*",
        "kms:CreateGrant",
        ("key:greenlight-{environment}", "key:greenlight-tooling"),
        BY_AWS,
        but=("greenlight-tooling/*/Job", "greenlight-*/*/Serving", "greenlight-watch-*/*/Watch"),
    ),
    May(
        "anyone opens a bucket of {environment}",
        "greenlight-*",
        ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketPublicAccessBlock", "s3:PutBucketAcl"),
        ("records", "data", "artifacts"),
    ),
    May(
        "anyone deletes a bucket of {environment}, or lets it forget",
        "greenlight-*",
        ("s3:DeleteBucket", "s3:PutLifecycleConfiguration", "s3:PutBucketVersioning"),
        ("records", "data", "artifacts"),
    ),
    May(
        "anyone deletes a version of an object for good",
        "greenlight-*",
        "s3:DeleteObjectVersion",
        ("records/capture/{team}/a", "data/{team}/a.csv", "artifacts/{team}/a", RECORD),
    ),
    May("anyone but the recorder writes the record of a package", "greenlight-*", WRITE, RECORD, but=(RECORDER,)),
    May("the recorder writes anything else", RECORDER, WRITE, (MODEL, "data/{team}/a.csv", "artifacts/source/a.zip")),
    May(
        "anyone of {environment} decrypts with the key of {elsewhere}",
        ("greenlight-{environment}/*", "greenlight-rollback-{environment}/*", BATCH),
        "kms:Decrypt",
        "key:greenlight-{elsewhere}",
    ),
    May(
        "anyone reads or changes the logs of who read what",
        "greenlight-*",
        (*READ, *WRITE, "s3:ListBucket"),
        tuple(
            f"at:greenlight-{place}/AccessLogs{key}" for place in ("tooling", "{environment}") for key in ("", "//a")
        ),
    ),
    May(
        "anyone opens an object",
        "greenlight-*",
        ("s3:PutObjectAcl", "s3:PutObjectVersionAcl"),
        ("records/capture/{team}/a", "data/{team}/a.csv", "artifacts/{team}/a"),
    ),
    May(
        "anyone reads or writes over plain HTTP",
        "greenlight-*",
        ("s3:GetObject", "s3:PutObject", "s3:ListBucket"),
        ("artifacts/{team}/a", "data/{team}/a.csv", "records/capture/{team}/a", "records"),
        {"aws:SecureTransport": "false"},
    ),
    May(
        "anyone changes a build",
        "greenlight-*",
        ("codebuild:UpdateProject", "codebuild:CreateProject"),
        "at:greenlight-delivery/Release/Builds/Serve/Project",
    ),
    May(
        "anyone changes a pipeline",
        "greenlight-*",
        ("codepipeline:UpdatePipeline", "codepipeline:DeletePipeline", "codepipeline:CreatePipeline"),
        (RELEASE_PIPELINE, PLATFORM_PIPELINE),
    ),
    May(
        "anyone changes a state machine",
        "greenlight-*",
        ("states:UpdateStateMachine", "states:DeleteStateMachine", "states:CreateStateMachine"),
        ("at:greenlight-rollback-{environment}/Machine", "at:greenlight-delivery/Wave/Machine"),
    ),
    May(
        "anyone changes a rule, or sends events elsewhere",
        "greenlight-*",
        ("events:PutRule", "events:PutTargets", "events:DisableRule", "events:PutPermission"),
        ("events:rule/a", "events:event-bus/default"),
    ),
    May(
        "anyone subscribes to alerts, or silences them",
        "greenlight-*",
        ("sns:Subscribe", "sns:Unsubscribe", "sns:SetTopicAttributes", "sns:DeleteTopic"),
        ("releases", "at:greenlight-{environment}/Alerts-{team}"),
    ),
    May(
        "anyone silences an endpoint's alarms in {environment}",
        "greenlight-*",
        (
            "cloudwatch:DeleteAlarms",
            "cloudwatch:DisableAlarmActions",
            "cloudwatch:SetAlarmState",
            "cloudwatch:PutMetricAlarm",
        ),
        "cloudwatch:alarm:greenlight-{model}-{environment}-errors",
    ),
    May(
        "anyone deletes logs",
        "greenlight-*",
        ("logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy"),
        (
            "logs:log-group:/aws/sagemaker/Endpoints/greenlight-{model}-{environment}",
            "logs:log-group:greenlight:log-stream:a",
        ),
    ),
    May(
        "anyone stops the trail of the account",
        "greenlight-*",
        ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail"),
        "cloudtrail:trail/any",
    ),
)
