"""What AWS's own services may do with the topics of a stack, and with the key that these are encrypted with."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import IConstruct

from stacks.trust import same_account

ALARMS, EVENTS = iam.ServicePrincipal("cloudwatch.amazonaws.com"), iam.ServicePrincipal("events.amazonaws.com")


def let_alarms_publish(topic: sns.Topic) -> None:
    """Lets alarms of this account tell a topic: a policy of ours takes the place of the one by which they could."""
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Alarms",
            principals=[ALARMS],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions=_of_alarms(topic),
        )
    )


def let_rules_publish(topic: sns.Topic) -> None:
    """Lets EventBridge tell a topic, on no condition: it gives a topic nothing that could be one.

    "You can't use Condition blocks in Amazon SNS topic policies for EventBridge" (Amazon EventBridge, User Guide,
    Resource-based policies).
    """
    topic.add_to_resource_policy(
        iam.PolicyStatement(sid="Rules", principals=[EVENTS], actions=["sns:Publish"], resources=[topic.topic_arn])
    )


@jsii.implements(events.IRuleTarget)
class ToTopic:
    """A topic as a rule's target; the CDK's own would let EventBridge use the topic's key on no condition."""

    def __init__(self, topic: sns.ITopic, message: events.RuleTargetInput) -> None:
        self._topic = topic
        self._message = message

    def bind(self, rule: events.IRule, id: str | None = None) -> events.RuleTargetConfig:  # noqa: A002, ARG002
        return events.RuleTargetConfig(arn=self._topic.topic_arn, input=self._message)


def let_alarms_encrypt(key: kms.Key) -> None:
    """Lets alarms of this account tell topics of this account that *key* encrypts."""
    conditions = _of_alarms(key)
    conditions["ArnLike"] |= _about_topics(key)
    _let_use(key, ALARMS, conditions)


def let_events_encrypt(key: kms.Key) -> None:
    """Lets EventBridge tell topics of this account that *key* encrypts.

    The topics are all that it can be limited to: EventBridge gives a key no aws:SourceAccount or aws:SourceArn where it
    writes to an encrypted topic (Amazon SNS, Developer Guide, Key management).
    """
    _let_use(key, EVENTS, {"ArnLike": _about_topics(key)})


def _let_use(key: kms.Key, service: iam.ServicePrincipal, conditions: dict[str, Any]) -> None:
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[service],
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],  # in a key's policy that is the key
            conditions=conditions,
        )
    )


def _of_alarms(scope: IConstruct) -> dict[str, Any]:
    arn = cdk.Stack.of(scope).format_arn(
        service="cloudwatch", resource="alarm", resource_name="*", arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
    )
    return {"StringEquals": same_account(scope), "ArnLike": {"aws:SourceArn": arn}}


def _about_topics(scope: IConstruct) -> dict[str, str]:
    """SNS encrypts each message under the name of its topic."""
    return {"kms:EncryptionContext:aws:sns:topicArn": cdk.Stack.of(scope).format_arn(service="sns", resource="*")}
