"""What a team may do: one set of roles for all its models, so that no team reads another's data.

A team's objects are below `<team>/` in every bucket; its roles see nothing else there.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import ArnFormat, PhysicalName, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config.naming import Names
from stacks import objects
from stacks.trust import for_this_account
from stacks.volumes import grant_encrypt_volumes


class JobRole(Construct):
    """The role of a team's training jobs."""

    def __init__(
        self,
        scope: Construct,
        team: str,
        *,
        data: s3.IBucket,
        artifacts: s3.IBucket,
        images: ecr.IRepository,
        signing_keys: Sequence[kms.IKey],
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, team)
        self.role = _role(self, "Job", f"Jobs of team {team}: read its data, write its models.")
        objects.grant_read(data, self.role, f"{team}/*")
        objects.grant_read(artifacts, self.role, f"{team}/*")
        objects.grant_write(artifacts, self.role, f"{team}/*")
        grant_run(self.role, images, "Processing", "Training")
        grant_encrypt_volumes(key, self.role)
        grant_sign(self.role, signing_keys)


class PipelineRole(Construct):
    """The role of one model's pipeline, which starts its team's jobs and registers the model's packages."""

    def __init__(
        self, scope: Construct, name: str, *, team: str, model: str, group: str, job: iam.IRole, artifacts: s3.IBucket
    ) -> None:
        super().__init__(scope, name)
        self.role = _role(self, "Role", f"The pipeline of {model}: starts jobs of team {team}, registers packages.")
        grant_start_jobs(self.role, job)
        _grant_register(self.role, group)
        objects.grant_read(artifacts, self.role, f"{team}/{model}/*")


class ServingRole(Construct):
    """The role of a team's endpoints and batch jobs in one environment."""

    def __init__(
        self,
        scope: Construct,
        team: str,
        *,
        project: str,
        artifacts: s3.IBucket,
        records: s3.IBucket,
        images: ecr.IRepository,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, team)
        self.role = _role(self, "Serving", f"Endpoints and batch jobs of team {team}.")
        objects.grant_read(artifacts, self.role, f"{team}/*")
        objects.grant_read(records, self.role, f"batch/{team}/*")
        objects.grant_write(records, self.role, f"batch/{team}/*", f"capture/{team}/*")
        objects.grant_delete(records, self.role, f"batch/{team}/*")
        grant_run(self.role, images, "Endpoints/", "Processing", "Transform")
        grant_encrypt_volumes(key, self.role)
        # SageMaker watches a roll-out's alarms under the endpoint's role.
        alarms = Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=f"{project}-*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.role.add_to_policy(iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=[alarms]))


class WatchRole(Construct):
    """The role of the job that judges a team's models in one environment; it reads what they saw, and only adds."""

    def __init__(
        self,
        scope: Construct,
        team: str,
        *,
        names: Names,
        environment: str,
        data: s3.IBucket,
        artifacts: s3.IBucket,
        records: s3.IBucket,
        images: ecr.IRepository,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, team)
        self.role = _role(self, "Watch", f"The job that judges the models of team {team} in {environment}.")
        objects.grant_read(records, self.role, *(f"{folder}/{team}/*" for folder in ("capture", "labels", "watch")))
        # Into the first goes what is collected from logs.
        objects.grant_write(records, self.role, *(f"{folder}/{team}/*" for folder in ("capture", "watch")))
        objects.grant_read(artifacts, self.role, f"{team}/*")
        objects.grant_read(data, self.role, f"{team}/*")
        objects.grant_write(data, self.role, f"{team}/*/recorded/*")  # rows for a retraining
        grant_run(self.role, images, "Processing")
        grant_encrypt_volumes(key, self.role)
        _grant_look(self.role, names, environment, team)
        _grant_tell(self.role, names)


def _role(scope: Construct, name: str, description: str) -> iam.Role:
    return iam.Role(
        scope,
        name,
        role_name=PhysicalName.GENERATE_IF_NEEDED,
        description=description,
        assumed_by=for_this_account(scope, "sagemaker"),
    )


