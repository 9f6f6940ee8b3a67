"""Two pipelines, however many models.

*platform* deploys what all share and plans releases; *release* takes one model to production.
"""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.build import Build
from stacks.foundation import EnvironmentStack, ToolingStack
from stacks.place import Place, PlacedStack
from stacks.source import Source, source_of

STAGE = "make stage STAGE={} && . ./stage.env"
"""Runs one program of pipelines/stages and takes over the variables that it leaves."""

NOTHING = "none"
"""The value of a pipeline variable that is not given; CodePipeline knows no empty ones."""


class DeliveryStack(PlacedStack):
    """Both pipelines, in the tooling account."""

    def __init__(
        self, scope: cdk.App, place: Place, *, tooling: ToolingStack, environments: Mapping[str, EnvironmentStack]
    ) -> None:
        super().__init__(scope, place, "delivery", description="The platform pipeline and the release pipeline.")
        source = source_of(self, place.project.source, artifacts=tooling.artifacts)
        images = Images(self, "Images", place)
        deployer = Deployer(self, "Deploy", [tooling, *environments.values()])
        release = Release(self, "Release", place, source=source, tooling=tooling, images=images, deployer=deployer)
        Platform(
            self, "Platform", place, source=source, tooling=tooling, images=images, deployer=deployer, release=release
        )


class Images(Construct):
    """Which image is newest, by target; the platform pipeline writes it, a release reads it."""

    def __init__(self, scope: Construct, name: str, place: Place) -> None:
        super().__init__(scope, name)
        self.parameters = [
            ssm.StringParameter(
                self,
                target.capitalize(),
                parameter_name=place.names.image_parameter(target),
                description=f"The newest {target} image, by digest.",
                string_value=NOTHING,
            )
            for target in ("serving", "job")
        ]


class Deployer(Build):
    """Deploys stacks of a synthesized assembly through the roles that `cdk bootstrap` made in each account."""

    def __init__(self, scope: Construct, name: str, targets: list[PlacedStack]) -> None:
        super().__init__(scope, name, commands=["make setup", "make deploy-stacks"])
        self.allow("sts:AssumeRole", on=sorted({role for stack in targets for role in _bootstrap_roles(stack)}))


