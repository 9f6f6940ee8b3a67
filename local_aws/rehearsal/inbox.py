"""What people are told: a queue that listens to a topic, as their mailbox would."""

from __future__ import annotations

import json
from typing import Any

from config.naming import Names
from local_aws.account import Account


class Inbox:
    """What *reader* is sent by the topic whose logical id in the project's stack *stack* begins with *topic*."""

    def __init__(self, account: Account, names: Names, stack: str, topic: str, reader: str = "inbox") -> None:
        self._sqs = account.client("sqs")
        name = names.stack("rehearsal", reader, topic)
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        queue = account.arn("sqs", name)
        topic = _topic(account.client("cloudformation"), names.stack(stack), topic)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        account.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)

    def read(self) -> list[str]:
        """The messages since the last time."""
        told: list[str] = []
        while found := self._receive():
            for message in found:
                told.append(_text(json.loads(message["Body"])["Message"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return told

    def _receive(self) -> list[dict[str, Any]]:
        return self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get(
            "Messages", []
        )


def _text(message: str) -> str:
    """What a person reads: EventBridge sends a JSON string, an alarm a JSON object, a program of ours text."""
    try:
        said = json.loads(message)
    except json.JSONDecodeError:
        return message
    if isinstance(said, dict) and "AlarmName" in said:
        return f"{said['AlarmName']} is {said['NewStateValue']}. {said['AlarmDescription']}"
    return said if isinstance(said, str) else message


def _topic(cloudformation: Any, stack: str, topic: str) -> str:
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return next(
        resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::SNS::Topic" and resource["LogicalResourceId"].startswith(topic)
    )
