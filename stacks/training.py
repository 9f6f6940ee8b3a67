"""One model's training pipeline and registry, in the tooling account."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_sagemaker as sagemaker

from config.model import Model
from config.naming import Names
from pipelines.definition import Surroundings, training_pipeline
from stacks.foundation import ToolingStack
from stacks.place import Place, PlacedStack
from stacks.team import PipelineRole


class TrainingStack(PlacedStack):
    """The SageMaker pipeline that trains one model, and the group in which its packages are registered."""

    def __init__(self, scope: cdk.App, place: Place, *, model: Model, tooling: ToolingStack) -> None:
        super().__init__(scope, place, "training", model.name, description=f"Trains {model.name}.")
        names, job = place.names, tooling.job_roles[model.team]
        group = sagemaker.CfnModelPackageGroup(
            self,
            "Packages",
            model_package_group_name=names.package_group(model.name),
            model_package_group_description=model.description,
        )
        group.apply_removal_policy(place.removal_policy)
        cdk.Tags.of(group).add(Names.TEAM_TAG, model.team)
        runner = PipelineRole(
            self,
            "Runner",
            team=model.team,
            model=model.name,
            group=names.package_group(model.name),
            job=job,
            artifacts=tooling.artifacts,
        )
        definition = training_pipeline(
            model,
            Surroundings(
                data_bucket=tooling.data.bucket_name,
                artifacts_bucket=tooling.artifacts.bucket_name,
                job_role_arn=job.role_arn,
                package_group=group.model_package_group_name,
                signing_key_arn=tooling.signing_key_arn,
                volume_key_arn=tooling.key.key_arn,
                vpc_config=tooling.network.vpc_config() if tooling.network else None,
            ),
        )
        pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=names.training_pipeline(model.name),
            pipeline_description=model.description,
            pipeline_definition={"PipelineDefinitionBody": self.to_json_string(definition)},
            role_arn=runner.role.role_arn,
        )
        pipeline.add_resource_dependency(group)
        pipeline.node.add_dependency(runner)  # with its policy, or the first run may be refused