class Platform(Construct):
    """push -> Source, Check, Image, Deploy, Plan -> one release for each model that the push affects."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        place: Place,
        *,
        source: Source,
        tooling: ToolingStack,
        images: Images,
        deployer: Deployer,
        release: Release,
    ) -> None:
        super().__init__(scope, name)
        code, checked = codepipeline.Artifact("Code"), codepipeline.Artifact("Checked")
        check = Build(self, "Check", commands=["make setup", "make check"], keeps_files=True)
        source.grant_read(check.project)
        self.pipeline = codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_name=place.names.delivery_pipeline("platform"),
            artifact_bucket=tooling.artifacts,
            execution_mode=codepipeline.ExecutionMode.QUEUED,
            pipeline_type=codepipeline.PipelineType.V2,
            restart_execution_on_update=True,  # a run that changes its own pipeline is cancelled, so it starts again
            use_pipeline_role_for_actions=True,
        )
        source.trigger(self.pipeline)
        stacks = " ".join(
            place.names.stack(part) for part in ("tooling", "staging", "production", "training-*", "delivery")
        )
        plan = self._planner(place, source, release)
        for stage, action in {
            "Source": source.action(code, triggers=True),
            "Check": check.action("Check", code, output=checked),
            "Image": self._image_builder(tooling, images).action("Image", checked),
            "Deploy": deployer.action("Deploy", checked, STACKS=stacks),
            "Plan": plan.action("Plan", checked, REVISION=source.revision),
        }.items():
            self.pipeline.add_stage(stage_name=stage, actions=[action])

    def _image_builder(self, tooling: ToolingStack, images: Images) -> Build:
        build = Build(
            self,
            "Image",
            commands=["make setup", STAGE.format("image")],
            environment={"REPOSITORY": tooling.images.repository_uri},
            exports=["SUMMARY"],
            docker=True,
        )
        tooling.images.grant_pull_push(build.project)
        build.allow("ecr:DescribeImages", on=[tooling.images.repository_arn])
        for parameter in images.parameters:
            build.allow("ssm:PutParameter", on=[parameter.parameter_arn])
        return build

    def _planner(self, place: Place, source: Source, release: Release) -> Build:
        build = Build(
            self,
            "Plan",
            commands=["make setup", STAGE.format("plan")],
            environment={"REVISION_TYPE": source.revision_type},
            exports=["SUMMARY"],
        )
        build.allow("codepipeline:StartPipelineExecution", on=[release.pipeline.pipeline_arn])
        build.allow("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages", on=[_packages(self, place)])
        return build


class Release(Construct):
    """Train -> Staging -> Verify -> Approve -> Production -> Confirm, for the model that the variable MODEL names.

    A run without a model, and a run whose training is refused by the gate, skips what follows and succeeds.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        place: Place,
        *,
        source: Source,
        tooling: ToolingStack,
        images: Images,
        deployer: Deployer,
    ) -> None:
        super().__init__(scope, name)
        code, trained = codepipeline.Artifact("Code"), codepipeline.Artifact("Trained")
        self.pipeline = codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_name=place.names.delivery_pipeline("release"),
            artifact_bucket=tooling.artifacts,
            execution_mode=codepipeline.ExecutionMode.PARALLEL,
            pipeline_type=codepipeline.PipelineType.V2,
            use_pipeline_role_for_actions=True,
            variables=[
                _variable("MODEL", "The model to release."),
                _variable("PACKAGE", "ARN of the package to release; none trains a new one."),
                _variable("REASON", "Why, for the people who approve."),
            ],
        )
        train = self._trainer(place, source, tooling, images)
        verifier = self._verifier(place, tooling)
        model, package = "#{variables.MODEL}", "#{Train.PACKAGE}"
        start = {
            "Source": source.action(code, triggers=False),
            "Train": train.action(
                "Train", code, output=trained, MODEL=model, PACKAGE="#{variables.PACKAGE}", REASON="#{variables.REASON}"
            ),
        }
        for stage, action in start.items():
            self.pipeline.add_stage(stage_name=stage, actions=[action])
        for stage, action in {
            "Staging": self._deploy(deployer, "Staging", trained),
            "Verify": verifier.action("Verify", trained, MODEL=model, PACKAGE=package, ENVIRONMENT="staging"),
            "Approve": self._approval(place, tooling),
            "Production": self._deploy(deployer, "Production", trained),
            "Confirm": verifier.action("Confirm", trained, MODEL=model, PACKAGE=package, ENVIRONMENT="production"),
        }.items():
            self.pipeline.add_stage(stage_name=stage, actions=[action], before_entry=_registered(stage))

    def _deploy(self, deployer: Deployer, stage: str, trained: codepipeline.Artifact) -> codepipeline.IAction:
        name = f"#{{Train.STACK}}-{stage.lower()}"
        return deployer.action(stage, trained, STACKS=name, PARAMETERS=f"{name}:Package=#{{Train.PACKAGE}}")

    def _approval(self, place: Place, tooling: ToolingStack) -> codepipeline.IAction:
        topic = sns.Topic(self, "Approvals", enforce_ssl=True, master_key=tooling.key)
        for address in dict.fromkeys(owner for team in place.project.teams.values() for owner in team.owners):
            topic.add_subscription(subscriptions.EmailSubscription(address))
        return actions.ManualApprovalAction(
            action_name="Approve",
            additional_information="#{variables.MODEL}: #{Train.SUMMARY} Reason: #{variables.REASON}",
            notification_topic=topic,
        )

    def _trainer(self, place: Place, source: Source, tooling: ToolingStack, images: Images) -> Build:
        build = Build(
            self,
            "Train",
            commands=["make setup", STAGE.format("train"), "make synth"],
            environment={"ARTIFACTS_BUCKET": tooling.artifacts.bucket_name},
            exports=["OUTCOME", "PACKAGE", "STACK", "SUMMARY"],
            keeps_files=True,
        )
        source.grant_read(build.project)
        tooling.artifacts.grant_put(build.project, "*/code/*")
        tooling.artifacts.grant_read(build.project, "*/runs/*")
        for parameter in images.parameters:
            build.allow("ssm:GetParameter", on=[parameter.parameter_arn])
        build.allow(
            "sagemaker:StartPipelineExecution",
            "sagemaker:DescribePipelineExecution",
            "sagemaker:ListPipelineExecutionSteps",
            on=[_sagemaker(self, "pipeline", place), f"{_sagemaker(self, 'pipeline', place)}/execution/*"],
        )
        build.allow("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages", on=[_packages(self, place)])
        return build

    def _verifier(self, place: Place, tooling: ToolingStack) -> Build:
        build = Build(self, "Verify", commands=["make setup", STAGE.format("verify")], exports=["SUMMARY"])
        tooling.artifacts.grant_read(build.project, "*/runs/*")
        build.allow("sagemaker:DescribeModelPackage", on=[_packages(self, place)])
        build.allow("sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint", on=[_sagemaker(self, "endpoint", place)])
        # CloudFormation names these two, so only the kind can be told.
        build.allow("sagemaker:DescribeEndpointConfig", on=[_sagemaker(self, "endpoint-config")])
        build.allow("sagemaker:DescribeModel", on=[_sagemaker(self, "model")])
        return build


def _variable(name: str, description: str) -> codepipeline.Variable:
    return codepipeline.Variable(variable_name=name, default_value=NOTHING, description=description)


def _registered(stage: str) -> codepipeline.Conditions:
    """Skips a stage unless training has registered a package."""
    rule = codepipeline.Rule(
        name=f"Registered{stage}",
        provider="VariableCheck",
        version="1",
        configuration={"Variable": "#{Train.OUTCOME}", "Operator": "EQ", "Value": "registered"},
    )
    return codepipeline.Conditions(conditions=[codepipeline.Condition(rules=[rule], result=codepipeline.Result.SKIP)])


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


def _packages(scope: Construct, place: Place) -> str:
    return _sagemaker(scope, "model-package", place)


def _sagemaker(scope: Construct, resource: str, place: Place | None = None) -> str:
    """The ARN of the project's SageMaker resources of a kind; without a place, of all of that kind."""
    prefix = f"{place.project.name}-*" if place else "*"
    return cdk.Stack.of(scope).format_arn(service="sagemaker", resource=resource, resource_name=prefix)
