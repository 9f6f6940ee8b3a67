"""Questions that must be answered no: what the builds of the pipelines may do beside their own work."""

from __future__ import annotations

from tests.iam.question import Question as May
from tests.iam.roles import ASSUME, BUILDS, CHECK, CONFIRM, DECIDE, DEPLOY, IMAGE, PLAN, SERVE, SOURCE, TRAIN, VERIFY

WITHIN = "its right covers all artifacts of all pipelines; give it the objects of its own pipeline alone"

BUILDING = (
    May("a build passes a role", BUILDS, "iam:PassRole", ("role:*", "cdk:cfn-exec-role", "cdk:deploy-role")),
    May(
        "a build or pipeline but Deploy and Serve deploys",
        "greenlight-*",
        ASSUME,
        "cdk:deploy-role",
        but=(DEPLOY, SERVE),
    ),
    May("Check deploys", CHECK, ASSUME, ("cdk:deploy-role", "cdk:file-publishing-role")),
    May("Plan deploys", PLAN, ASSUME, ("cdk:deploy-role", "cdk:file-publishing-role")),
    May(
        "the platform pipeline runs builds of a release",
        "greenlight-delivery/Platform/Pipeline/Role",
        "codebuild:StartBuild",
        ("at:greenlight-delivery/Release/Builds/Serve/Project", "at:greenlight-delivery/Release/Builds/Train/Project"),
    ),
    May(
        "Verify changes a model or its report's neighbours",
        VERIFY,
        "s3:PutObject",
        "artifacts/{team}/{folder}/runs/a/model.tar.gz",
    ),
    May(
        "Train runs jobs by itself",
        TRAIN,
        ("sagemaker:CreateTrainingJob", "sagemaker:CreateProcessingJob"),
        "sagemaker:training-job/a",
    ),
    May(
        "Train changes a training pipeline",
        TRAIN,
        ("sagemaker:UpdatePipeline", "sagemaker:DeletePipeline"),
        "sagemaker:pipeline/greenlight-{model}",
    ),
    May("Train changes training data of {team}", TRAIN, ("s3:PutObject", "s3:DeleteObject"), "data/{team}/a.csv"),
    May("Train changes what pipelines run", TRAIN, ("s3:PutObject", "s3:DeleteObject"), SOURCE, yet=WITHIN),
    May("Check changes what pipelines run", CHECK, ("s3:PutObject", "s3:DeleteObject"), SOURCE, yet=WITHIN),
    May(
        "Check changes the models of {team}",
        CHECK,
        ("s3:PutObject", "s3:DeleteObject"),
        "artifacts/{team}/{folder}/runs/a/model.tar.gz",
        yet=WITHIN,
    ),
    May(
        "Check reads data or records of {team} in {environment}",
        CHECK,
        "s3:GetObject",
        ("data/{team}/a.csv", "records/capture/{team}/a"),
    ),
    May(
        "Plan, Image, Verify, Decide, Serve or Confirm changes what pipelines run",
        (PLAN, IMAGE, VERIFY, DECIDE, SERVE, CONFIRM),
        ("s3:PutObject", "s3:DeleteObject"),
        SOURCE,
    ),
    May("a build reads the records of {team} in {environment}", BUILDS, "s3:GetObject", "records/capture/{team}/a"),
    May(
        "anyone but Image says which image is the newest",
        "greenlight-*",
        "ssm:PutParameter",
        "ssm:parameter/greenlight/images/serving",
        but=(IMAGE,),
    ),
    May("anyone but Image pushes an image", "greenlight-*", "ecr:PutImage", "images", but=(IMAGE,)),
    May("Image deletes images", IMAGE, ("ecr:BatchDeleteImage", "ecr:SetRepositoryPolicy"), "images"),
    May(
        "Image writes other parameters",
        IMAGE,
        "ssm:PutParameter",
        "ssm:parameter/greenlight/production/models/{team}/{folder}",
    ),
    May(
        "the release pipeline runs other builds",
        "greenlight-delivery/Release/Pipeline/Role",
        "codebuild:StartBuild",
        ("at:greenlight-delivery/Deploy/Project", "at:greenlight-delivery/Platform/Image/Project"),
    ),
    May(
        "anyone but the pipelines starts a build",
        "greenlight-*",
        "codebuild:StartBuild",
        ("at:greenlight-delivery/Deploy/Project", "at:greenlight-delivery/Release/Builds/Serve/Project"),
        but=("greenlight-delivery/*/Pipeline/Role",),
    ),
)
