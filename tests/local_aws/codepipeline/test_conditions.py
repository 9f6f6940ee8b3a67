"""Conditions let executions into stages, past them, or stop them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_aws.codepipeline.conftest import Delivery, build, check, stage

VARIABLES = [{"name": "PACKAGE", "defaultValue": "none"}]


def pipeline(delivery: Delivery, **conditions: Any) -> str:
    project = delivery.project("true")
    return delivery.create(
        stage("Train", build("Train", project), **conditions), stage("Use", build("Use", project)), variables=VARIABLES
    )


def test_a_stage_whose_entry_condition_fails_is_skipped_and_the_execution_succeeds(delivery: Delivery) -> None:
    made = pipeline(delivery, beforeEntry=check("#{variables.PACKAGE}", "arn:.*", "MATCHES"))
    assert delivery.ended(made)["status"] == "Succeeded"
    state = delivery.stage(made, "Train")
    assert state["latestExecution"]["status"] == "Skipped"
    assert state["beforeEntryConditionState"]["latestExecution"] == {
        "status": "Failed",
        "summary": "Rule Check: 'none' MATCHES 'arn:.*' is false.",
    }
    assert [run["actionName"] for run in delivery.actions(made)] == ["Source", "Use"]
    again = delivery.start(made, variables=[{"name": "PACKAGE", "value": "arn:aws:x"}])
    delivery.ended(made, again)
    assert [run["actionName"] for run in delivery.actions(made, again)] == ["Source", "Train", "Use"]
    (rule, _) = delivery.client.list_rule_executions(pipelineName=made)["ruleExecutionDetails"]
    assert (rule["ruleName"], rule["status"]) == ("Check", "Succeeded")
    assert rule["input"]["resolvedConfiguration"]["Variable"] == "arn:aws:x"


@pytest.mark.parametrize(
    ("operator", "value", "entered"),
    [("EQ", "none", True), ("NE", "none", False), ("CONTAINS", "on", True), ("MATCHES", "n.*", True)],
)
def test_operators(delivery: Delivery, operator: str, value: str, entered: bool) -> None:
    made = pipeline(delivery, beforeEntry=check("#{variables.PACKAGE}", value, operator))
    delivery.ended(made)
    assert (delivery.stage(made, "Train")["latestExecution"]["status"] == "Succeeded") == entered


@pytest.mark.parametrize("kind", ["beforeEntry", "onSuccess"])
def test_a_condition_with_the_result_fail_fails_the_stage(delivery: Delivery, kind: str) -> None:
    made = pipeline(delivery, **{kind: check("#{variables.PACKAGE}", "some", result="FAIL")})
    execution = delivery.ended(made)
    assert execution["status"] == "Failed"
    said = f"Stage Train: its {kind} condition did not hold. Rule Check: 'none' EQ 'some' is false."
    assert execution["statusSummary"] == said
    assert delivery.stage(made, "Train")[f"{kind}ConditionState"]["latestExecution"]["status"] == "Failed"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (check("#{Train.NUMBER}", "1"), "the variable #{Train.NUMBER} has no value"),
        (check("#{variables.PACKAGE}", "1", "GT"), "the operator is 'GT'; it must be one of EQ, NE, CONTAINS, MATCHES"),
    ],
)
def test_a_stage_is_never_skipped_because_its_rule_could_not_be_checked(
    delivery: Delivery, condition: dict[str, Any], said: str
) -> None:
    made = pipeline(delivery, beforeEntry=condition)
    execution = delivery.ended(made)
    assert execution["status"] == "Failed"
    assert said in execution["statusSummary"].replace("The", "the")
    assert "the stage is not skipped but fails" in execution["statusSummary"]
    assert delivery.stage(made, "Train")["beforeEntryConditionState"]["latestExecution"]["status"] == "Errored"


def test_a_rule_that_is_not_rehearsed_fails_with_a_sentence(delivery: Delivery) -> None:
    condition = check("x", "y")
    condition["conditions"][0]["rules"][0]["ruleTypeId"]["provider"] = "CloudWatchAlarm"
    summary = delivery.ended(pipeline(delivery, beforeEntry=condition))["statusSummary"]
    assert "rules of CloudWatchAlarm are not rehearsed on the local AWS." in summary


@pytest.mark.parametrize("result", ["ROLLBACK", "RETRY"])
def test_what_aws_would_do_about_a_failure_is_said(delivery: Delivery, result: str) -> None:
    project = delivery.project("exit 1")
    made = delivery.create(stage("Train", build("Train", project), onFailure={"result": result}))
    execution = delivery.ended(made)
    assert execution["status"] == "Failed"
    assert execution["statusSummary"].endswith(f"AWS would {result} now; that is not rehearsed on the local AWS.")
