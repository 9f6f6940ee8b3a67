"""Stars in what the roles of teams and models may reach."""

from __future__ import annotations

from stacks.acknowledged.entry import (
    BATCH,
    CONFIRM,
    DECIDE,
    IAM5,
    JOB,
    JUDGING,
    PLAN,
    RECORDER,
    RELEASE_BUILDS,
    ROLLBACK,
    RUNNER,
    SERVING,
    TRAIN,
    VERIFY,
    WATCH,
    Acknowledged,
)

TEAMS = (
    Acknowledged(
        IAM5,
        on=(JOB, SERVING, WATCH),
        details=("Resource::ec2:network-interface/*",),
        reason="EC2 names network interfaces; a condition narrows them to those in our subnets.",
    ),
    Acknowledged(
        IAM5,
        on=(WATCH, ROLLBACK, PLAN, *RELEASE_BUILDS),
        details=("Resource::sagemaker:endpoint-config/*",),
        reason="CloudFormation names the endpoint configs, else it could not replace them.",
    ),
    Acknowledged(
        IAM5,
        on=(WATCH, ROLLBACK, PLAN, TRAIN, VERIFY, DECIDE, CONFIRM),
        details=("Resource::sagemaker:model/*",),
        reason="CloudFormation names the models, else it could not replace them.",
    ),
    Acknowledged(
        IAM5,
        on=(WATCH, PLAN, *RELEASE_BUILDS),
        details=("Resource::sagemaker:endpoint/{project}-*", "Resource::sagemaker:model-package/{project}-*"),
        reason="One role acts for every model of the project, those of next year too; all their names begin with it.",
    ),
    Acknowledged(
        IAM5,
        on=(JOB,),
        details=("Resource::<data>/{team}/*", "Resource::<artifacts>/{team}/*"),
        reason="A team's jobs read and write whatever lies in the folder of their team, and in no other.",
    ),
    Acknowledged(
        IAM5,
        on=(SERVING,),
        details=(
            "Resource::<artifacts>/{team}/*",
            "Resource::<records>/batch/{team}/*",
            "Resource::<records>/capture/{team}/*",
        ),
        reason="Endpoints and batches read and write whatever lies in the folders of their team, and in no other.",
    ),
    Acknowledged(
        IAM5,
        on=(WATCH,),
        details=(
            "Resource::<artifacts>/{team}/*",
            "Resource::<data>/{team}/*",
            "Resource::<data>/{team}/*/recorded/*",
            "Resource::<records>/capture/{team}/*",
            "Resource::<records>/labels/{team}/*",
            "Resource::<records>/watch/{team}/*",
            "Resource::ssm:parameter/{project}/{environment}/models/{team}/*",
        ),
        reason="The watch reads and adds to whatever lies in the folders of its team, and in no other.",
    ),
    Acknowledged(
        IAM5,
        on=(RUNNER,),
        details=(
            "Resource::<artifacts>/{team}/{model}/*",
            "Resource::sagemaker:model-package/{project}-{model}/*",
        ),
        reason="A model's pipeline reads its own runs and registers its own packages, which have numbers.",
    ),
    Acknowledged(
        IAM5,
        on=(RUNNER,),
        details=("Resource::sagemaker:processing-job/pipelines-*", "Resource::sagemaker:training-job/pipelines-*"),
        reason="SageMaker names the jobs of a pipeline pipelines-<random>; the role that they run under is one.",
    ),
    Acknowledged(
        IAM5,
        on=(BATCH,),
        details=(
            "Resource::sagemaker:processing-job/{job}-screen-*",
            "Resource::sagemaker:processing-job/{job}-reconcile-*",
            "Resource::sagemaker:transform-job/{job}-score-*",
        ),
        reason="Each run names its jobs after itself; all begin with the name of the model and environment.",
    ),
    Acknowledged(
        IAM5,
        on=(JUDGING,),
        details=("Resource::sagemaker:processing-job/{job}-*",),
        reason="Each run names its jobs after itself; all begin with the name of the team's watch.",
    ),
    Acknowledged(
        IAM5,
        on=(JOB, SERVING, WATCH),
        details=("Resource::logs:log-group:/aws/sagemaker/ProcessingJobs:*",),
        reason="SageMaker writes the logs of all jobs of a kind into one group; the star is the stream of a job.",
    ),
    Acknowledged(
        IAM5,
        on=(JOB,),
        details=("Resource::logs:log-group:/aws/sagemaker/TrainingJobs:*",),
        reason="SageMaker writes the logs of all jobs of a kind into one group; the star is the stream of a job.",
    ),
    Acknowledged(
        IAM5,
        on=(SERVING,),
        details=(
            "Resource::logs:log-group:/aws/sagemaker/TransformJobs:*",
            "Resource::logs:log-group:/aws/sagemaker/Endpoints/*",
            "Resource::logs:log-group:/aws/sagemaker/Endpoints/*:*",
            "Resource::cloudwatch:alarm:{project}-*",
        ),
        reason="One role serves all models of a team: it writes their logs and reads the alarms of their roll-outs.",
    ),
    Acknowledged(
        IAM5,
        on=(WATCH,),
        details=(
            "Resource::logs:log-group:/aws/sagemaker/Endpoints/{project}-*",
            "Resource::logs:log-group:/aws/sagemaker/Endpoints/{project}-*:*",
        ),
        reason="The watch reads what the servers of its models have logged; which models there are it finds out.",
    ),
    Acknowledged(
        IAM5,
        on=(ROLLBACK,),
        details=(
            "Resource::sagemaker:endpoint/{project}-*-{environment}",
            "Resource::sagemaker:model-package/{project}-*",
            "Resource::cloudformation:stack/{project}-serving-*-{environment}/*",
        ),
        reason="One role takes back every model of one environment, and nothing of the other.",
    ),
    Acknowledged(
        IAM5,
        on=(RECORDER,),
        details=("Resource::sagemaker:model-package/{project}-*", "Resource::<artifacts>/_registry/*"),
        reason="It writes down the packages of every model of the project, in a folder of their own.",
    ),
)
