from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.delivery import allow, eventually, role, unique
from tests.local_aws.sagemaker.stage import DATA, LOGS, PULL, Stage


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    details = error.value.response["Error"]
    return details["Code"], details["Message"]


def live(stage: Stage, **content: Any) -> str:
    return stage.endpoint(stage.config(stage.variant(stage.model(**content))))


def test_an_endpoint_is_creating_before_it_is_in_service_and_answers(stage: Stage) -> None:
    name = unique("endpoint")
    config = stage.config(stage.variant(stage.model(name="first")))
    stage.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)

    created = stage.sagemaker.describe_endpoint(EndpointName=name)
    settled = stage.settled(name)

    assert created["EndpointStatus"] == "Creating"
    assert settled["EndpointStatus"] == "InService", settled
    (variant,) = settled["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 1)
    assert variant["DeployedImages"][0]["SpecifiedImage"] == stage.server
    assert stage.ask(name)["model"] == "first"


def test_an_endpoint_that_is_being_created_takes_no_request_and_cannot_be_changed(stage: Stage) -> None:
    name = unique("endpoint")
    config = stage.config(stage.variant(stage.model(ping_seconds=1)))
    stage.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)

    with pytest.raises(ClientError) as asked:
        stage.ask(name)
    with pytest.raises(ClientError) as deleted:
        stage.sagemaker.delete_endpoint(EndpointName=name)
    with pytest.raises(ClientError) as updated:
        stage.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)

    arn = f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}"
    assert refusal(asked) == ("ValidationError", f"Endpoint {name} of account 123456789012 not found.")
    assert refusal(deleted) == ("ValidationException", f'Cannot update in-progress endpoint "{arn}".')
    assert refusal(updated) == refusal(deleted)
    assert stage.settled(name)["EndpointStatus"] == "InService"


def test_a_container_that_ends_fails_the_endpoint_and_its_log_says_why(stage: Stage) -> None:
    name = live(stage, ends=True)

    described = stage.settled(name)

    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"] == (
        "The primary container for production variant AllTraffic did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
    lines = eventually(lambda: stage.log(f"/aws/sagemaker/Endpoints/{name}", "AllTraffic/"))
    assert lines[-1] == "this model ends at once"
    stage.sagemaker.delete_endpoint(EndpointName=name)


def test_an_endpoint_fails_when_its_role_may_not_pull_the_image(stage: Stage, account: Account) -> None:
    weak = role(account, "sagemaker", LOGS, DATA)
    name = stage.endpoint(stage.config(stage.variant(stage.model(role=weak))))

    described = stage.settled(name)

    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"].startswith(
        f"The role '{weak}' does not have BatchGetImage permission for the image: '{stage.server}'."
    )
    assert "ecr:GetAuthorizationToken" in described["FailureReason"]


def test_an_endpoint_fails_when_its_role_has_lost_the_artifact(stage: Stage, account: Account) -> None:
    losing = role(account, "sagemaker", PULL, LOGS, DATA)
    config = stage.config(stage.variant(stage.model(role=losing)))
    less = json.dumps({"Version": "2012-10-17", "Statement": [PULL, LOGS]})
    name = losing.rsplit("/", 1)[-1]
    account.client("iam").put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=less)

    described = stage.settled(stage.endpoint(config))

    assert described["EndpointStatus"] == "Failed"
    assert (
        'Failed to download model data for production variant AllTraffic from URL: "s3://' in described["FailureReason"]
    )
    assert "AccessDenied" in described["FailureReason"]


def test_a_dead_process_is_replaced(stage: Stage) -> None:
    name = live(stage)
    first = stage.ask(name)["pid"]

    os.kill(first, signal.SIGKILL)

    def another() -> int | None:
        try:
            pid = stage.ask(name)["pid"]
        except ClientError:
            return None
        return pid if pid != first else None

    assert eventually(another)
    assert stage.settled(name)["EndpointStatus"] == "InService"


def test_every_instance_answers(stage: Stage) -> None:
    name = stage.endpoint(stage.config(stage.variant(stage.model(), InitialInstanceCount=2)))

    pids = Counter(stage.ask(name)["pid"] for _ in range(60))

    assert len(pids) == 2


