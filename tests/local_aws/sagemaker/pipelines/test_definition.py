from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.errors import AwsError
from local_aws.sagemaker.pipelines.definition import parse


def definition(*steps: dict[str, Any], **members: Any) -> str:
    return json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": steps, **members})


def step(name: str, *after: str, **arguments: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Processing", "Arguments": arguments, "DependsOn": list(after)}


def gate(name: str, then: list[dict[str, Any]], otherwise: list[dict[str, Any]]) -> dict[str, Any]:
    condition = {"Type": "Equals", "LeftValue": {"Get": "Steps.A.Outcome"}, "RightValue": 1}
    arguments = {"Conditions": [condition], "IfSteps": then, "ElseSteps": otherwise}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def test_steps_wait_for_what_they_name_and_what_they_refer_to() -> None:
    parsed = parse(definition(step("A"), step("B", "A"), step("C", x={"Get": "Steps.B.Y"})))

    assert {name: set(each.after) for name, each in parsed.steps.items()} == {"A": set(), "B": {"A"}, "C": {"B"}}
    assert parsed.first == ("A", "B", "C")


def test_a_condition_decides_about_the_steps_in_it() -> None:
    parsed = parse(definition(step("A"), gate("G", [step("Yes")], [step("No")])))

    assert parsed.first == ("A", "G")
    assert (parsed.steps["G"].then, parsed.steps["G"].otherwise) == (("Yes",), ("No",))
    assert parsed.steps["Yes"].after == {"G"}
    assert parsed.steps["G"].after == {"A"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("no json", "it is not the JSON of a definition"),
        (definition(step("A"), Version="2019"), "Version is '2019'; it must be '2020-12-01'"),
        (definition(step("A"), step("A")), "step names must be unique"),
        (definition(step("A", "B")), "step A refers to B, which is no step of it"),
        (definition(step("A", "B"), step("B", "A")), "the steps A, B wait for each other"),
        (definition(Parameters=[{"Name": "P", "Type": "Text"}]), "parameter P has type 'Text'"),
    ],
)
def test_a_definition_that_cannot_run_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(AwsError, match="Unable to parse pipeline definition") as error:
        parse(text)

    assert why in error.value.message
