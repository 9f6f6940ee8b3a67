"""An approval waits for a person; its token is where AWS has it."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.codepipeline.conftest import Delivery, approval, build, stage
from tests.local_aws.delivery import allow, eventually, queue, role, unique


def token(delivery: Delivery, pipeline: str) -> str:
    delivery.waiting(pipeline)
    return delivery.stage(pipeline, "Approve")["actionStates"][0]["latestExecution"]["token"]


def test_a_rejection_fails_the_execution_and_names_who_gave_it(delivery: Delivery) -> None:
    pipeline = delivery.create(approval())
    delivery.decide(pipeline, "Rejected", summary="too slow")
    said = f"Rejected by arn:aws:iam::{delivery.account.settings.account}:root: too slow"
    assert delivery.ended(pipeline)["statusSummary"] == f"Stage Approve, action Approve: {said}"
    latest = delivery.stage(pipeline, "Approve")["actionStates"][0]["latestExecution"]
    assert (latest["status"], latest["errorDetails"]["message"]) == ("Failed", said)
    assert latest["lastUpdatedBy"].endswith(":root")


def test_an_approval_without_words_names_who_gave_it(delivery: Delivery) -> None:
    pipeline = delivery.create(approval())
    delivery.decide(pipeline)
    assert delivery.ended(pipeline)["status"] == "Succeeded"
    summary = delivery.action(pipeline, "Approve")["output"]["executionResult"]["externalExecutionSummary"]
    assert summary == f"Approved by arn:aws:iam::{delivery.account.settings.account}:root"


def test_a_token_counts_once_and_only_for_its_action(delivery: Delivery) -> None:
    pipeline = delivery.create(approval())
    answer = {"pipelineName": pipeline, "stageName": "Approve", "actionName": "Approve"}
    result = {"status": "Approved", "summary": ""}
    with pytest.raises(delivery.client.exceptions.InvalidApprovalTokenException):
        delivery.client.put_approval_result(**answer, result=result, token="00000000-0000-0000-0000-000000000000")
    given = token(delivery, pipeline)
    delivery.client.put_approval_result(**answer, result=result, token=given)
    with pytest.raises(delivery.client.exceptions.ApprovalAlreadyCompletedException):
        delivery.client.put_approval_result(**answer, result=result, token=given)
    with pytest.raises(delivery.client.exceptions.ActionNotFoundException):
        delivery.client.put_approval_result(**{**answer, "actionName": "Other"}, result=result, token=given)
    with pytest.raises(delivery.client.exceptions.StageNotFoundException):
        delivery.client.put_approval_result(**{**answer, "stageName": "Other"}, result=result, token=given)


def test_in_parallel_mode_the_token_is_the_external_execution_id(delivery: Delivery) -> None:
    pipeline = delivery.create(approval(), executionMode="PARALLEL")
    delivery.waiting(pipeline)
    assert "latestExecution" not in delivery.stage(pipeline, "Approve")["actionStates"][0]
    delivery.decide(pipeline)
    assert delivery.ended(pipeline)["status"] == "Succeeded"


def test_the_topic_is_told_under_the_pipelines_role(delivery: Delivery) -> None:
    sns, sqs = delivery.account.client("sns"), delivery.account.client("sqs")
    topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
    url, arn = queue(delivery.account)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    pipeline = delivery.create(approval(NotificationArn=topic, CustomData="release #{Source.ObjectKey}"))
    given = token(delivery, pipeline)
    message = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))[0]
    asked = json.loads(json.loads(message["Body"])["Message"])["approval"]
    assert (asked["pipelineName"], asked["token"], asked["customData"]) == (pipeline, given, "release source.zip")
    delivery.decide(pipeline)


def test_an_approval_that_may_not_tell_its_topic_fails(delivery: Delivery) -> None:
    topic = delivery.account.client("sns").create_topic(Name=unique("topic"))["TopicArn"]
    may_not = role(delivery.account, "codepipeline", allow("s3:*"))
    pipeline = delivery.create(approval(NotificationArn=topic), roleArn=may_not)
    assert "not authorized to perform: sns:Publish" in delivery.ended(pipeline)["statusSummary"]


def test_deciding_needs_a_permission_on_the_action(delivery: Delivery) -> None:
    pipeline = delivery.create(approval())
    given = token(delivery, pipeline)
    arn = delivery.account.arn("codepipeline", f"{pipeline}/Approve/Approve")
    answer = {"pipelineName": pipeline, "stageName": "Approve", "actionName": "Approve", "token": given}
    result = {"status": "Approved", "summary": ""}
    for resource in (arn + "x", arn):
        person = role(delivery.account, "lambda", allow("codepipeline:PutApprovalResult", resource=resource))
        client = delivery.account.client("codepipeline", person, service_principal="lambda.amazonaws.com")
        if resource == arn:
            client.put_approval_result(**answer, result=result)
        else:
            with pytest.raises(ClientError, match=f"codepipeline:PutApprovalResult on resource: {arn}"):
                client.put_approval_result(**answer, result=result)


def test_an_approval_beside_a_build_waits_for_both(delivery: Delivery) -> None:
    both = approval()
    both["actions"].append(build("Make", delivery.project("true")))
    pipeline = delivery.create(stage("Approve", *both["actions"]))
    eventually(lambda: [run for run in delivery.actions(pipeline) if run["actionName"] == "Make"])
    delivery.decide(pipeline)
    assert delivery.ended(pipeline)["status"] == "Succeeded"
