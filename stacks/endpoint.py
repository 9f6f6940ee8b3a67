"""Real-time hosting of one model: model, variant, endpoint, scaling, alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from config.hosting import Dedicated, Hosting, Serverless
from config.naming import Names
from config.rollout import Rollout
from stacks.network import Network
from stacks.rollout import deployment
from stacks.volumes import hosting_key

VARIANT = "AllTraffic"


@dataclass(frozen=True)
class Capture:
    """Keeps a share of the requests with their answers below `folder`, encrypted as the bucket is.

    SageMaker's own capture takes bodies as they were sent; the model server's log can mask what is sensitive in them.
    """

    records: s3.IBucket
    folder: str
    percent: int
    sensitive: Literal["masked", "as-sent"] | None = None
    """What becomes of sensitive features; None where there are none."""

    def properties(self) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty:
        """As an endpoint's configuration says it."""
        option = sagemaker.CfnEndpointConfig.CaptureOptionProperty
        return sagemaker.CfnEndpointConfig.DataCaptureConfigProperty(
            capture_options=[option(capture_mode="Input"), option(capture_mode="Output")],
            destination_s3_uri=f"s3://{self.records.bucket_name}/{self.folder}",
            enable_capture=True,
            initial_sampling_percentage=self.percent,
        )


class Endpoint(Construct):
    """An endpoint that serves one model package; its name never changes, what is behind it does."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        endpoint_name: str,
        model_name: str,
        package_arn: str,
        role: iam.IRole,
        key: kms.IKey,
        hosting: Hosting,
        capture: Capture | None,
        network: Network | None = None,
    ) -> None:
        super().__init__(scope, name)
        self.endpoint_name = endpoint_name
        self.hosting = hosting
        # Model and config have no names: both are create-only, so CloudFormation replaces them and SageMaker moves the
        # traffic. The old ones are kept, because a rollback may still need them after CloudFormation has moved on.
        self.model = sagemaker.CfnModel(
            self,
            "Model",
            enable_network_isolation=True if isinstance(hosting, Dedicated) else None,
            execution_role_arn=role.role_arn,
            # A container does not know by itself which endpoint's metrics it counts, nor whose package it should get.
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                model_package_name=package_arn,
                environment={
                    "ENDPOINT_NAME": endpoint_name,
                    "MODEL_NAME": model_name,
                    **_own_records(hosting, capture),
                },
            ),
            vpc_config=_vpc_config(network),
        )
        self.config = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            production_variants=[_variant(self.model, hosting)],
            kms_key_id=hosting_key(key, hosting),
            data_capture_config=capture.properties() if capture and not _in_log(hosting, capture) else None,
        )
        for resource in (self.model, self.config):
            cdk.Tags.of(resource).add(Names.ENDPOINT_TAG, endpoint_name)  # by which what was kept is found again
            resource.cfn_options.update_replace_policy = cdk.CfnDeletionPolicy.RETAIN
            resource.cfn_options.deletion_policy = cdk.CfnDeletionPolicy.DELETE
        self.endpoint = sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=endpoint_name,
            endpoint_config_name=self.config.attr_endpoint_config_name,
        )
        if isinstance(hosting, Dedicated) and hosting.scaling:
            self._keep_scale()
            self._scale(hosting)

    def roll_out(
        self,
        rollout: Rollout,
        *,
        gradual: cdk.CfnCondition,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        """Says how a release takes over, under the condition *gradual*; one of *alarms* brings the old fleet back."""
        names = [*(alarm.alarm_name for alarm in alarms), *rollout.alarms]
        self.endpoint.deployment_config = cdk.Fn.condition_if(
            gradual.logical_id, deployment(rollout, names), cdk.Aws.NO_VALUE
        )
        # SageMaker looks the alarms up before it begins.
        self.endpoint.node.add_dependency(*alarms)

    def _keep_scale(self) -> None:
        """A release keeps the number of instances that scaling has set; what it captures is its own."""
        self.endpoint.retain_all_variant_properties = True
        self.endpoint.exclude_retained_variant_properties = [
            sagemaker.CfnEndpoint.VariantPropertyProperty(variant_property_type=kind)
            for kind in ("DataCaptureConfig", "DesiredWeight")
        ]

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets *grantee* ask this endpoint for predictions."""
        arn = cdk.Stack.of(self).format_arn(service="sagemaker", resource="endpoint", resource_name=self.endpoint_name)
        return iam.Grant.add_to_principal(grantee=grantee, actions=["sagemaker:InvokeEndpoint"], resource_arns=[arn])

    def metric(self, name: str, statistic: str, *, minutes: int = 1) -> cloudwatch.Metric:
        """A metric of the endpoint's requests; latencies are in microseconds."""
        return self._metric("AWS/SageMaker", name, statistic, minutes)

    def metric_instance(self, name: str, *, statistic: str = "Average", minutes: int = 5) -> cloudwatch.Metric:
        """A metric of the endpoint's instances, in percent of one core, of the memory, of the disk."""
        return self._metric("/aws/sagemaker/Endpoints", name, statistic, minutes)

    def _metric(self, namespace: str, name: str, statistic: str, minutes: int) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            dimensions_map={"EndpointName": self.endpoint_name, "VariantName": VARIANT},
            period=cdk.Duration.minutes(minutes),
            statistic=statistic,
        )

    def _scaling_role(self) -> str:
        """The role that Application Auto Scaling itself makes for SageMaker; it takes no other."""
        service = "sagemaker.application-autoscaling.amazonaws.com"
        name = f"aws-service-role/{service}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
        return cdk.Stack.of(self).format_arn(service="iam", region="", resource="role", resource_name=name)

    def _scale(self, hosting: Dedicated) -> None:
        assert hosting.scaling
        target = autoscaling.ScalableTarget(
            self,
            "Scaling",
            service_namespace=autoscaling.ServiceNamespace.SAGEMAKER,
            resource_id=f"endpoint/{self.endpoint_name}/variant/{VARIANT}",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            min_capacity=hosting.instances,
            max_capacity=hosting.scaling.maximum,
            role=iam.Role.from_role_arn(self, "ScalingRole", self._scaling_role(), mutable=False),
        )
        target.node.add_dependency(self.endpoint)
        target.scale_to_track_metric(
            "Invocations",
            predefined_metric=autoscaling.PredefinedMetric.SAGEMAKER_VARIANT_INVOCATIONS_PER_INSTANCE,
            target_value=hosting.scaling.invocations_per_instance,
        )