def test_requests_follow_the_weights(stage: Stage) -> None:
    a, b = stage.model(name="a"), stage.model(name="b")
    config = stage.config(
        stage.variant(a, VariantName="A", InitialVariantWeight=3.0),
        stage.variant(b, VariantName="B", InitialVariantWeight=1.0),
    )
    name = stage.endpoint(config)

    seen = Counter(stage.ask(name)["model"] for _ in range(400))

    assert 240 < seen["a"] < 360


def test_a_target_variant_gets_the_request_whatever_its_weight(stage: Stage) -> None:
    a, b = stage.model(name="a"), stage.model(name="b")
    config = stage.config(
        stage.variant(a, VariantName="A"), stage.variant(b, VariantName="B", InitialVariantWeight=0.0)
    )
    name = stage.endpoint(config)

    answer = stage.runtime.invoke_endpoint(EndpointName=name, Body=b"x", TargetVariant="B")
    with pytest.raises(ClientError) as error:
        stage.ask(name, TargetVariant="C")

    assert answer["InvokedProductionVariant"] == "B"
    assert refusal(error)[0] == "ValidationError"


def test_weights_and_capacities_can_be_changed(stage: Stage) -> None:
    a, b = stage.model(name="a"), stage.model(name="b")
    name = stage.endpoint(stage.config(stage.variant(a, VariantName="A"), stage.variant(b, VariantName="B")))

    stage.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "A", "DesiredWeight": 0.0},
            {"VariantName": "B", "DesiredInstanceCount": 2},
        ],
    )
    scaled = stage.settled(name)["ProductionVariants"]
    stage.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "B", "DesiredInstanceCount": 1}]
    )

    assert [variant["CurrentWeight"] for variant in scaled] == [0.0, 1.0]
    assert [variant["CurrentInstanceCount"] for variant in scaled] == [1, 2]
    assert {stage.ask(name)["model"] for _ in range(20)} == {"b"}
    assert [variant["CurrentInstanceCount"] for variant in stage.settled(name)["ProductionVariants"]] == [1, 1]


def test_an_update_fails_no_request_and_ends_the_old_process(stage: Stage) -> None:
    name = live(stage, name="blue")
    old = stage.ask(name)["pid"]
    seen: list[list[str]] = [[] for _ in range(4)]
    failures: list[ClientError] = []
    over = threading.Event()

    def ask_on(seen: list[str]) -> None:
        while not over.is_set():
            try:
                seen.append(stage.ask(name)["model"])
            except ClientError as error:
                failures.append(error)

    askers = [threading.Thread(target=ask_on, args=(answers,)) for answers in seen]
    for asker in askers:
        asker.start()
    green = stage.config(stage.variant(stage.model(name="green")))
    stage.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=green)
    during = stage.sagemaker.describe_endpoint(EndpointName=name)
    settled = stage.settled(name)
    eventually(lambda: not Path(f"/proc/{old}").exists())
    over.set()
    for asker in askers:
        asker.join()

    assert during["EndpointStatus"] == "Updating"
    assert during["PendingDeploymentSummary"]["EndpointConfigName"] == green
    assert settled["EndpointConfigName"] == green
    assert not failures
    for answers in seen:
        assert answers == sorted(answers)  # "blue" before "green", never back again
    assert {"blue", "green"} == {answer for answers in seen for answer in answers}


def test_a_request_that_runs_while_its_endpoint_is_deleted_is_answered(stage: Stage) -> None:
    name = live(stage)
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(stage.ask(name, "sleep 1")))
    asking.start()
    eventually(lambda: any(variant.busy for variant in _variants(stage, name)))

    stage.sagemaker.delete_endpoint(EndpointName=name)
    during = stage.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
    asking.join()

    assert during == "Deleting"
    assert answers[0]["body"] == "sleep 1"
    eventually(lambda: name not in [each["EndpointName"] for each in stage.sagemaker.list_endpoints()["Endpoints"]])


def _variants(stage: Stage, name: str) -> list[Any]:
    return list(stage.account.services["sagemaker"].endpoints.live[name].variants.values())  # pyrefly: ignore


def test_an_update_that_fails_leaves_the_old_models_serving(stage: Stage) -> None:
    name = live(stage, name="good")
    before = stage.sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]

    bad = stage.config(stage.variant(stage.model(ends=True)))
    stage.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=bad)
    settled = stage.settled(name)

    assert settled["EndpointStatus"] == "InService"
    assert settled["EndpointConfigName"] == before
    assert "did not pass the ping health check" in settled["FailureReason"]
    assert stage.ask(name)["model"] == "good"


