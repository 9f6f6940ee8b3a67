"""Who is told what the watch has found: rules from its events to a team's topic and chat."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from config.naming import LIGHT_CHANGED, PERSON_NEEDED, RETRAINING_WANTED, Names
from stacks.publishing import ToTopic

MESSAGE = "$.detail.message"
LIGHTS = ("green", "yellow", "red")


class Telling(Construct):
    """Sends the sentence of each event of a team to its topic, and to the chat whose address a secret holds.

    Each kind has a rule of its own, so that one of them can be switched off in the console during an incident.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        names: Names,
        environment: str,
        team: str,
        topic: sns.ITopic,
        webhook: str | None,
    ) -> None:
        super().__init__(scope, name)
        self._topic = topic
        self._chat = self._chat_of(names, team, webhook) if webhook else None
        about = {"team": [team], "environment": [environment], "tell": [True]}
        told: dict[str, tuple[str, Mapping[str, list[object]]]] = {
            "light": (LIGHT_CHANGED, {"to": list(LIGHTS)}),
            "unknown": (LIGHT_CHANGED, {"to": ["unknown"]}),
            "retraining": (RETRAINING_WANTED, {}),
            "person": (PERSON_NEEDED, {}),
        }
        for kind, (detail_type, more) in told.items():
            rule = events.Rule(
                self,
                kind.capitalize(),
                rule_name=names.watch_rule(team, kind),
                description=f"Tells team {team}: {detail_type}.",
                event_pattern=events.EventPattern(
                    source=[names.watch_source],
                    detail_type=[detail_type],
                    account=[cdk.Stack.of(self).account],
                    detail={**about, **more},
                ),
            )
            self._send(rule)

    def _send(self, rule: events.Rule) -> None:
        rule.add_target(ToTopic(self._topic, events.RuleTargetInput.from_event_path(MESSAGE)))
        if self._chat:
            said = events.RuleTargetInput.from_object({"text": events.EventField.from_path(MESSAGE)})
            rule.add_target(targets.ApiDestination(self._chat, event=said))

    def _chat_of(self, names: Names, team: str, secret: str) -> events.ApiDestination:
        connection = events.Connection(
            self,
            "Connection",
            description=f"The chat of team {team}; its address is its only secret, so the key is not one.",
            authorization=events.Authorization.api_key(
                "X-Greenlight", cdk.SecretValue.unsafe_plain_text(names.project)
            ),
        )
        # CloudFormation reads the secret while it deploys; the address is in no template.
        address = cdk.SecretValue.secrets_manager(secret).unsafe_unwrap()
        return events.ApiDestination(
            self,
            "Chat",
            description=f"The chat of team {team}.",
            connection=connection,
            endpoint=address,
            http_method=events.HttpMethod.POST,
            rate_limit_per_second=1,
        )
