"""What the stages of a release run, each under a role of its own that may do that and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from config.naming import Names
from stacks import objects
from stacks.build import STAGE, Build, pipeline_arn, project_arn
from stacks.foundation import ToolingStack
from stacks.images import Images
from stacks.place import Place, PlacedStack
from stacks.source import Source


class ReleaseBuilds(Construct):
    """The builds of a release, in the order of its stages."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        place: Place,
        *,
        source: Source,
        tooling: ToolingStack,
        images: Images,
        topic: sns.ITopic,
        targets: Sequence[PlacedStack],
    ) -> None:
        super().__init__(scope, name)
        self._place, self._tooling = place, tooling
        self._environment = {
            "ARTIFACTS_BUCKET": tooling.artifacts.bucket_name,
            "TOPIC": topic.topic_arn,
            # The stage Check of the platform pipeline has validated this commit, which takes as long as the synthesis.
            "CDK_VALIDATION": "false",
        }
        self.train = self._train(source, images)
        self.serve = self._serve(targets)
        self.verify = self._build("verify", "SUMMARY", "REPORT")
        self._let_hold(self.verify, "staging")
        self.verify.allow("cloudwatch:DescribeAlarms", on=[self._alarms(place.project.name)])
        objects.grant_write(tooling.artifacts, self.verify.project, "*/releases/*")
        self.decide = self._build("decide", "APPROVAL", "SUMMARY")
        self._let_open(self.decide)
        objects.grant_read(tooling.artifacts, self.decide.project, "*/releases/*")
        self.confirm = self._build("confirm", "SUMMARY")
        self._let_hold(self.confirm, "production")
        self._let_sweep(self.confirm)
        # What a stack holds is not swept, and is what the endpoint has to run.
        self.confirm.allow("cloudformation:DescribeStacks", "cloudformation:ListStackResources", on=[self._stacks()])
        for build in (self.serve, self.decide, self.confirm):
            build.allow_telling(topic, tooling.key)

    def _build(self, stage: str, *exports: str) -> Build:
        commands = ["make setup", STAGE.format(stage)]
        return Build(self, stage.capitalize(), commands=commands, environment=self._environment, exports=exports)

    def _train(self, source: Source, images: Images) -> Build:
        build = Build(
            self,
            "Train",
            commands=["make setup", STAGE.format("train"), "ONLY_MODEL=$MODEL make synth"],
            environment=self._environment,
            exports=["OUTCOME", "PACKAGE", "STACK", "SUMMARY"],
            keeps_files=True,
            but=("benchmarks", "data", "docs", "local_aws", "tests"),
        )
        source.grant_read(build.project)
        objects.grant_write(self._tooling.artifacts, build.project, "*/code/*")
        self._let_open(build)
        build.allow_finding_packages(self._place)
        for parameter in images.parameters:
            build.allow("ssm:GetParameter", on=[parameter.parameter_arn])
        project = self._place.project.name
        pipelines = project_arn(self, "pipeline", project)
        build.allow(
            "sagemaker:StartPipelineExecution",
            "sagemaker:DescribePipelineExecution",
            "sagemaker:ListPipelineExecutionSteps",
            on=[pipelines, f"{pipelines}/execution/*"],
        )
        # Where only the image has changed, it registers the package's model data with the new one.
        kinds = ("model-package", "model-package-group")
        build.allow("sagemaker:CreateModelPackage", on=[project_arn(self, kind, project) for kind in kinds])
        return build

    def _serve(self, targets: Sequence[PlacedStack]) -> Build:
        build = self._build("serve", "SUMMARY")
        build.allow_deploying(targets)
        names = self._place.names
        build.allow(
            "codepipeline:GetPipelineExecution",
            "codepipeline:ListActionExecutions",
            "codepipeline:ListPipelineExecutions",
            on=[pipeline_arn(self, self._place, "release")],
        )
        build.allow("cloudformation:DescribeStackEvents", "cloudformation:DescribeStacks", on=[self._stacks()])
        self._let_see(build)
        self._let_scale(build, names)
        return build

    def _let_see(self, build: Build) -> None:
        """How a model's endpoint is, and what the registry says of a package."""
        project = self._place.project.name
        build.allow_reading_packages(self._place)
        build.allow("sagemaker:DescribeEndpoint", on=[project_arn(self, "endpoint", project)])
        # CloudFormation names it, so only the kind can be told.
        build.allow("sagemaker:DescribeEndpointConfig", on=[project_arn(self, "endpoint-config")])

    def _let_open(self, build: Build) -> None:
        """Which package an endpoint runs, and what is in one: its evaluation, its golden requests, its card."""
        self._let_see(build)
        build.allow("sagemaker:DescribeModel", on=[project_arn(self, "model")])  # CloudFormation names it too
        objects.grant_read(self._tooling.artifacts, build.project, "*/runs/*")

    def _let_hold(self, build: Build, environment: str) -> None:
        """It asks the endpoints of an environment, and compares with what their packages say."""
        self._let_open(build)
        endpoints = f"{project_arn(self, 'endpoint', self._place.project.name)}-{environment}"
        build.allow("sagemaker:InvokeEndpoint", on=[endpoints])

    def _let_scale(self, build: Build, names: Names) -> None:
        """Takes a variant out of scaling and puts it back, because its instance type cannot change under scaling."""
        stack = cdk.Stack.of(self)
        targets = stack.format_arn(service="application-autoscaling", resource="scalable-target", resource_name="*")
        build.allow(
            "application-autoscaling:DeregisterScalableTarget",
            "application-autoscaling:PutScalingPolicy",
            "application-autoscaling:RegisterScalableTarget",
            on=[targets],
        )
        build.allow(
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:DescribeScalingPolicies",
            on=["*"],
        )  # these two have no resource
        # A policy's alarms are made with the rights of who puts it.
        build.allow(
            "cloudwatch:DeleteAlarms",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:PutMetricAlarm",
            on=[self._alarms(f"TargetTracking-endpoint/{names.project}")],
        )

    def _let_sweep(self, build: Build) -> None:
        """Deletes models and endpoint configs that carry the tag of one of the project's endpoints."""
        kinds = [project_arn(self, kind) for kind in ("endpoint-config", "model")]
        build.allow("sagemaker:ListEndpointConfigs", "sagemaker:ListModels", on=["*"])  # they have no resource
        build.allow("sagemaker:ListTags", on=kinds)
        build.project.add_to_role_policy(
            iam.PolicyStatement(
                actions=["sagemaker:DeleteEndpointConfig", "sagemaker:DeleteModel"],
                resources=kinds,
                conditions={"StringLike": {f"aws:ResourceTag/{Names.ENDPOINT_TAG}": f"{self._place.project.name}-*"}},
            )
        )

    def _stacks(self) -> str:
        return cdk.Stack.of(self).format_arn(
            service="cloudformation", resource="stack", resource_name=f"{self._place.names.stack('serving')}-*/*"
        )

    def _alarms(self, prefix: str) -> str:
        return cdk.Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=f"{prefix}-*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
