from typing import Any

import pytest
from botocore.model import Shape

from local_aws.cloudformation.properties import to_input
from local_aws.protocol import service_model


def shape(service: str, operation: str) -> Shape:
    found = service_model(service).operation_model(operation).input_shape
    assert found
    return found


def test_names_differ_in_case_and_values_may_be_strings() -> None:
    properties = {
        "Name": "p",
        "ServiceRole": "arn:aws:iam::1:role/r",
        "TimeoutInMinutes": "30",
        "BadgeEnabled": "false",
        "Source": {"Type": "NO_SOURCE", "BuildSpec": "version: 0.2"},
        "Environment": {"EnvironmentVariables": [{"Name": "N", "Value": 1}], "PrivilegedMode": "true"},
    }
    assert to_input(properties, shape("codebuild", "CreateProject")) == {
        "name": "p",
        "serviceRole": "arn:aws:iam::1:role/r",
        "timeoutInMinutes": 30,
        "badgeEnabled": False,
        "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2"},
        "environment": {"environmentVariables": [{"name": "N", "value": "1"}], "privilegedMode": True},
    }


def test_keys_of_maps_are_kept_and_their_values_become_strings() -> None:
    configuration = {
        "PollForSourceChanges": False,
        "S3Bucket": "b",
        "Attempts": 3,
        "EnvironmentVariables": [{"name": "x"}],
    }
    action = {"Name": "a", "Configuration": configuration, "RunOrder": "1"}
    pipeline = {"Pipeline": {"Stages": [{"Name": "s", "Actions": [action]}]}}
    converted = to_input(pipeline, shape("codepipeline", "CreatePipeline"))
    assert converted["pipeline"]["stages"][0]["actions"][0] == {
        "name": "a",
        "configuration": {
            "PollForSourceChanges": "false",
            "S3Bucket": "b",
            "Attempts": "3",
            "EnvironmentVariables": '[{"name": "x"}]',
        },
        "runOrder": 1,
    }


@pytest.mark.parametrize("given", [{"EndpointName": "e", "Colour": "green"}, {"Colour": "green"}])
def test_a_property_that_the_operation_does_not_take_is_an_error(given: dict[str, Any]) -> None:
    with pytest.raises(
        ValueError, match="The property Colour is not rehearsed on the local AWS: CreateEndpointInput has"
    ):
        to_input(given, shape("sagemaker", "CreateEndpoint"))


def test_a_nested_property_is_named_with_its_place() -> None:
    given = {"PrimaryContainer": {"Picture": "x"}}
    with pytest.raises(ValueError, match=r"The property PrimaryContainer\.Picture is not rehearsed"):
        to_input(given, shape("sagemaker", "CreateModel"))


def test_what_is_taken_elsewhere_is_left_out_here() -> None:
    given = {"EndpointName": "e", "RetainAllVariantProperties": True}
    taken = to_input(given, shape("sagemaker", "CreateEndpoint"), {"RetainAllVariantProperties"})
    assert taken == {"EndpointName": "e"}
    assert to_input(given, shape("sagemaker", "UpdateEndpoint"), {"RetainAllVariantProperties"}) == given
