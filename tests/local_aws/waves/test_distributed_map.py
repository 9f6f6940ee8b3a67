"""Distributed maps as Step Functions runs them: MiniStack's own runs every item before it counts the failures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.account import Account
from tests.local_aws.delivery import allow, eventually, role, unique

FAILS = {"Type": "Fail", "Error": "No", "Cause": "it is bad"}
WORKER = {
    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    "StartAt": "Wait",
    "States": {
        "Wait": {"Type": "Wait", "Seconds": "{% $states.input.wait %}", "Next": "Which"},
        "Which": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.bad %}", "Next": "Fails"}],
            "Default": "Works",
        },
        "Fails": FAILS,
        "Works": {"Type": "Pass", "Output": "{% $states.input.name & $states.context.Execution.Name %}", "End": True},
    },
}
MAY = allow("states:StartExecution")


def item(name: str, *, bad: bool = False, wait: int = 5) -> dict[str, Any]:
    return {"name": name, "bad": bad, "wait": wait}


class Machine:
    """A state machine of one map, under a role."""

    def __init__(self, account: Account, *statements: dict[str, Any], **fields: Any) -> None:
        self.states = account.client("stepfunctions")
        state = {"Type": "Map", "Items": "{% $states.input %}", "Label": "All", "ItemProcessor": WORKER, **fields}
        definition = {"QueryLanguage": "JSONata", "StartAt": "Map", "States": {"Map": {**state, "End": True}}}
        self.arn = self.states.create_state_machine(
            name=unique("machine"), definition=json.dumps(definition), roleArn=role(account, "states", *statements)
        )["stateMachineArn"]

    def start(self, *items: dict[str, Any]) -> str:
        return self.states.start_execution(stateMachineArn=self.arn, input=json.dumps(items))["executionArn"]

    def ended(self, execution: str) -> dict[str, Any]:
        def end() -> dict[str, Any] | None:
            found = self.states.describe_execution(executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        return eventually(end)

    def run(self, execution: str) -> dict[str, Any]:
        """The map's run, as it is described."""
        (listed,) = self.states.list_map_runs(executionArn=execution)["mapRuns"]
        return self.states.describe_map_run(mapRunArn=listed["mapRunArn"])

    def children(self, execution: str) -> list[dict[str, Any]]:
        run = self.run(execution)["mapRunArn"]
        return self.states.list_executions(mapRunArn=run)["executions"]


def test_each_item_is_an_execution_of_its_own_and_the_outputs_keep_their_order(account: Account) -> None:
    machine = Machine(account, MAY, MaxConcurrency=2)
    execution = machine.start(item("a", wait=20), item("b"), item("c"))
    output = json.loads(machine.ended(execution)["output"])
    children = machine.children(execution)
    names = {child["name"] for child in children}
    assert [text[0] for text in output] == ["a", "b", "c"]
    assert {text[1:] for text in output} == names, "each knows its own name"
    assert all("/All:" in child["executionArn"] for child in children)
    run = machine.run(execution)
    assert (run["status"], run["itemCounts"]["succeeded"], run["maxConcurrency"]) == ("SUCCEEDED", 3, 2)


def test_it_fails_as_soon_as_more_fail_than_it_tolerates(account: Account) -> None:
    machine = Machine(account, MAY, MaxConcurrency=2, ToleratedFailurePercentage=20)
    execution = machine.start(item("long", wait=600), *(item(name, bad=True) for name in "abcdefghi"))
    end = machine.ended(execution)
    assert (end["status"], end["error"]) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    counts = machine.run(execution)["itemCounts"]
    assert (counts["failed"], counts["aborted"], counts["pending"]) == (3, 1, 6)
    assert sorted(child["status"] for child in machine.children(execution)) == ["ABORTED", *["FAILED"] * 3]


@pytest.mark.parametrize(("tolerated", "status"), [({}, "FAILED"), ({"ToleratedFailureCount": 1}, "SUCCEEDED")])
def test_without_a_threshold_one_failure_is_too_many(account: Account, tolerated: dict[str, int], status: str) -> None:
    machine = Machine(account, MAY, **tolerated)
    assert machine.ended(machine.start(item("a"), item("b", bad=True)))["status"] == status


def test_a_stopped_execution_starts_no_further_items(account: Account) -> None:
    machine = Machine(account, MAY, MaxConcurrency=1)
    execution = machine.start(*(item(name, wait=50) for name in "abc"))
    eventually(lambda: machine.states.list_map_runs(executionArn=execution)["mapRuns"])
    machine.states.stop_execution(executionArn=execution)
    assert machine.ended(execution)["status"] == "ABORTED"
    counts = eventually(lambda: (found := machine.run(execution))["status"] == "ABORTED" and found)["itemCounts"]
    assert counts["succeeded"] + counts["aborted"] + counts["pending"] == 3
    assert counts["pending"] >= 1


def test_its_role_must_be_allowed_to_start_executions_of_the_machine(account: Account) -> None:
    machine = Machine(account, allow("states:StartExecution", resource="arn:aws:states:::another"))
    end = machine.ended(machine.start(item("a")))
    assert (end["status"], end["error"]) == ("FAILED", "States.Permissions")
    assert "states:StartExecution" in end["cause"]
