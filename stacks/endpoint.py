"""Real-time hosting of one model: model, variant, endpoint, scaling, alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from config.hosting import Dedicated, Hosting, Serverless
from config.model import Alarms
from config.naming import Names

VARIANT = "AllTraffic"


@dataclass(frozen=True)
class Capture:
    """Keeps a share of the requests with their answers below `folder`, encrypted as the bucket is."""

    records: s3.IBucket
    folder: str
    percent: int

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
        package_arn: str,
        role: iam.IRole,
        hosting: Hosting,
        capture: Capture | None,
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
            # A container does not know by itself which endpoint's metrics it counts.
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                model_package_name=package_arn,
                environment={"ENDPOINT_NAME": endpoint_name, **_own_records(hosting, capture)},
            ),
        )
        self.config = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            production_variants=[_variant(self.model, hosting)],
            # SageMaker refuses to capture on serverless endpoints.
            data_capture_config=capture.properties() if capture and isinstance(hosting, Dedicated) else None,
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
            # A release keeps the number of instances that scaling had set.
            retain_all_variant_properties=isinstance(hosting, Dedicated) and hosting.scaling is not None,
        )
        if isinstance(hosting, Dedicated) and hosting.scaling:
            self._scale(hosting)

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
        )
        target.node.add_dependency(self.endpoint)
        target.scale_to_track_metric(
            "Invocations",
            predefined_metric=autoscaling.PredefinedMetric.SAGEMAKER_VARIANT_INVOCATIONS_PER_INSTANCE,
            target_value=hosting.scaling.invocations_per_instance,
        )


class EndpointAlarms(Construct):
    """The alarms of an endpoint. They tell nobody themselves: one alarm over them does, once for one cause."""

    def __init__(
        self, scope: Construct, name: str, *, endpoint: Endpoint, limits: Alarms, topic: sns.ITopic, look_at: str
    ) -> None:
        super().__init__(scope, name)
        self._endpoint = endpoint
        self.children: list[cloudwatch.Alarm] = []
        self._add_requests(limits)
        if isinstance(endpoint.hosting, Dedicated):
            self._add_instances(limits, endpoint.hosting)
        self.composite = self._over_all(topic, look_at)

    def _over_all(self, topic: sns.ITopic, look_at: str) -> cloudwatch.CompositeAlarm:
        in_alarm = cloudwatch.AlarmState.ALARM
        alarm = cloudwatch.CompositeAlarm(
            self,
            "Endpoint",
            composite_alarm_name=self._endpoint.endpoint_name,
            alarm_description=(
                f"{self._endpoint.endpoint_name} fails, is slow, or runs out of machine. Which alarm below went off, "
                f"and what that one says, is what to do. Look at {look_at}"
            ),
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(cloudwatch.AlarmRule.from_alarm(child, in_alarm) for child in self.children)
            ),
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_ok_action(actions.SnsAction(topic))
        return alarm

    def _add_requests(self, limits: Alarms) -> None:
        metric = self._endpoint.metric
        # SageMaker publishes 0 or 1 for each invocation, so the average is the share of failures.
        self._alarm(
            "Errors5xx",
            metric("Invocation5XXErrors", cloudwatch.Stats.AVERAGE),
            above=limits.errors_5xx_percent / 100,
            periods=2,
            advice="The model or its server fails. Read the endpoint's log; if it began with a release, go back.",
        )
        self._alarm(
            "Errors4xx",
            metric("Invocation4XXErrors", cloudwatch.Stats.AVERAGE, minutes=5),
            above=limits.errors_4xx_percent / 100,
            periods=3,
            advice="Callers send what the model refuses. Look for a changed caller or a changed schema.",
        )
        self._alarm(
            "ModelLatency",
            metric("ModelLatency", "p99"),
            above=limits.latency_p99_ms * 1000,
            periods=3,
            advice="The model answers slowly. Look at CPU, at the size of requests, at the newest release.",
        )
        self._alarm(
            "OverheadLatency",
            metric("OverheadLatency", "p99"),
            above=limits.overhead_p99_ms * 1000,
            periods=3,
            advice="SageMaker adds the delay, not the model. Look at the size of requests and at AWS Health.",
        )
        if limits.expect_traffic:
            self._alarm(
                "NoInvocations",
                metric("Invocations", cloudwatch.Stats.SUM, minutes=60),
                below=1,
                periods=1,
                advice="Nobody has called for an hour. Look at the callers, their permissions and the network.",
            )

    def _add_instances(self, limits: Alarms, hosting: Dedicated) -> None:
        cores = vcpus(hosting.instance)
        for name, scale in {"CPU": cores, "Memory": 1, "Disk": 1}.items():
            self._alarm(
                name,
                self._endpoint.metric_instance(f"{name}Utilization"),
                above=limits.utilization_percent * scale,
                periods=3,
                advice=f"{name} of an instance runs out. Scale out, or take a larger instance.",
            )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.Metric,
        *,
        periods: int,
        advice: str,
        above: float | None = None,
        below: float | None = None,
    ) -> None:
        quiet = cloudwatch.TreatMissingData
        operator = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._endpoint.endpoint_name}-{name}",
            alarm_description=advice,
            metric=metric,
            threshold=below if above is None else above,
            comparison_operator=operator.LESS_THAN_THRESHOLD if above is None else operator.GREATER_THAN_THRESHOLD,
            evaluation_periods=periods,
            treat_missing_data=quiet.BREACHING if above is None else quiet.NOT_BREACHING,
        )
        self.children.append(alarm)


def vcpus(instance: str) -> int:
    """The virtual CPUs of an instance type; SageMaker's CPUUtilization counts 100 % for each of them."""
    size = instance.rsplit(".", 1)[-1]
    if size in ("medium", "large"):
        return 2
    factor = size.removesuffix("xlarge").removesuffix("x")
    return 4 * int(factor or 1) if size.endswith("xlarge") else 2


def _own_records(hosting: Hosting, capture: Capture | None) -> dict[str, str]:
    """Where SageMaker captures nothing, the model server writes what it answered into its log."""
    return {"RECORD_PERCENT": str(capture.percent)} if capture and isinstance(hosting, Serverless) else {}


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
