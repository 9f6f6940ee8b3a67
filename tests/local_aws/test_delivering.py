"""Rules reach topics and chats only as policies let them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.delivery import allow, eventually, queue, role, unique
from tests.local_aws.test_eventbridge import executions, pipeline, received

EVENTS = {"Service": "events.amazonaws.com"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def topic(account: Account, *, about: dict[str, Any] | None = None, **attributes: str) -> tuple[str, str]:
    """A topic that rules may publish to, perhaps under a condition, and the URL of a queue that hears it."""
    sns = account.client("sns")
    condition = {"Condition": about} if about else {}
    name = unique("topic")
    statement = allow("sns:Publish", resource=account.arn("sns", name))
    arn = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    document = policy({**statement, "Principal": EVENTS, **condition})
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)
    url, queue_arn = queue(account)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
    return arn, url


def send(account: Account, rule: str, target: dict[str, Any], detail: dict[str, Any]) -> None:
    """A rule of this name with one target, and an event for it."""
    events, source = account.client("events"), unique("source")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source], "detail": {"tell": [True]}}))
    events.put_targets(Rule=rule, Targets=[{"Id": "target", **target}])
    entry = {"Source": source, "DetailType": "t", "Detail": json.dumps(detail)}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0


def denied(account: Account, action: str, resource: str) -> bool:
    account.journal.flush()
    return any((each.action, each.resource) == (action, resource) for each in account.journal.denials)


def test_a_rule_sends_a_sentence_of_the_event_to_a_topic(account: Account) -> None:
    rule = unique("rule")
    arn, url = topic(account)
    detail = {"tell": True, "message": "It is red.\nLook."}
    send(account, rule, {"Arn": arn, "InputPath": "$.detail.message"}, detail)
    (said,) = eventually(received(account, url))
    assert json.loads(said["Message"]) == "It is red.\nLook."


@pytest.mark.parametrize(
    "about",
    [
        {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}},
        {"StringEquals": {"aws:SourceAccount": "123456789012"}},
    ],
    ids=["rule", "account"],
)
def test_a_condition_in_a_topics_policy_lets_no_rule_publish(account: Account, about: dict[str, Any]) -> None:
    """AWS: "You can't use Condition blocks in Amazon SNS topic policies for EventBridge"."""
    arn, url = topic(account, about=about)
    send(account, unique("rule"), {"Arn": arn}, {"tell": True})
    eventually(lambda: denied(account, "sns:Publish", arn))
    assert received(account, url)() == []


def test_a_topic_with_its_default_policy_hears_no_rule(account: Account) -> None:
    arn = account.client("sns").create_topic(Name=unique("topic"))["TopicArn"]
    send(account, unique("rule"), {"Arn": arn}, {"tell": True})
    eventually(lambda: denied(account, "sns:Publish", arn))


def test_a_topic_under_a_key_needs_the_keys_policy_too(account: Account) -> None:
    rule = unique("rule")
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account.settings.account}:root"}}
    everything = {**root, "Action": "kms:*", "Resource": "*"}
    about = {"StringEquals": {"aws:SourceAccount": account.settings.account}}
    for_events = allow("kms:GenerateDataKey*", "kms:Decrypt")
    closed, opened = (
        account.client("kms").create_key(Policy=policy(everything, *more))["KeyMetadata"]["Arn"]
        for more in (
            [{**for_events, "Principal": EVENTS, "Condition": about}],  # of which EventBridge tells a key nothing
            [{**for_events, "Principal": EVENTS}],
        )
    )
    silent, unheard = topic(account, KmsMasterKeyId=closed)
    send(account, rule, {"Arn": silent}, {"tell": True})
    eventually(lambda: denied(account, "kms:GenerateDataKey", closed))
    assert received(account, unheard)() == []
    loud, heard = topic(account, KmsMasterKeyId=opened)
    send(account, rule, {"Arn": loud}, {"tell": True})
    assert eventually(received(account, heard))


def test_a_part_of_an_event_is_the_input_of_a_pipeline(account: Account) -> None:
    name, arn = pipeline(account)
    starting = role(account, "events", allow("codepipeline:StartPipelineExecution", resource=arn))
    before = len(executions(account, name))
    release = {"variables": [{"name": "MODEL", "value": "employment"}]}
    target = {"Arn": arn, "RoleArn": starting, "InputPath": "$.detail.release"}
    send(account, unique("rule"), target, {"tell": True, "release": release})
    eventually(lambda: len(executions(account, name)) > before)
    newest = executions(account, name)[0]["pipelineExecutionId"]
    found = account.client("codepipeline").get_pipeline_execution(pipelineName=name, pipelineExecutionId=newest)
    assert found["pipelineExecution"]["variables"] == [{"name": "MODEL", "resolvedValue": "employment"}]


@pytest.fixture
def chat() -> Iterator[tuple[str, list[Any]]]:
    """A web server that notes what is posted to it."""
    posted: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", posted
    server.shutdown()
    server.server_close()


def chat_stack(source: str, secret: str, invoke: str) -> dict[str, Any]:
    """A rule that tells a chat whose address is in a secret, as the watch's stack makes it."""
    key = {"ApiKeyName": "X-Key", "ApiKeyValue": "none"}
    connection = {"AuthorizationType": "API_KEY", "AuthParameters": {"ApiKeyAuthParameters": key}}
    destination = {
        "ConnectionArn": {"Fn::GetAtt": ["Connection", "Arn"]},
        "HttpMethod": "POST",
        "InvocationEndpoint": f"{{{{resolve:secretsmanager:{secret}:SecretString:::}}}}",
        "InvocationRateLimitPerSecond": 1,
    }
    trust = {"Effect": "Allow", "Principal": EVENTS, "Action": "sts:AssumeRole"}
    may = allow(invoke) | {"Resource": {"Fn::GetAtt": ["Chat", "Arn"]}}
    target = {
        "Id": "chat",
        "Arn": {"Fn::GetAtt": ["Chat", "Arn"]},
        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        "InputTransformer": {"InputPathsMap": {"said": "$.detail.message"}, "InputTemplate": '{"text":<said>}'},
    }
    return {
        "Connection": {"Type": "AWS::Events::Connection", "Properties": connection},
        "Chat": {"Type": "AWS::Events::ApiDestination", "Properties": destination},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": json.loads(policy(trust)),
                "Policies": [{"PolicyName": "invoke", "PolicyDocument": {"Version": "2012-10-17", "Statement": [may]}}],
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {"EventPattern": {"source": [source]}, "Targets": [target]},
        },
    }


