import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.model import Shape

from local_aws.errors import AwsError
from local_aws.protocol import plain, read, service_model, write


def input_of(operation: str, service: str = "sagemaker") -> Shape:
    shape = service_model(service).operation_model(operation).input_shape
    assert shape
    return shape


def refused(operation: str, params: dict[str, Any]) -> str:
    with pytest.raises(AwsError) as caught:
        read(input_of(operation), json.dumps(params).encode(), "ValidationException")
    assert caught.value.code == "ValidationException"
    return caught.value.message


def test_what_the_shape_does_not_know_is_ignored_as_on_aws() -> None:
    body = json.dumps({"EndpointName": "a", "Newer": 1, "EndpointConfigName": "b", "Tags": None}).encode()
    params = read(input_of("CreateEndpoint"), body, "ValidationException")
    assert params == {"EndpointName": "a", "EndpointConfigName": "b"}


def test_timestamps_and_blobs_arrive_as_what_they_are() -> None:
    body = json.dumps({"CreationTimeAfter": 1700000000}).encode()
    assert read(input_of("ListEndpoints"), body, "")["CreationTimeAfter"] == datetime(
        2023, 11, 14, 22, 13, 20, tzinfo=UTC
    )


def test_a_missing_member_is_named_in_awss_words() -> None:
    assert refused("CreateEndpoint", {"EndpointName": "a"}) == (
        "1 validation error detected: Value null at 'endpointConfigName' failed to satisfy constraint: "
        "Member must not be null"
    )


def test_every_broken_rule_is_said_at_once() -> None:
    message = refused("CreateEndpoint", {"EndpointName": "a_b", "EndpointConfigName": "c" * 64})
    assert message.startswith("3 validation errors detected: Value 'a_b' at 'endpointName' failed to satisfy")
    assert "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}" in message
    assert "Member must have length less than or equal to 63" in message


def test_an_instance_type_that_does_not_exist_is_refused_with_those_that_do() -> None:
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.c99.huge"}
    message = refused("CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [variant]})
    assert "at 'productionVariants.1.member.instanceType'" in message
    assert "ml.c7i.large" in message


def test_a_long_text_is_not_held_to_a_pattern_that_aws_does_not_apply() -> None:
    definition = {
        "PipelineName": "p",
        "ClientRequestToken": "t" * 32,
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        "PipelineDefinition": '{"Version": "2020-12-01"}',
    }
    assert read(input_of("CreatePipeline"), json.dumps(definition).encode(), "") == definition


@pytest.mark.parametrize("body", [b"{", b'{"EndpointName": 1}', b"[]", b'{"EndpointName": true}'])
def test_what_is_no_request_is_a_serialization_error(body: bytes) -> None:
    with pytest.raises(AwsError) as caught:
        read(input_of("DescribeEndpoint"), body, "ValidationException")
    assert caught.value.code == "SerializationException"


def test_an_answer_is_written_by_its_shape() -> None:
    shape = service_model("sagemaker").operation_model("DescribeEndpoint").output_shape
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    written = write(shape, {"EndpointName": "a", "CreationTime": moment, "FailureReason": None})
    assert json.loads(written) == {"EndpointName": "a", "CreationTime": moment.timestamp()}


def test_a_member_that_aws_does_not_have_is_a_mistake_of_ours() -> None:
    shape = service_model("sagemaker").operation_model("DescribeEndpoint").output_shape
    with pytest.raises(TypeError, match="DescribeEndpointOutput has no Colour"):
        write(shape, {"EndpointName": "a", "Colour": "green"})


def test_plain_values_need_no_shape() -> None:
    assert plain({"at": datetime(1970, 1, 2, tzinfo=UTC), "bytes": b"ab", "none": None, "list": (1, b"")}) == {
        "at": 86400.0,
        "bytes": "YWI=",
        "list": [1, ""],
    }
