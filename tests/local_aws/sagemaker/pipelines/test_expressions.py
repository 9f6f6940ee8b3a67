from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.sagemaker.pipelines.expressions import Scope, UnresolvedError, steps_named_in

OUTPUTS = [{"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}}]
VALUES = {
    "Parameters": {"Rows": 5, "Ratio": 0.5, "Name": "x"},
    "Execution": {"PipelineExecutionId": "abc"},
    "Steps": {"Prepare": {"ProcessingOutputConfig": {"Outputs": OUTPUTS}, "Times": [1, 2]}},
}
FILE = json.dumps({"metrics": {"roc_auc": {"value": 0.8}}, "folds": [{"f1": 0.7}]})
SCOPE = Scope(VALUES, lambda step, name: {("Prepare", "Report"): FILE}[step, name])


def json_get(path: str) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Prepare.PropertyFiles.Report"}, "Path": path}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Get": "Parameters.Rows"}, 5),
        ({"Get": "Execution.PipelineExecutionId"}, "abc"),
        ({"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"}, "s3://b/train"),
        ({"Get": 'Steps.Prepare.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri'}, "s3://b/train"),
        ({"Get": "Steps.Prepare.Times[1]"}, 2),
        (
            {"Std:Join": {"On": "/", "Values": ["s3://b", {"Get": "Parameters.Name"}, {"Get": "Parameters.Rows"}]}},
            "s3://b/x/5",
        ),
        ({"Std:Join": {"On": "", "Values": [True, 1.5]}}, "true1.5"),
        (json_get("metrics.roc_auc.value"), 0.8),
        (json_get("$.metrics['roc_auc'].value"), 0.8),
        (json_get("folds[0].f1"), 0.7),
        ({"A": [{"B": {"Get": "Parameters.Ratio"}}], "C": 1}, {"A": [{"B": 0.5}], "C": 1}),
    ],
)
def test_references_are_replaced_by_what_they_refer_to(expression: Any, value: Any) -> None:
    assert SCOPE.resolve(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        {"Get": "Parameters.Unknown"},
        {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['test']"},
        json_get("metrics.f1"),
    ],
)
def test_a_reference_that_leads_to_nothing_is_said(expression: Any) -> None:
    with pytest.raises(UnresolvedError, match="leads to nothing at"):
        SCOPE.resolve(expression)


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        (compare("Equals", {"Get": "Parameters.Name"}, "x"), True),
        (compare("GreaterThan", {"Get": "Parameters.Rows"}, 5), False),
        (compare("GreaterThanOrEqualTo", json_get("metrics.roc_auc.value"), 0.8), True),
        (compare("LessThan", 1, 2), True),
        (compare("LessThanOrEqualTo", 3, 2), False),
        ({"Type": "In", "QueryValue": {"Get": "Parameters.Name"}, "Values": ["x", "y"]}, True),
        ({"Type": "Not", "Expression": compare("Equals", 1, 1)}, False),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2), compare("Equals", 1, 1)]}, True),
        ({"Type": "And", "Conditions": [compare("Equals", 1, 2), compare("Equals", 1, 1)]}, False),
    ],
)
def test_conditions_hold_or_do_not(condition: dict[str, Any], outcome: bool) -> None:
    assert SCOPE.holds(condition) is outcome


def test_what_cannot_be_compared_is_said() -> None:
    with pytest.raises(UnresolvedError, match="'x' and 1 cannot be compared by LessThan"):
        SCOPE.holds(compare("LessThan", {"Get": "Parameters.Name"}, 1))


def test_the_steps_that_a_value_refers_to_are_found_at_any_depth() -> None:
    value = [{"a": json_get("x")}, {"b": {"Get": "Steps.Train.ModelArtifacts"}}, {"c": {"Get": "Parameters.P"}}]

    assert list(steps_named_in(value)) == ["Prepare", "Train"]
