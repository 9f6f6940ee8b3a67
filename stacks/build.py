"""What both delivery pipelines are made of: builds that run the Makefile's words, and the pipeline round them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.handover import Handover
from stacks.network import network_of_builds
from stacks.place import Place, PlacedStack

STAGE = "make stage STAGE={} && . ./stage.env"
"""Runs one program of pipelines/stages and takes over the variables that it leaves."""

NOT_SOURCE = (".venv", "node_modules", ".local")


class Build(Construct):
    """One kind of build with a role of its own; grant the role what its commands need.

    *exports* are shell variables that the last command leaves in `stage.env`; later stages read them as
    `#{Action.NAME}`. With *keeps_files* the source, and what the commands added to it, is the output artifact; without
    the folders *but*, which no later stage reads.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        commands: Sequence[str],
        environment: Mapping[str, str] | None = None,
        exports: Sequence[str] = (),
        keeps_files: bool = False,
        but: Sequence[str] = (),
        docker: bool = False,
    ) -> None:
        super().__init__(scope, name)
        stack = cdk.Stack.of(self)
        assert isinstance(stack, PlacedStack)
        project_name = stack.place.names.stack(name.lower())
        log = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/codebuild/{project_name}",
            removal_policy=stack.place.removal_policy,
            retention=stack.place.log_retention,
        )
        self.project = codebuild.PipelineProject(
            self,
            "Project",
            project_name=project_name,
            build_spec=codebuild.BuildSpec.from_object(_buildspec(commands, exports, but, keeps_files=keeps_files)),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.STANDARD_8_0,
                compute_type=codebuild.ComputeType.MEDIUM,
                privileged=docker,
            ),
            environment_variables={
                key: codebuild.BuildEnvironmentVariable(value=value) for key, value in (environment or {}).items()
            },
            grant_report_group_permissions=False,  # no build writes test reports
            logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log)),
            timeout=cdk.Duration.hours(8),
        )
        if network := network_of_builds(stack.place):
            network.join(self, self.project)

    def allow(self, *actions_: str, on: Sequence[str]) -> None:
        """Adds a statement to the build's role."""
        self.project.add_to_role_policy(iam.PolicyStatement(actions=list(actions_), resources=list(on)))

    def allow_reading_packages(self, place: Place) -> None:
        """Lets the build look up the project's registered packages, by their ARNs."""
        self.allow("sagemaker:DescribeModelPackage", on=[project_arn(self, "model-package", place.project.name)])

    def allow_finding_packages(self, place: Place) -> None:
        """Lets the build find a model's newest packages, and look them up."""
        self.allow_reading_packages(place)
        self.allow("sagemaker:ListModelPackages", on=[project_arn(self, "model-package", place.project.name)])

    def action(
        self,
        name: str,
        source: codepipeline.Artifact,
        handover: Handover,
        *,
        output: codepipeline.Artifact | None = None,
        **environment: str,
    ) -> codepipeline.IAction:
        """Runs this build as the pipeline action *name*, with pipeline variables in its environment."""
        handover.grant(self.project, source, output)
        return actions.CodeBuildAction(
            action_name=name,
            environment_variables={
                key: codebuild.BuildEnvironmentVariable(value=value) for key, value in environment.items()
            },
            input=source,
            outputs=[output] if output else None,
            # By its name: for a project whose role it knows the action adds a right to the whole bucket.
            project=codebuild.Project.from_project_name(self, name, self.project.project_name),
            variables_namespace=name,
        )

    def allow_deploying(self, targets: Iterable[PlacedStack]) -> None:
        """Lets the build deploy to where these stacks are, through the roles that `cdk bootstrap` made there."""
        self.allow("sts:AssumeRole", on=sorted({role for stack in targets for role in _bootstrap_roles(stack)}))

    def allow_telling(self, topic: sns.ITopic, key: kms.IKey) -> None:
        """Lets the build tell people on a topic that is encrypted with *key*."""
        topic.grant_publish(self.project)
        key.grant(self.project, "kms:GenerateDataKey", "kms:Decrypt")


class Deployer(Build):
    """Deploys stacks of a synthesized assembly."""

    def __init__(self, scope: Construct, name: str, targets: Iterable[PlacedStack]) -> None:
        super().__init__(scope, name, commands=["make setup", "make deploy-stacks"])
        self.allow_deploying(targets)


def _bootstrap_roles(stack: PlacedStack) -> list[str]:
    qualifier = cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER
    return [
        stack.format_arn(
            service="iam",
            region="",
            resource="role",
            resource_name=f"cdk-{qualifier}-{kind}-role-{stack.account}-{stack.region}",
        )
        for kind in ("deploy", "file-publishing")
    ]


def _buildspec(
    commands: Sequence[str], exports: Sequence[str], but: Sequence[str], *, keeps_files: bool
) -> dict[str, object]:
    spec: dict[str, object] = {
        "version": "0.2",
        "phases": {"install": {"runtime-versions": {"python": "3.13"}}, "build": {"commands": list(commands)}},
    }
    if exports:
        spec["env"] = {"exported-variables": list(exports)}
    if keeps_files:
        spec["artifacts"] = {"files": ["**/*"], "exclude-paths": [f"{name}/**/*" for name in (*NOT_SOURCE, *but)]}
    return spec


def project_arn(scope: Construct, resource: str, project: str = "") -> str:
    """The ARN of the project's SageMaker resources of a kind; without a project, of all of that kind."""
    name = f"{project}-*" if project else "*"
    return cdk.Stack.of(scope).format_arn(service="sagemaker", resource=resource, resource_name=name)


def pipeline_arn(scope: Construct, place: Place, kind: str) -> str:
    """The ARN of a delivery pipeline, for the builds that it runs itself."""
    return cdk.Stack.of(scope).format_arn(service="codepipeline", resource=place.names.delivery_pipeline(kind))


def delivery_pipeline(
    scope: Construct,
    place: Place,
    kind: str,
    *,
    artifacts: s3.IBucket,
    execution_mode: codepipeline.ExecutionMode,
    restart_execution_on_update: bool = False,
    variables: Sequence[codepipeline.Variable] = (),
) -> codepipeline.Pipeline:
    """A pipeline of the current type, whose actions need no roles of their own."""
    return codepipeline.Pipeline(
        scope,
        "Pipeline",
        pipeline_name=place.names.delivery_pipeline(kind),
        artifact_bucket=artifacts,
        execution_mode=execution_mode,
        pipeline_type=codepipeline.PipelineType.V2,
        restart_execution_on_update=restart_execution_on_update,
        use_pipeline_role_for_actions=True,
        variables=list(variables),
    )
