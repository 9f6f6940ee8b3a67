"""Alarms reach topics only as the policies of the topic and of its key let them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.account import Account
from tests.local_aws.delivery import allow, eventually, queue, unique
from tests.local_aws.test_delivering import denied, policy
from tests.local_aws.test_eventbridge import received

ALARMS = {"Service": "cloudwatch.amazonaws.com"}


def topic(account: Account, condition: dict[str, Any] | None, **attributes: str) -> tuple[str, str]:
    """A topic that alarms may write to under a condition (None: not at all), and the URL of a queue that hears it."""
    sns, name = account.client("sns"), unique("topic")
    arn = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    statement = {**allow("sns:Publish", resource=arn), "Principal": ALARMS, "Condition": condition or {}}
    other = {**statement, "Principal": {"Service": "s3.amazonaws.com"}}
    document = policy(other if condition is None else statement)
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)
    url, queue_arn = queue(account)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
    return arn, url


def alarm(account: Account, topic_arn: str) -> str:
    """An alarm that goes off at once, because its metric has no data."""
    name = unique("alarm")
    account.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        AlarmActions=[topic_arn],
        Namespace="test",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
    )
    return name


def of_this_account(account: Account) -> dict[str, Any]:
    return {
        "StringEquals": {"aws:SourceAccount": account.settings.account},
        "ArnLike": {"aws:SourceArn": account.arn("cloudwatch", "alarm:*")},
    }


def test_an_alarm_writes_to_a_topic_that_lets_alarms_of_the_account_in(account: Account) -> None:
    arn, url = topic(account, of_this_account(account))
    name = alarm(account, arn)
    (said,) = eventually(received(account, url))
    assert json.loads(said["Message"])["AlarmName"] == name


@pytest.mark.parametrize(
    "condition", [None, {"StringEquals": {"aws:SourceAccount": "999999999999"}}], ids=["nobody", "another account"]
)
def test_an_alarm_does_not_write_where_the_topics_policy_does_not_let_it(
    account: Account, condition: dict[str, Any] | None
) -> None:
    """A policy of one's own takes the place of the default one, by which alarms of the account could."""
    arn, url = topic(account, condition)
    alarm(account, arn)
    eventually(lambda: denied(account, "sns:Publish", arn))
    assert received(account, url)() == []


def test_a_key_can_be_limited_to_topics(account: Account) -> None:
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account.settings.account}:root"}}
    own = {**root, "Action": "kms:*", "Resource": "*"}

    def key(topics: str) -> str:
        about = {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": topics}}
        use = {**allow("kms:GenerateDataKey*", "kms:Decrypt"), "Principal": ALARMS, "Condition": about}
        return account.client("kms").create_key(Policy=policy(own, use))["KeyMetadata"]["Arn"]

    opened, closed = key(account.arn("sns", "*")), key(account.arn("sns", "other-*"))
    heard, url = topic(account, of_this_account(account), KmsMasterKeyId=opened)
    alarm(account, heard)
    assert eventually(received(account, url))
    unheard, silent = topic(account, of_this_account(account), KmsMasterKeyId=closed)
    alarm(account, unheard)
    eventually(lambda: denied(account, "kms:GenerateDataKey", closed))
    assert received(account, silent)() == []