def _own_records(hosting: Hosting, capture: Capture | None) -> dict[str, str]:
    """Where SageMaker captures nothing, the model server writes what it answered into its log."""
    if capture is None or not _in_log(hosting, capture):
        return {}
    sensitive = {"RECORD_SENSITIVE": capture.sensitive} if capture.sensitive else {}
    return {"RECORD_PERCENT": str(capture.percent), **sensitive}


def _in_log(hosting: Hosting, capture: Capture) -> bool:
    """SageMaker refuses to capture on serverless endpoints, and cannot mask a value anywhere."""
    return isinstance(hosting, Serverless) or capture.sensitive == "masked"


def _vpc_config(network: Network | None) -> sagemaker.CfnModel.VpcConfigProperty | None:
    """Where the containers of the endpoint are, and those of the transform jobs of its model."""
    if network is None:
        return None
    return sagemaker.CfnModel.VpcConfigProperty(
        security_group_ids=list(network.security_groups), subnets=list(network.subnets)
    )


def _variant(model: sagemaker.CfnModel, hosting: Hosting) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
    variant = sagemaker.CfnEndpointConfig.ProductionVariantProperty
    match hosting:
        case Dedicated():
            return variant(
                model_name=model.attr_model_name,
                variant_name=VARIANT,
                initial_variant_weight=1,
                instance_type=hosting.instance,
                initial_instance_count=hosting.instances,
            )
        case Serverless():
            return variant(
                model_name=model.attr_model_name,
                variant_name=VARIANT,
                initial_variant_weight=1,
                serverless_config=sagemaker.CfnEndpointConfig.ServerlessConfigProperty(
                    memory_size_in_mb=hosting.memory_mb, max_concurrency=hosting.concurrency
                ),
            )
    assert_never(hosting)
