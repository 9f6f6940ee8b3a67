"""A model that is red by its labels starts its own release."""

from __future__ import annotations

import aws_cdk as cdk
import jsii
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from config.naming import RETRAINING_WANTED
from stacks.release_pipeline import Release
from stacks.trust import for_this_account
from stacks.watch import WatchStack


class Retraining(Construct):
    """Starts the release pipeline with what a watch's event says (`detail.release`).

    Only events that come from the watched account count, also where they are forwarded from there.
    """

    def __init__(self, scope: Construct, name: str, *, release: Release, watch: WatchStack) -> None:
        super().__init__(scope, name)
        source = watch.place.names.watch_source
        role = iam.Role(
            self,
            "Role",
            description="Starts the release pipeline where a model is red.",
            assumed_by=for_this_account(self, "events"),
        )
        pipeline = release.pipeline.pipeline_arn
        role.add_to_policy(iam.PolicyStatement(actions=["codepipeline:StartPipelineExecution"], resources=[pipeline]))
        events.Rule(
            self,
            "Wanted",
            rule_name=watch.place.names.stack("retraining"),
            description="Starts a release of a model that is red by its labels.",
            event_pattern=events.EventPattern(
                source=[source], detail_type=[RETRAINING_WANTED], account=[watch.account]
            ),
            targets=[_Start(pipeline, role)],
        )
        account = watch.place.account.account
        if account and account != cdk.Stack.of(self).account:
            self._hear(account, source)

    def _hear(self, account: str, source: str) -> None:
        """Lets the watched account put such events, and no others, on our bus."""
        bus = cdk.Stack.of(self).format_arn(service="events", resource="event-bus", resource_name="default")
        events.CfnEventBusPolicy(
            self,
            "Hearing",
            statement_id="Retraining",
            statement={
                "Sid": "Retraining",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{cdk.Aws.PARTITION}:iam::{account}:root"},
                "Action": "events:PutEvents",
                "Resource": bus,
                "Condition": {"StringEquals": {"events:source": source, "events:detail-type": RETRAINING_WANTED}},
            },
        )


@jsii.implements(events.IRuleTarget)
class _Start:
    """A pipeline as a target that is given an input; the CDK's own gives none."""

    def __init__(self, pipeline_arn: str, role: iam.IRole) -> None:
        self._arn = pipeline_arn
        self._role = role

    def bind(self, rule: events.IRule, id: str | None = None) -> events.RuleTargetConfig:  # noqa: A002, ARG002
        return events.RuleTargetConfig(
            arn=self._arn, role=self._role, input=events.RuleTargetInput.from_event_path("$.detail.release")
        )