def test_a_chat_whose_address_is_a_secret_is_told_under_a_role(account: Account, chat: tuple[str, list[Any]]) -> None:
    address, posted = chat
    secret, source, name = unique("chat"), unique("source"), unique("stack")
    account.client("secretsmanager").create_secret(Name=secret, SecretString=address)
    stacks, events = Stacks(account), account.client("events")
    entry = {"Source": source, "DetailType": "t", "Detail": json.dumps({"message": 'It is "red".\nLook.'})}

    assert stacks.deploy(name, chat_stack(source, secret, "sns:Publish")) == "CREATE_COMPLETE", stacks.failures(name)
    events.put_events(Entries=[entry])
    chat_arn = events.describe_api_destination(Name=stacks.resource(name, "Chat"))["ApiDestinationArn"]
    eventually(lambda: denied(account, "events:InvokeApiDestination", chat_arn))
    assert posted == []

    stacks.deploy(name, chat_stack(source, secret, "events:InvokeApiDestination"))
    events.put_events(Entries=[entry])
    assert eventually(lambda: posted) == [{"text": 'It is "red".\nLook.'}]
    assert stacks.delete(name) == "DELETE_COMPLETE"


def test_a_role_may_put_the_events_of_one_source_only(account: Account) -> None:
    bus = account.arn("events", "event-bus/default")
    ours = {"StringEquals": {"events:source": "shop.watch"}}
    events = account.client(
        "events",
        role(account, "sagemaker", {**allow("events:PutEvents", resource=bus), "Condition": ours}),
        service_principal="sagemaker.amazonaws.com",
    )

    def put(*sources: str) -> int:
        entries = [{"Source": source, "DetailType": "t", "Detail": "{}"} for source in sources]
        return events.put_events(Entries=entries)["FailedEntryCount"]

    assert put("shop.watch", "shop.watch") == 0
    for sources in (("another",), ("shop.watch", "another")):
        with pytest.raises(ClientError, match="events:PutEvents"):
            put(*sources)


def test_a_role_may_put_the_metrics_of_one_namespace_only(account: Account) -> None:
    ours = {"StringEquals": {"cloudwatch:namespace": "shop/watch"}}
    cloudwatch = account.client(
        "cloudwatch",
        role(account, "sagemaker", {**allow("cloudwatch:PutMetricData"), "Condition": ours}),
        service_principal="sagemaker.amazonaws.com",
    )
    many = [{"MetricName": f"Metric{number}", "Value": 1.0} for number in range(500)]  # which clients compress
    cloudwatch.put_metric_data(Namespace="shop/watch", MetricData=many)
    with pytest.raises(ClientError, match="cloudwatch:PutMetricData"):
        cloudwatch.put_metric_data(Namespace="AWS/SageMaker", MetricData=many)


def test_what_aws_itself_emits_reaches_a_topic_that_asks_for_tls(account: Account) -> None:
    arn, url = topic(account)
    sns, events, source = account.client("sns"), account.client("events"), unique("source")
    statements = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])["Statement"]
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    refused = {**allow("sns:Publish", resource=arn), "Effect": "Deny", "Principal": "*", "Condition": plain}
    document = policy(refused, *statements)
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)
    events.put_rule(Name=(rule := unique("rule")), EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "target", "Arn": arn}])
    thread = threading.Thread(target=account.emit, args=(source, "t", {}))  # it has no request
    thread.start()
    thread.join()
    assert eventually(received(account, url))
    assert not denied(account, "sns:Publish", arn)