def test_an_update_can_retain_what_the_variants_were_scaled_to(stage: Stage) -> None:
    name = live(stage)
    stage.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    )
    stage.settled(name)

    config = stage.config(stage.variant(stage.model()))
    stage.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, RetainAllVariantProperties=True)

    assert stage.settled(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 2


def test_a_serverless_variant_is_one_process_and_throttles(stage: Stage) -> None:
    serverless = {
        "VariantName": "AllTraffic",
        "ModelName": stage.model(name="small"),
        "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1},
    }
    name = stage.endpoint(stage.config(serverless))
    sleeping = threading.Thread(target=lambda: stage.ask(name, "sleep 2"))
    sleeping.start()
    eventually(lambda: any(variant.busy for variant in _variants(stage, name)))

    with pytest.raises(ClientError) as error:
        stage.ask(name)
    sleeping.join()

    assert refusal(error)[0] == "ThrottlingException"
    assert stage.ask(name)["model"] == "small"
    assert "CurrentServerlessConfig" in stage.settled(name)["ProductionVariants"][0]


def test_an_isolated_model_has_no_credentials(stage: Stage) -> None:
    model = unique("model")
    stage.sagemaker.create_model(
        ModelName=model,
        PrimaryContainer={"Image": stage.server, "ModelDataUrl": stage.artifact()},
        ExecutionRoleArn=stage.role,
        EnableNetworkIsolation=True,
    )

    environment = stage.ask(stage.endpoint(stage.config(stage.variant(model))))["environment"]

    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert environment["AWS_REGION"] == "us-east-1"


def test_the_container_acts_under_the_role_of_the_model(stage: Stage) -> None:
    name = stage.endpoint(stage.config(stage.variant(stage.model(environment={"COLOUR": "blue"}))))

    environment = stage.ask(name)["environment"]

    assert environment["COLOUR"] == "blue"
    assert environment["FROM_IMAGE"] == "yes"
    arn = stage.account.authorization.caller(environment["AWS_ACCESS_KEY_ID"]).arn
    assert arn.rsplit("/", 2)[1] == stage.role.rsplit("/", 1)[-1]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("AsyncInferenceConfig", {"OutputConfig": {"S3OutputPath": "s3://a/b"}}),
        ("ExplainerConfig", {"ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": {"ShapBaseline": "1"}}}}),
    ],
)
def test_what_would_change_the_answers_and_is_not_done_is_refused(stage: Stage, member: str, value: Any) -> None:
    with pytest.raises(ClientError, match=f"{member} of an endpoint configuration is not rehearsed") as error:
        stage.config(stage.variant(stage.model()), **{member: value})

    assert refusal(error)[0] == "NotImplemented"


def test_status_changes_are_told_to_eventbridge(stage: Stage, account: Account) -> None:
    name = unique("endpoint")
    events, sqs = account.client("events"), account.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    allowed = {"Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **allowed}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    pattern = {"detail-type": ["SageMaker Endpoint State Change"], "detail": {"EndpointName": [name]}}
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.sagemaker"], **pattern}))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])

    config = stage.config(stage.variant(stage.model()))
    stage.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    stage.settled(name)
    (message,) = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    event = json.loads(message["Body"])

    assert event["resources"] == [f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}"]
    assert event["detail"]["EndpointStatus"] == "IN_SERVICE"
    assert event["detail"]["EndpointConfigName"] == config


def test_creating_an_endpoint_needs_the_permission_for_it_and_for_its_configuration(
    stage: Stage, account: Account
) -> None:
    config = stage.config(stage.variant(stage.model()))
    name = unique("endpoint")
    half = role(
        account, "sagemaker", allow("sagemaker:CreateEndpoint", resource=f"arn:aws:sagemaker:*:*:endpoint/{name}")
    )
    client = account.client("sagemaker", half, service_principal="sagemaker.amazonaws.com")

    with pytest.raises(ClientError) as error:
        client.create_endpoint(EndpointName=name, EndpointConfigName=config)

    code, message = refusal(error)
    assert code == "AccessDeniedException"
    assert message.endswith(
        f"is not authorized to perform: sagemaker:CreateEndpoint on resource: "
        f"arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/{config} because no identity-based policy allows "
        f"the sagemaker:CreateEndpoint action"
    )
