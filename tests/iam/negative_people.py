"""Questions about the policies of bootstrap/policies.yaml: what CloudFormation and people may not do, and may."""

from __future__ import annotations

from tests.iam.question import Question as May
from tests.iam.resolving import ACCOUNT
from tests.iam.roles import (
    ASSUME,
    CHANGE_STACK,
    DELETE_MODELS,
    ENDPOINT,
    MODEL,
    MODELS,
    PACKAGE,
    READ,
    RELEASE_PIPELINE,
    STACK,
    START,
    THEIR_MODEL,
    WRITE,
)

CLOUDFORMATION, SCIENTIST, APPROVER = "cloudformation", "person:DataScientist:{team}", "person:Approver:{team}"
ANYBODY = (SCIENTIST, APPROVER)
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/greenlight-boundary"
KEY = "iam:PermissionsBoundary"
GIVING = ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary")
OURS = "iam:role/greenlight-new"
APPROVAL = "codepipeline:greenlight-release/Approve/Approve"
THROUGH_S3 = {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}
OWN, STATUS = {"aws:ResourceTag/team": "{team}"}, "sagemaker:ModelApprovalStatus"

OF_CLOUDFORMATION = (
    May("CloudFormation makes a role without the boundary", CLOUDFORMATION, GIVING, OURS),
    May("CloudFormation makes a role with another boundary", CLOUDFORMATION, GIVING, OURS, {KEY: f"{BOUNDARY}-2"}),
    May(
        "CloudFormation takes off a boundary, or changes what it says",
        CLOUDFORMATION,
        (
            "iam:DeleteRolePermissionsBoundary",
            "iam:CreatePolicyVersion",
            "iam:SetDefaultPolicyVersion",
            "iam:DeletePolicyVersion",
            "iam:DeletePolicy",
        ),
        (OURS, "iam:policy/greenlight-boundary", "iam:policy/greenlight-execution"),
        {KEY: BOUNDARY},
    ),
    May(
        "CloudFormation changes roles of the bootstrap, or of others",
        CLOUDFORMATION,
        (*GIVING, "iam:UpdateAssumeRolePolicy", "iam:DeleteRole", "iam:PassRole", ASSUME),
        ("cdk:deploy-role", "cdk:cfn-exec-role", "iam:role/other", "iam:role/Admin"),
        {KEY: BOUNDARY, "iam:PassedToService": "codebuild.amazonaws.com"},
    ),
    May(
        "CloudFormation makes a user, a group or a key of access",
        CLOUDFORMATION,
        ("iam:CreateUser", "iam:CreateGroup", "iam:CreateAccessKey", "iam:CreatePolicy", "iam:CreateInstanceProfile"),
        ("iam:user/new", "iam:group/new", "iam:policy/new"),
        {KEY: BOUNDARY},
    ),
    May(
        "CloudFormation hands a role of the project to EC2, Lambda or ECS",
        CLOUDFORMATION,
        "iam:PassRole",
        "role:*",
        {"iam:PassedToService": "lambda.amazonaws.com"},
    ),
    May("CloudFormation changes stacks, or the bootstrap's", CLOUDFORMATION, CHANGE_STACK, (STACK, "cdk:CDKToolkit")),
    May(
        "CloudFormation changes buckets, topics or endpoints of other projects",
        CLOUDFORMATION,
        ("s3:PutBucketPolicy", "s3:DeleteBucket", "sns:DeleteTopic", "sagemaker:DeleteEndpoint", "s3:GetObject"),
        ("s3:other-data", "sns:other", "sagemaker:endpoint/other", "s3:cdk-hnb659fds-assets", "s3:other-data/a"),
    ),
)

