"""Two pipelines, however many models.

*platform* deploys what all share and plans releases; *release* takes one model to production.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions

from stacks.build import Deployer
from stacks.foundation import EnvironmentStack, ToolingStack
from stacks.images import Images
from stacks.place import Place, PlacedStack
from stacks.platform_pipeline import Platform
from stacks.publishing import ToTopic, let_rules_publish
from stacks.release_pipeline import Release
from stacks.retraining import Retraining
from stacks.source import source_of
from stacks.watch import WatchStack
from stacks.wave import Wave


class DeliveryStack(PlacedStack):
    """Both pipelines, in the tooling account."""

    def __init__(
        self,
        scope: cdk.App,
        place: Place,
        *,
        tooling: ToolingStack,
        environments: Mapping[str, EnvironmentStack],
        watches: Sequence[WatchStack],
    ) -> None:
        super().__init__(scope, place, "delivery", description="The platform pipeline and the release pipeline.")
        source = source_of(self, place.project.source, artifacts=tooling.artifacts)
        images = Images(self, "Images", place)
        topic = self._topic(place, tooling)
        deployer = Deployer(self, "Deploy", [tooling, *environments.values(), *watches])
        release = Release(
            self,
            "Release",
            place,
            source=source,
            tooling=tooling,
            images=images,
            topic=topic,
            targets=list(environments.values()),
        )
        Platform(
            self,
            "Platform",
            place,
            source=source,
            tooling=tooling,
            images=images,
            deployer=deployer,
            wave=Wave(self, "Wave", place, pipeline=release.pipeline, topic=topic, key=tooling.key),
            topic=topic,
            watches=watches,
        )
        for watch in watches:
            Retraining(self, f"Retraining-{watch.place.name}", release=release, watch=watch)
        self._tell_of_failures(place, topic)

    def _topic(self, place: Place, tooling: ToolingStack) -> sns.Topic:
        """Who is told about releases: all owners, because a pipeline's approval knows one topic only."""
        topic = sns.Topic(self, "Releases", enforce_ssl=True, master_key=tooling.key)
        for address in dict.fromkeys(owner for team in place.project.teams.values() for owner in team.owners):
            topic.add_subscription(subscriptions.EmailSubscription(address))
        let_rules_publish(topic)
        return topic

    def _tell_of_failures(self, place: Place, topic: sns.ITopic) -> None:
        """A stage that fails says why itself; this says that one has, whatever became of its build."""
        rule = events.Rule(
            self,
            "Failed",
            description="Tells that a delivery pipeline has failed.",
            event_pattern=events.EventPattern(
                source=["aws.codepipeline"],
                detail_type=["CodePipeline Stage Execution State Change"],
                account=[self.account],
                detail={
                    "pipeline": [place.names.delivery_pipeline(kind) for kind in ("platform", "release")],
                    "state": ["FAILED"],
                },
            ),
        )
        detail = {
            name: events.EventField.from_path(f"$.detail.{name}") for name in ("pipeline", "stage", "execution-id")
        }
        sentence = (
            f"The stage {detail['stage']} of {detail['pipeline']} has failed (execution {detail['execution-id']})."
        )
        rule.add_target(ToTopic(topic, events.RuleTargetInput.from_text(sentence)))
