"""The pipeline that a push starts: it deploys what all models share, and plans."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks import objects
from stacks.build import STAGE, Build, Deployer, delivery_pipeline, project_arn
from stacks.foundation import ToolingStack
from stacks.handover import Handover
from stacks.images import Images
from stacks.place import Place
from stacks.source import Source
from stacks.watch import WatchStack
from stacks.wave import Wave


class Platform(Construct):
    """push -> Source, Check, Image, Deploy, Plan -> a wave of releases of the models that the push affects."""

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
        wave: Wave,
        topic: sns.ITopic,
        watches: Sequence[WatchStack],
    ) -> None:
        super().__init__(scope, name)
        code, checked = codepipeline.Artifact("Code"), codepipeline.Artifact("Checked")
        handover = Handover(place.names.delivery_pipeline("platform"), tooling.artifacts)
        check = Build(self, "Check", commands=["make setup", "make check"], keeps_files=True)
        source.grant_read(check.project)
        self.pipeline = delivery_pipeline(
            self,
            place,
            "platform",
            artifacts=tooling.artifacts,
            execution_mode=codepipeline.ExecutionMode.QUEUED,
            restart_execution_on_update=True,  # a run that changes its own pipeline is cancelled, so it starts again
        )
        source.trigger(self.pipeline)
        stacks = " ".join(
            place.names.stack(part)
            for part in ("tooling", "staging", "production", "rollback-*", "watch-*", "training-*", "delivery")
        )
        image = " ".join(f"{watch.stack_name}:Image=#{{Image.JOB_IMAGE}}" for watch in watches)
        plan = self._planner(place, source, tooling, images, wave, topic)
        for stage, action in {
            "Source": source.action(code, triggers=True),
            "Check": check.action("Check", code, handover, output=checked),
            "Image": self._image_builder(tooling, images).action("Image", checked, handover),
            "Deploy": deployer.action("Deploy", checked, handover, STACKS=stacks, PARAMETERS=image),
            "Plan": plan.action(
                "Plan", checked, handover, EXECUTION="#{codepipeline.PipelineExecutionId}", REVISION=source.revision
            ),
        }.items():
            self.pipeline.add_stage(stage_name=stage, actions=[action])

    def _image_builder(self, tooling: ToolingStack, images: Images) -> Build:
        build = Build(
            self,
            "Image",
            commands=["make setup", STAGE.format("image")],
            environment={
                "ARTIFACTS_BUCKET": tooling.artifacts.bucket_name,
                "REPOSITORY": tooling.images.repository_uri,
            },
            exports=["JOB_IMAGE", "SUMMARY"],
            docker=True,
        )
        tooling.images.grant_pull_push(build.project)
        build.allow("ecr:DescribeImages", "ecr:DescribeImageScanFindings", on=[tooling.images.repository_arn])
        objects.grant_write(tooling.artifacts, build.project, "sbom/*")
        tooling.grant_get_public_keys(build.project)
        for parameter in images.parameters:
            build.allow("ssm:PutParameter", on=[parameter.parameter_arn])
        return build

    def _planner(
        self, place: Place, source: Source, tooling: ToolingStack, images: Images, wave: Wave, topic: sns.ITopic
    ) -> Build:
        build = Build(
            self,
            "Plan",
            commands=["make setup", STAGE.format("plan")],
            environment={
                "REVISION_TYPE": source.revision_type,
                "TOPIC": topic.topic_arn,
                "WAVE": wave.machine.state_machine_arn,
            },
            exports=["SUMMARY"],
        )
        build.allow("states:StartExecution", on=[wave.machine.state_machine_arn])
        build.allow_telling(topic, tooling.key)
        # What production runs, and with which image.
        build.allow_finding_packages(place)
        build.allow("sagemaker:DescribeEndpoint", on=[project_arn(self, "endpoint", place.project.name)])
        # CloudFormation names these two, so only the kind can be told.
        build.allow("sagemaker:DescribeEndpointConfig", on=[project_arn(self, "endpoint-config")])
        build.allow("sagemaker:DescribeModel", on=[project_arn(self, "model")])
        for parameter in images.parameters:
            build.allow("ssm:GetParameter", on=[parameter.parameter_arn])
        # Stacks of models whose folder is gone have no name that anybody knows: all are listed.
        build.allow("cloudformation:ListStacks", on=["*"])
        return build
