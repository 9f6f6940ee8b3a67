from __future__ import annotations

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.delivery import allow, role
from tests.local_aws.sagemaker.stage import Stage


@pytest.fixture(scope="module")
def endpoint(stage: Stage) -> str:
    return stage.endpoint(stage.config(stage.variant(stage.model())))


@pytest.mark.parametrize(("status", "side"), [(400, "client"), (415, "client"), (500, "server"), (503, "server")])
def test_an_error_of_the_container_is_a_model_error_with_its_status(
    stage: Stage, endpoint: str, status: int, side: str
) -> None:
    with pytest.raises(ClientError) as error:
        stage.ask(endpoint, f"status {status}")

    answer: dict[str, Any] = {**error.value.response}
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["Error"]["Message"].startswith(
        f'Received {side} error ({status}) from primary with message "as asked". See'
    )
    assert answer["OriginalStatusCode"] == status
    assert answer["OriginalMessage"] == "as asked"
    assert answer["LogStreamArn"].endswith(f"log-group:/aws/sagemaker/Endpoints/{endpoint}")


def test_a_container_that_dies_under_a_request_is_a_model_error(stage: Stage) -> None:
    name = stage.endpoint(stage.config(stage.variant(stage.model())))

    with pytest.raises(ClientError) as error:
        stage.ask(name, "crash")

    answer: dict[str, Any] = {**error.value.response}
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["OriginalStatusCode"] == 0


def test_headers_of_the_runtime_reach_the_container_and_come_back(stage: Stage, endpoint: str) -> None:
    answer = stage.runtime.invoke_endpoint(
        EndpointName=endpoint,
        Body=b"x",
        ContentType="application/x-thing",
        Accept="application/json",
        CustomAttributes="trace=1",
        InferenceId="42",
    )
    body = answer["Body"].read().decode()

    assert answer["ContentType"] == "application/json"
    assert answer["CustomAttributes"] == "from the container"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert '"content-type": "application/x-thing"' in body
    assert '"x-amzn-sagemaker-custom-attributes": "trace=1"' in body
    assert '"x-amzn-sagemaker-inference-id": "42"' in body


def test_many_requests_at_once_are_all_answered(stage: Stage, endpoint: str) -> None:
    bodies: list[str] = []
    askers = [
        threading.Thread(target=lambda number=number: bodies.append(stage.ask(endpoint, f"request {number}")["body"]))
        for number in range(40)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert sorted(bodies) == sorted(f"request {number}" for number in range(40))


def test_a_payload_that_is_too_large_is_refused(stage: Stage, endpoint: str) -> None:
    with pytest.raises(ClientError, match="an invocation takes 6291456 at most"):
        stage.ask(endpoint, b"x" * (6 * 1024 * 1024 + 1))


def test_an_unknown_endpoint_is_a_validation_error(stage: Stage) -> None:
    with pytest.raises(ClientError, match=r"Endpoint nowhere of account 123456789012 not found\.") as error:
        stage.ask("nowhere")

    assert error.value.response["Error"]["Code"] == "ValidationError"


def test_a_caller_without_the_permission_gets_no_answer(endpoint: str, account: Account) -> None:
    other = role(account, "lambda", allow("sagemaker:InvokeEndpoint", resource="arn:aws:sagemaker:*:*:endpoint/other"))
    runtime = account.client("sagemaker-runtime", other, service_principal="lambda.amazonaws.com")

    with pytest.raises(ClientError, match="is not authorized to perform: sagemaker:InvokeEndpoint on resource"):
        runtime.invoke_endpoint(EndpointName=endpoint, Body=b"x")