def grant_run(role: iam.Role, images: ecr.IRepository, *log_groups: str) -> None:
    """What SageMaker does under *role* to run a container: pull the image, write logs and metrics."""
    images.grant_pull(role)
    stack = Stack.of(role)
    groups = [f"{name}*" if name.endswith("/") else f"{name}Jobs" for name in log_groups]
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resources=[
                resource
                for group in groups
                for resource in (
                    stack.format_arn(service="logs", resource=f"log-group:/aws/sagemaker/{group}"),
                    stack.format_arn(service="logs", resource=f"log-group:/aws/sagemaker/{group}:*"),
                )
            ],
        )
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],  # the action has no resource; the namespace narrows it
            conditions={"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}},
        )
    )


def grant_sign(role: iam.Role, keys: Sequence[kms.IKey]) -> None:
    """Lets a job's *role* sign the digest of a package's manifest, and nothing longer or with another algorithm."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["kms:Sign"],
            resources=[key.key_arn for key in keys],
            conditions={"StringEquals": {"kms:MessageType": "DIGEST", "kms:SigningAlgorithm": "ECDSA_SHA_256"}},
        )
    )


def grant_start_jobs(role: iam.Role, job_role: iam.IRole) -> None:
    """Lets a pipeline's *role* run its steps as jobs under *job_role*; SageMaker names them `pipelines-...`."""
    stack = Stack.of(role)
    verbs = {"training-job": "TrainingJob", "processing-job": "ProcessingJob"}
    for resource, noun in verbs.items():
        role.add_to_policy(
            iam.PolicyStatement(
                actions=[f"sagemaker:{verb}{noun}" for verb in ("Create", "Describe", "Stop")] + ["sagemaker:AddTags"],
                resources=[stack.format_arn(service="sagemaker", resource=resource, resource_name="pipelines-*")],
            )
        )
    grant_pass(role, job_role)


def grant_pass(role: iam.IRole, job_role: iam.IRole) -> None:
    """Lets *role* hand *job_role* to SageMaker, and to nothing else."""
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[job_role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
    )


def _grant_register(role: iam.Role, group: str) -> None:
    stack = Stack.of(role)
    role.add_to_policy(
        iam.PolicyStatement(
            actions=[
                "sagemaker:AddTags",
                "sagemaker:CreateModelPackage",
                "sagemaker:CreateModelPackageGroup",  # a pipeline asks for it although the group exists
                "sagemaker:DescribeModelPackage",
                "sagemaker:DescribeModelPackageGroup",
            ],
            resources=[
                stack.format_arn(service="sagemaker", resource="model-package-group", resource_name=group),
                stack.format_arn(service="sagemaker", resource="model-package", resource_name=f"{group}/*"),
            ],
        )
    )


def _grant_look(role: iam.Role, names: Names, environment: str, team: str) -> None:
    """Which models there are, what their endpoints run, how much they answered, and what their servers logged.

    By the tag of the team: a policy has no room for the names of hundreds of models, and is no other for a new one.
    """
    stack = Stack.of(role)
    own = {"StringEquals": {f"aws:ResourceTag/{Names.TEAM_TAG}": team}}
    path = f"parameter{names.model_parameter(environment, team)}"
    parameters = [stack.format_arn(service="ssm", resource=name) for name in (path, f"{path}/*")]
    groups = stack.format_arn(service="logs", resource=f"log-group:/aws/sagemaker/Endpoints/{names.project}-*")
    described = {
        "Endpoint": f"endpoint/{names.project}-*",
        "ModelPackage": f"model-package/{names.project}-*",
        # CloudFormation names these two, so only the kind can be told.
        "EndpointConfig": "endpoint-config/*",
        "Model": "model/*",
    }
    for actions, resources, conditions in (
        (["ssm:GetParametersByPath"], parameters, None),
        (["logs:FilterLogEvents"], [groups, f"{groups}:*"], own),
        (["cloudwatch:GetMetricData"], ["*"], None),  # the action has no resource
        *(
            ([f"sagemaker:Describe{noun}"], [stack.format_arn(service="sagemaker", resource=resource)], own)
            for noun, resource in described.items()
        ),
    ):
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions))


def _grant_tell(role: iam.Role, names: Names) -> None:
    stack = Stack.of(role)
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],  # the action has no resource; the namespace narrows it
            conditions={"StringEquals": {"cloudwatch:namespace": names.watch_namespace}},
        )
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["events:PutEvents"],
            resources=[stack.format_arn(service="events", resource="event-bus/default")],
            conditions={"StringEquals": {"events:source": names.watch_source}},
        )
    )
