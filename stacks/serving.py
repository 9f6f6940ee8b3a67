"""One model in one environment."""

from __future__ import annotations

import aws_cdk as cdk
import jsii
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from config.model import Model
from stacks.batch import Batch
from stacks.endpoint import Capture, Endpoint, EndpointAlarms
from stacks.foundation import EnvironmentStack
from stacks.place import Place, PlacedStack


class ServingStack(PlacedStack):
    """Endpoint, batch and alarms of one model in one environment; written by the release pipeline alone.

    The parameter Package names the model package that serves. Without one the stack has no endpoint, so that the first
    deployment does not wait for a first model.
    """

    def __init__(self, scope: cdk.App, place: Place, *, model: Model, environment: EnvironmentStack) -> None:
        super().__init__(
            scope, place, "serving", model.name, place.name, description=f"Serves {model.name} in {place.name}."
        )
        package = cdk.CfnParameter(
            self, "Package", default="", description="ARN of the model package that serves; empty for none."
        )
        released = cdk.CfnCondition(
            self, "Released", expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(package.value_as_string, ""))
        )
        endpoint_name = place.names.endpoint(model.name, place.name)
        self._log_group(f"/aws/sagemaker/Endpoints/{endpoint_name}")
        live = Construct(self, "Live")
        self.endpoint = Endpoint(
            live,
            "RealTime",
            endpoint_name=endpoint_name,
            package_arn=package.value_as_string,
            role=environment.serving_roles[model.team],
            hosting=model.hosting,
            capture=None
            if model.monitoring.none
            else Capture(environment.records, f"capture/{model.team}", model.monitoring.capture_percent),
        )
        self.batch = Batch(
            live,
            "Batch",
            machine_name=place.names.batch(model.name, place.name),
            job_prefix=endpoint_name,
            folder=f"batch/{model.team}/{model.name}",
            records=environment.records,
            model=self.endpoint.model,
            fleet=model.batch,
            log_retention=place.log_retention,
        )
        if model.monitoring.alarms:
            EndpointAlarms(
                live,
                "Alarms",
                endpoint=self.endpoint,
                limits=model.monitoring.alarms,
                topic=environment.alerts[model.team],
            )
        cdk.Aspects.of(live).add(_OnlyWhen(released))
        cdk.CfnOutput(self, "EndpointName", value=endpoint_name)
        cdk.CfnOutput(self, "PackageArn", value=package.value_as_string, condition=released)

    def _log_group(self, name: str) -> None:
        logs.LogGroup(
            self,
            "Log",
            log_group_name=name,
            removal_policy=self.place.removal_policy,
            retention=self.place.log_retention,
        )


@jsii.implements(cdk.IAspect)
class _OnlyWhen:
    """Puts every resource below a construct under one condition."""

    def __init__(self, condition: cdk.CfnCondition) -> None:
        self._condition = condition

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, cdk.CfnResource):
            node.cfn_options.condition = self._condition
