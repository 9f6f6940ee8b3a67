"""Stars in what the two pipelines, their builds and the wave may reach."""

from __future__ import annotations

from stacks.acknowledged.entry import (
    BUILDS,
    CHECK,
    CONFIRM,
    DECIDE,
    DEPLOY,
    DISTRIBUTED_MAP,
    IAM5,
    IMAGE,
    NETWORKS,
    PIPELINES,
    PLAN,
    RELEASE_BUILDS,
    SERVE,
    TRAIN,
    VERIFY,
    WAVE,
    Acknowledged,
)

DELIVERY = (
    Acknowledged(
        IAM5,
        on=NETWORKS,
        details=("Resource::ec2:network-interface/*",),
        reason="EC2 names network interfaces; a condition narrows them to those in our subnets.",
    ),
    Acknowledged(
        IAM5,
        on=(TRAIN, VERIFY, DECIDE, CONFIRM),
        details=("Resource::<artifacts>/*/runs/*",),
        reason="A release may be of any model; its builds read what that model's run has left.",
    ),
    Acknowledged(
        IAM5,
        on=RELEASE_BUILDS,
        details=("Resource::<artifacts>/{pipeline}/Trained/*",),
        reason="A release may be of any model; its builds read what the stage Train has left.",
    ),
    Acknowledged(
        IAM5,
        on=(VERIFY, DECIDE),
        details=("Resource::<artifacts>/*/releases/*",),
        reason="A release may be of any model; its verdicts lie in that model's folder.",
    ),
    Acknowledged(
        IAM5,
        on=(TRAIN,),
        details=(
            "Resource::<artifacts>/*/code/*",
            "Resource::<artifacts>/{pipeline}/Code/*",
            "Resource::sagemaker:model-package-group/{project}-*",
            "Resource::sagemaker:pipeline/{project}-*",
            "Resource::sagemaker:pipeline/{project}-*/execution/*",
        ),
        reason="A release may be of any model; this build brings its code and starts its training.",
    ),
    Acknowledged(
        IAM5,
        on=(SERVE,),
        details=(
            "Resource::application-autoscaling:scalable-target/*",
            "Resource::cloudwatch:alarm:TargetTracking-endpoint/{project}-*",
        ),
        reason="Application Auto Scaling names its targets and alarms itself; this build pauses those of one endpoint.",
    ),
    Acknowledged(
        IAM5,
        on=(SERVE, CONFIRM),
        details=("Resource::cloudformation:stack/{project}-serving-*/*",),
        reason="A release may be of any model; the build reads and waits for the stack of that model.",
    ),
    Acknowledged(
        IAM5,
        on=(VERIFY,),
        details=("Resource::cloudwatch:alarm:{project}-*", "Resource::sagemaker:endpoint/{project}-*-staging"),
        reason="A release may be of any model; the build asks its endpoint in staging and looks at its alarms.",
    ),
    Acknowledged(
        IAM5,
        on=(CONFIRM,),
        details=("Resource::sagemaker:endpoint/{project}-*-production",),
        reason="A release may be of any model; the build asks that model's endpoint in production.",
    ),
    Acknowledged(
        IAM5,
        on=(CHECK,),
        details=("Resource::<artifacts>/{pipeline}/Code/*",),
        reason="CodePipeline gives each artifact a random key below the name of its pipeline and stage.",
    ),
    Acknowledged(
        IAM5,
        on=(DEPLOY, CHECK, IMAGE, PLAN),
        details=("Resource::<artifacts>/{pipeline}/Checked/*",),
        reason="CodePipeline gives each artifact a random key below the name of its pipeline and stage.",
    ),
    Acknowledged(
        IAM5,
        on=(IMAGE,),
        details=("Resource::<artifacts>/sbom/*",),
        reason="The lists of what is in an image are named by the image's digest.",
    ),
    Acknowledged(
        IAM5,
        on=(IMAGE,),
        details=("Resource::kms:key/*",),
        reason="The build reads the public half of each signing key; a condition narrows them to those with our alias.",
    ),
    Acknowledged(
        IAM5,
        on=PIPELINES,
        details=("Resource::<artifacts>/*",),
        reason="CodePipeline reads its source and writes its artifacts under names that it makes up.",
    ),
    Acknowledged(
        IAM5,
        on=BUILDS,
        details=("Resource::logs:log-group:/aws/codebuild/<{build}>:*",),
        reason="The CDK lets a build write the streams of its own log, whatever they are called.",
    ),
    Acknowledged(
        IAM5,
        on=(WAVE,),
        details=(
            "Resource::states:execution:{project}-wave:*",
            "Resource::states:execution:{project}-wave/Releases:*",
            "Resource::states:mapRun:{project}-wave/Releases:*",
        ),
        reason="A wave stops and redrives its own runs, whose names are random.",
    ),
    Acknowledged(
        IAM5,
        on=(DISTRIBUTED_MAP,),
        details=(
            "Resource::states:execution:<wavemachine>:*",
            "Resource::states:execution:<wavemachine>/Releases:*",
        ),
        reason="The CDK lets a distributed map start and stop its own runs, whose names are random.",
    ),
)
