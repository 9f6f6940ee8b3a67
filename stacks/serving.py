"""One model in one environment."""

from __future__ import annotations

import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from config.model import Model
from config.naming import NOTHING, Names
from stacks.alarms import EndpointAlarms
from stacks.batch import Batch
from stacks.dashboard import ModelDashboard, dashboard_link
from stacks.endpoint import Capture, Endpoint
from stacks.foundation import EnvironmentStack
from stacks.place import OnlyWhen, Place, PlacedStack

_COLON = cdk.ArnFormat.COLON_RESOURCE_NAME


class ServingStack(PlacedStack):
    """Endpoint, batch and alarms of one model in one environment; written by the release pipeline alone.

    The parameter Package names the model package that serves. Without one the stack has no endpoint, so that the first
    deployment does not wait for a first model. Release says who wrote the stack, Rollout how traffic shifts.
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
        release = cdk.CfnParameter(
            self, "Release", default=NOTHING, description="When the release that wrote this began, and its execution."
        )
        gradual = self._gradual()
        endpoint_name = place.names.endpoint(model.name, place.name)
        log = self._log_group(f"/aws/sagemaker/Endpoints/{endpoint_name}")
        live = Construct(self, "Live")
        watched = place.is_watched and not model.monitoring.none
        self.endpoint = Endpoint(
            live,
            "RealTime",
            endpoint_name=endpoint_name,
            model_name=model.name,
            package_arn=package.value_as_string,
            role=environment.serving_roles[model.team],
            key=environment.key,
            hosting=model.hosting,
            capture=_capture(model, environment) if watched else None,
            network=environment.network,
        )
        for resource in (log, self.endpoint.model, self.endpoint.config, self.endpoint.endpoint):
            cdk.Tags.of(resource).add(Names.TEAM_TAG, model.team)
        # SageMaker makes the group itself where a container writes first, and then CloudFormation cannot.
        self.endpoint.endpoint.node.add_dependency(log)
        self.batch = Batch(
            live,
            "Batch",
            machine_name=place.names.batch(model.name, place.name),
            settings=model,
            endpoint=self.endpoint,
            package_arn=package.value_as_string,
            records=environment.records,
            role=environment.serving_roles[model.team],
            key=environment.key,
            topic=environment.alerts[model.team] if model.monitoring.alarms else None,
            log_retention=place.log_retention,
            network=environment.network,
        )
        alarms = self._alarms(live, model, environment, watched=watched)
        self._roll_out(live, model, environment, gradual, alarms)
        if watched:
            self._watch(live, model, environment, alarms)
        cdk.Aspects.of(live).add(OnlyWhen(released))
        cdk.CfnOutput(self, "EndpointName", value=endpoint_name)
        cdk.CfnOutput(self, "PackageArn", value=package.value_as_string, condition=released)
        cdk.CfnOutput(self, "ReleasedBy", value=release.value_as_string)

    def _gradual(self) -> cdk.CfnCondition:
        rollout = cdk.CfnParameter(
            self,
            "Rollout",
            default="gradual",
            allowed_values=["gradual", "at-once"],
            description="Whether traffic shifts as the model says, or at once, as on the way back.",
        )
        return cdk.CfnCondition(self, "Gradual", expression=cdk.Fn.condition_equals(rollout.value_as_string, "gradual"))

    def _roll_out(
        self,
        scope: Construct,
        model: Model,
        environment: EnvironmentStack,
        gradual: cdk.CfnCondition,
        alarms: EndpointAlarms | None,
    ) -> None:
        assert model.rollout
        if model.rollout.alarms:
            self._let_look_at(scope, model.rollout.alarms, environment.serving_roles[model.team])
        watched = alarms.of(model.rollout.rollback_on) if alarms else []
        self.endpoint.roll_out(model.rollout, gradual=gradual, alarms=watched)

    def _let_look_at(self, scope: Construct, alarms: Sequence[str], role: iam.IRole) -> None:
        """SageMaker asks for a roll-out's alarms under the endpoint's role, which knows only the project's own."""
        arns = [
            self.format_arn(service="cloudwatch", resource="alarm", resource_name=name, arn_format=_COLON)
            for name in alarms
        ]
        statement = iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=arns)
        policy = iam.Policy(scope, "OtherAlarms", statements=[statement], roles=[role])
        self.endpoint.endpoint.node.add_dependency(policy)

    def _alarms(
        self, scope: Construct, model: Model, environment: EnvironmentStack, *, watched: bool
    ) -> EndpointAlarms | None:
        if not model.monitoring.alarms:
            return None
        dashboard = self.place.names.dashboard(self.place.name, model.name)
        return EndpointAlarms(
            scope,
            "Alarms",
            endpoint=self.endpoint,
            limits=model.monitoring.alarms,
            topic=environment.alerts[model.team],
            look_at=dashboard_link(self, dashboard) if watched else f"the log of {self.endpoint.endpoint_name}",
        )

    def _watch(
        self, scope: Construct, model: Model, environment: EnvironmentStack, alarms: EndpointAlarms | None
    ) -> None:
        """What the watch and people look at; the watch finds the models by these parameters."""
        ssm.StringParameter(
            scope,
            "Watched",
            parameter_name=self.place.names.model_parameter(self.place.name, model.team, model.name),
            description=f"Where {model.name} answers in {self.place.name}.",
            string_value=json.dumps({"endpoint": self.endpoint.endpoint_name}),
        )
        ModelDashboard(
            scope,
            "Dashboard",
            self.place,
            model=model,
            endpoint=self.endpoint,
            records_bucket=environment.records.bucket_name,
            alarms=[alarms.composite, *alarms.children] if alarms else [],
        )

    def _log_group(self, name: str) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "Log",
            log_group_name=name,
            removal_policy=self.place.removal_policy,
            retention=self.place.log_retention,
        )


def _capture(model: Model, environment: EnvironmentStack) -> Capture:
    sensitive = ("masked" if model.masks else "as-sent") if model.sensitive else None
    return Capture(environment.records, f"capture/{model.team}", model.monitoring.capture_percent, sensitive)
