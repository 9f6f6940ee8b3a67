"""The way back: a state machine that lets an earlier package of a model serve again, without a build."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn

from config.model import Model
from stacks import jobs
from stacks.foundation import EnvironmentStack, ToolingStack
from stacks.place import Place, PlacedStack
from stacks.rollback_flow import Flow
from stacks.rollback_states import Arns, People

TIMEOUT = cdk.Duration.hours(4)
"""A release may be in the way for as long as its roll-out takes."""

SOURCE, CHANGED = "aws.sagemaker", "SageMaker Model Package State Change"


class RollbackStack(PlacedStack):
    """Takes any model of an environment back to an earlier package: by hand, or where the one that serves is rejected.

    Its role may update the ServingStacks of this environment. CloudFormation does that under the role that the stack
    has, so there is none to pass.
    """

    def __init__(
        self,
        scope: cdk.App,
        place: Place,
        *,
        tooling: ToolingStack,
        environment: EnvironmentStack,
        models: Sequence[Model],
    ) -> None:
        super().__init__(
            scope, place, "rollback", place.name, description=f"Takes models of {place.name} back to earlier packages."
        )
        self._registry = tooling.account, tooling.region
        name = place.names.rollback(place.name)
        people = People(
            teams={model.name.replace("_", "-"): model.team for model in models},
            topics={team: topic.topic_arn for team, topic in environment.alerts.items()},
        )
        flow = Flow(self, place.names, place.name, people=people, arns=self._arns())
        self.machine = jobs.machine(
            self,
            name,
            flow.begin,
            log_retention=place.log_retention,
            timeout=TIMEOUT,
            comment=f"Takes a model of {place.name} back to an earlier package.",
            language=sfn.QueryLanguage.JSONATA,
        )
        environment.key.grant(self.machine, "kms:Decrypt", "kms:GenerateDataKey")  # under which the topics are
        self._let_resolve()
        self._when_rejected()
        if self._registry != (self.account, self.region):
            self._hear(tooling)

    def _arns(self) -> Arns:
        place = self.place
        stack = place.names.stack("serving", "*", place.name)
        return Arns(
            stacks=self.format_arn(service="cloudformation", resource="stack", resource_name=f"{stack}/*"),
            endpoints=self._sagemaker("endpoint", place.names.endpoint("*", place.name)),
            # CloudFormation names these two, so only the kind can be told.
            configs=self._sagemaker("endpoint-config", "*"),
            models=self._sagemaker("model", "*"),
            packages=self._sagemaker("model-package", f"{place.project.name}-*", self._registry),
        )

    def _sagemaker(self, resource: str, name: str, where: tuple[str, str] | None = None) -> str:
        account, region = where or (self.account, self.region)
        return self.format_arn(
            service="sagemaker", account=account, region=region, resource=resource, resource_name=name
        )

    def _let_resolve(self) -> None:
        """A template's parameters from Parameter Store are read with the rights of who updates the stack."""
        qualifier = cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER
        version = self.format_arn(
            service="ssm", resource=f"parameter/cdk-bootstrap/{qualifier}", resource_name="version"
        )
        self.machine.add_to_role_policy(iam.PolicyStatement(actions=["ssm:GetParameters"], resources=[version]))

    def _when_rejected(self) -> None:
        """Someone rejects a package in the registry; whether it is the one that serves, the machine finds out."""
        field = events.EventField.from_path
        given = {
            "group": field("$.detail.ModelPackageGroupName"),
            "rejected": field("$.detail.ModelPackageArn"),
            "reason": "The package that served was rejected in the registry.",
        }
        events.Rule(
            self,
            "Rejected",
            rule_name=self.place.names.stack("rejected", self.place.name),
            description=f"Takes a model of {self.place.name} back where the package that serves is rejected.",
            event_pattern=events.EventPattern(
                source=[SOURCE],
                detail_type=[CHANGED],
                account=[self._registry[0]],
                detail={
                    "ModelApprovalStatus": ["Rejected"],
                    "ModelPackageGroupName": [{"prefix": f"{self.place.project.name}-"}],
                },
            ),
            targets=[targets.SfnStateMachine(self.machine, input=events.RuleTargetInput.from_object(given))],
        )

    def _hear(self, tooling: ToolingStack) -> None:
        """The registry is elsewhere: rejections are forwarded to our bus, which lets in such events alone."""
        bus = self.format_arn(service="events", resource="event-bus", resource_name="default")
        name = f"Rejected-{self.account}-{self.region}"  # two environments may share an account
        if not tooling.node.try_find_child(name):
            forward = events.Rule(
                tooling,
                name,
                description="Carries rejections of packages to where they may serve.",
                event_pattern=events.EventPattern(
                    source=[SOURCE], detail_type=[CHANGED], detail={"ModelApprovalStatus": ["Rejected"]}
                ),
            )
            forward.add_target(targets.EventBus(events.EventBus.from_event_bus_arn(forward, "Bus", bus)))
        root = f"arn:{cdk.Aws.PARTITION}:iam::{tooling.account}:root"
        statement_id = f"Rejected-{self.place.name}"
        events.CfnEventBusPolicy(
            self,
            "Hearing",
            statement_id=statement_id,
            statement={
                "Sid": statement_id,
                "Effect": "Allow",
                "Principal": {"AWS": root},
                "Action": "events:PutEvents",
                "Resource": bus,
                "Condition": {"StringEquals": {"events:source": SOURCE, "events:detail-type": CHANGED}},
            },
        )
