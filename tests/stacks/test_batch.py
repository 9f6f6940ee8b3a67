"""What a batch's state machine may do, when it starts by itself, and whom it tells."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from config.features import Category, Number
from config.hosting import Batch as Fleet
from stacks.batch_jobs import Jobs, content_type
from tests.synthesis import Template, only, resources

PRODUCTION = "greenlight-serving-employment-production"
FOLDER = "batch/labour/employment"
JOBS = Jobs(
    endpoint_name="greenlight-parcels-production",
    records="records",
    folder="batch/post/parcels",
    capture=None,
    model_name="parcels",
    package_arn="arn:aws:sagemaker:us-east-1:123456789012:model-package/parcels/1",
    role_arn="arn:aws:iam::123456789012:role/serving",
    volume_key_arn="arn:aws:kms:us-east-1:123456789012:key/production",
    features=(),
    fleet=Fleet(),
)


def states(template: Template) -> dict[str, Any]:
    definition = only(template, "AWS::StepFunctions::StateMachine")["Properties"]["DefinitionString"]
    parts = definition["Fn::Join"][1]
    return json.loads("".join(part if isinstance(part, str) else "<token>" for part in parts))["States"]


def statements(template: Template) -> list[Template]:
    """What the state machine's role may do."""
    role = only(template, "AWS::StepFunctions::StateMachine")["Properties"]["RoleArn"]["Fn::GetAtt"][0]
    policies = resources(template, "AWS::IAM::Policy").values()
    (found,) = [each["Properties"] for each in policies if {"Ref": role} in each["Properties"]["Roles"]]
    return found["PolicyDocument"]["Statement"]


def test_the_machine_starts_its_own_jobs_only_and_hands_on_one_role(templates: dict[str, Template]) -> None:
    allowed = statements(templates[PRODUCTION])
    jobs = [each for each in allowed if "job/" in json.dumps(each["Resource"])]
    kinds = ("processing-job/{}-screen-*", "processing-job/{}-reconcile-*", "transform-job/{}-score-*")
    names = json.dumps([each["Resource"] for each in jobs])
    assert all(kind.format("greenlight-employment-production") in names for kind in kinds)
    assert "job/*" not in names
    (passed,) = [each for each in allowed if each["Action"] == "iam:PassRole"]
    assert "labourServing" in json.dumps(passed["Resource"])
    everything = [each for each in allowed if each["Resource"] == "*"]
    assert all(action.startswith("logs:") for each in everything for action in each["Action"])


def test_the_machine_sees_the_names_of_its_models_batches_only(templates: dict[str, Template]) -> None:
    (listing,) = [each for each in statements(templates[PRODUCTION]) if each["Action"] == "s3:ListBucket"]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": f"{FOLDER}/*"}}


def test_it_starts_by_itself_when_the_endpoint_is_in_service(templates: dict[str, Template]) -> None:
    (rule,) = [
        each["Properties"]
        for each in resources(templates[PRODUCTION], "AWS::Events::Rule").values()
        if "again-" in json.dumps(each)
    ]
    assert rule["EventPattern"]["detail"] == {
        "EndpointName": ["greenlight-employment-production"],
        "EndpointStatus": ["IN_SERVICE"],
    }


def test_the_endpoint_waits_for_the_machine_that_its_event_starts(templates: dict[str, Template]) -> None:
    endpoint = only(templates[PRODUCTION], "AWS::SageMaker::Endpoint")
    (machine,) = resources(templates[PRODUCTION], "AWS::StepFunctions::StateMachine")
    assert machine in endpoint["DependsOn"]


def test_every_failure_ends_in_a_sentence_that_names_the_run(templates: dict[str, Template]) -> None:
    failures = {name: state for name, state in states(templates[PRODUCTION]).items() if state["Type"] == "Fail"}
    assert {"Screen says why", "Score failed", "Reconcile says why", "No job image"} <= failures.keys()
    for name, state in failures.items():
        assert name == "No job image" or "$.run" in state["CausePath"]


def test_an_alarm_tells_the_team_what_to_do(templates: dict[str, Template]) -> None:
    alarms = [each["Properties"] for each in resources(templates[PRODUCTION], "AWS::CloudWatch::Alarm").values()]
    found = {alarm["MetricName"]: alarm for alarm in alarms if alarm.get("Namespace") == "AWS/States"}
    assert found.keys() == {"ExecutionsFailed", "ExecutionsTimedOut"}
    for alarm in found.values():
        assert len(alarm["AlarmActions"]) == 1
        assert "start the state machine greenlight-employment-production-batch again" in alarm["AlarmDescription"]


@pytest.mark.parametrize("name", ["greenlight-parcels-production", "greenlight-" + "p" * 52])
def test_names_of_jobs_fit_however_long_the_endpoints_is(name: str) -> None:
    jobs = replace(JOBS, endpoint_name=name)
    assert all(len(f"{jobs.prefix(kind)}-123456789abc") <= 63 for kind in ("screen", "score", "reconcile"))
    assert replace(JOBS, endpoint_name=f"{name}x").prefix("screen") != jobs.prefix("screen")


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ([Number(name="size", type="number")], "text/csv"),
        ([Number(name="0", type="number")], "text/csv; header=absent"),
        ([Category(name="colour", type="category", values=("red", "colour"))], "text/csv; header=absent"),
    ],
)
def test_a_row_is_never_taken_for_a_header(features: list[Number | Category], expected: str) -> None:
    assert content_type(features) == expected
