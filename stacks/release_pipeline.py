"""The pipeline that takes one model from training to production."""

from __future__ import annotations

from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from config.naming import NOTHING
from stacks.build import STAGE, Build, Deployer, delivery_pipeline, project_arn
from stacks.foundation import ToolingStack
from stacks.images import Images
from stacks.place import Place
from stacks.source import Source


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
        self.pipeline = delivery_pipeline(
            self,
            place,
            "release",
            artifacts=tooling.artifacts,
            execution_mode=codepipeline.ExecutionMode.PARALLEL,
            variables=[
                _variable("MODEL", "The model to release."),
                _variable("PACKAGE", "ARN of the package to release; none trains a new one."),
                _variable("REASON", "Why, for the people who approve."),
                _variable("RETRAINING", "The id of the retraining that this is, where a red light started it."),
            ],
        )
        train = self._trainer(place, source, tooling, images)
        verifier = self._verifier(place, tooling)
        model, package = "#{variables.MODEL}", "#{Train.PACKAGE}"
        start = {
            "Source": source.action(code, triggers=False),
            "Train": train.action(
                "Train",
                code,
                output=trained,
                MODEL=model,
                PACKAGE="#{variables.PACKAGE}",
                RETRAINING="#{variables.RETRAINING}",
                REVISION=source.revision,
                REVISION_TYPE=source.revision_type,
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
        pipelines = project_arn(self, "pipeline", place.project.name)
        build.allow(
            "sagemaker:StartPipelineExecution",
            "sagemaker:DescribePipelineExecution",
            "sagemaker:ListPipelineExecutionSteps",
            on=[pipelines, f"{pipelines}/execution/*"],
        )
        build.allow_reading_packages(place)
        return build

    def _verifier(self, place: Place, tooling: ToolingStack) -> Build:
        build = Build(self, "Verify", commands=["make setup", STAGE.format("verify")], exports=["SUMMARY"])
        tooling.artifacts.grant_read(build.project, "*/runs/*")
        build.allow("sagemaker:DescribeModelPackage", on=[project_arn(self, "model-package", place.project.name)])
        build.allow(
            "sagemaker:DescribeEndpoint",
            "sagemaker:InvokeEndpoint",
            on=[project_arn(self, "endpoint", place.project.name)],
        )
        # CloudFormation names these two, so only the kind can be told.
        build.allow("sagemaker:DescribeEndpointConfig", on=[project_arn(self, "endpoint-config")])
        build.allow("sagemaker:DescribeModel", on=[project_arn(self, "model")])
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