OF_PEOPLE = (
    May("a data scientist of {team} reads data or models of {other}", SCIENTIST, READ, ("data/{other}/a", THEIR_MODEL)),
    May("a data scientist of {team} reads records of {other}", SCIENTIST, READ, "records/capture/{other}/a"),
    May(
        "a data scientist of {team} changes a model or a record", SCIENTIST, WRITE, (MODEL, "records/capture/{team}/a")
    ),
    May("a data scientist of {team} brings data to {other}", SCIENTIST, WRITE, "data/{other}/a"),
    May("a data scientist of {team} releases or trains in the project", SCIENTIST, START, RELEASE_PIPELINE),
    May("a data scientist of {team} approves a release", SCIENTIST, "codepipeline:PutApprovalResult", APPROVAL),
    May(
        "a data scientist of {team} registers or approves a package",
        SCIENTIST,
        ("sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"),
        PACKAGE,
        {**OWN, STATUS: "Approved"},
    ),
    May(
        "a data scientist of {team} looks at endpoints of {other}",
        SCIENTIST,
        "sagemaker:DescribeEndpoint",
        ENDPOINT,
        {"aws:ResourceTag/team": "{other}"},
    ),
    May(
        "a data scientist or an approver of {team} decrypts by hand",
        ANYBODY,
        "kms:Decrypt",
        "key:greenlight-production",
    ),
    May(
        "a data scientist or an approver of {team} deploys to {environment}",
        ANYBODY,
        (ASSUME, *CHANGE_STACK),
        ("cdk:deploy-role", "cdk:cfn-exec-role", "cdk:file-publishing-role", STACK),
    ),
    May(
        "a data scientist or an approver of {team} changes an endpoint or a model",
        ANYBODY,
        ("sagemaker:CreateModel", "sagemaker:UpdateEndpoint", "sagemaker:DeleteEndpoint", *DELETE_MODELS),
        (ENDPOINT, *MODELS),
        OWN,
    ),
    May(
        "a data scientist or an approver of {team} is a role of the project, or passes one",
        ANYBODY,
        (ASSUME, "iam:PassRole"),
        "role:*",
        {"iam:PassedToService": "sagemaker.amazonaws.com"},
    ),
    May(
        "an approver of {team} approves in another pipeline, or passes over a stage",
        APPROVER,
        ("codepipeline:PutApprovalResult", "codepipeline:OverrideStageCondition", "codepipeline:RetryStageExecution"),
        ("codepipeline:greenlight-platform/Deploy/Deploy", "codepipeline:greenlight-release/Production"),
    ),
    May(
        "an approver of {team} approves a package, past the gate",
        APPROVER,
        "sagemaker:UpdateModelPackage",
        PACKAGE,
        {STATUS: "Approved"},
    ),
)

PEOPLE_MAY = (
    May("CloudFormation makes a role with the boundary", CLOUDFORMATION, GIVING, OURS, {KEY: BOUNDARY}),
    May("a data scientist of {team} reads the data and models of {team}", SCIENTIST, READ, ("data/{team}/a", MODEL)),
    May("a data scientist of {team} brings data", SCIENTIST, "s3:PutObject", "data/{team}/{folder}/a.csv"),
    May(
        "a data scientist of {team} reads records of {team}, and brings labels",
        SCIENTIST,
        "s3:GetObject",
        "records/capture/{team}/a",
        environments=("production",),
    ),
    May(
        "a data scientist of {team} decrypts through S3",
        SCIENTIST,
        "kms:Decrypt",
        "key:greenlight-production",
        THROUGH_S3,
    ),
    May("a data scientist of {team} looks at its endpoints", SCIENTIST, "sagemaker:DescribeEndpoint", ENDPOINT, OWN),
    May("an approver of {team} approves a release", APPROVER, "codepipeline:PutApprovalResult", APPROVAL),
    May("an approver of {team} reads a release's report", APPROVER, "s3:GetObject", "artifacts/{team}/releases/a.html"),
    May(
        "an approver of {team} rejects a package",
        APPROVER,
        "sagemaker:UpdateModelPackage",
        PACKAGE,
        {STATUS: "Rejected"},
    ),
)
