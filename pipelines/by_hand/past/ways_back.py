"""Reads the ways back of one model from the executions of the state machines that went them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pipelines.by_hand.past.entry import Entry, Outcome
from pipelines.by_hand.past.people import who
from pipelines.stages.surroundings import Surroundings

MOST = 300
"""Executions that are looked at, of each environment; AWS keeps those of 90 days."""
OUTCOMES = {
    "RUNNING": Outcome.RUNNING,
    "SUCCEEDED": Outcome.SERVED,
    "ABORTED": Outcome.STOPPED,
}


@dataclass(frozen=True)
class WaysBack:
    """The ways back of one model, in all environments."""

    around: Surroundings
    model: str

    def newest(self) -> Iterator[Entry]:
        """All that are known; one that found nothing to do is none."""
        for environment in self.around.project.environments:
            for found in islice(self._executions(environment), MOST):
                if entry := self._entry(environment, found):
                    yield entry

    def _executions(self, environment: str) -> Iterator[dict[str, Any]]:
        states = self.around.client("stepfunctions")
        machine = machine_arn(self.around, environment)
        try:
            for page in states.get_paginator("list_executions").paginate(stateMachineArn=machine):
                for each in page["executions"]:
                    yield states.describe_execution(executionArn=each["executionArn"])
        except states.exceptions.StateMachineDoesNotExist:
            return

    def _entry(self, environment: str, found: dict[str, Any]) -> Entry | None:
        asked, answered = json.loads(found["input"]), json.loads(found.get("output") or "{}")
        group = self.around.names.package_group(self.model)
        if self.model != asked.get("model") and group != asked.get("group"):
            return None
        outcome = OUTCOMES.get(found["status"], Outcome.FAILED)
        package = answered.get("package", "") or asked.get("package", "")
        if outcome is Outcome.SERVED and not answered.get("package"):
            return None
        return Entry(
            at=found["startDate"],
            kind="rollback",
            execution=found["executionArn"].rpartition(":")[2],
            reached=(environment,) if outcome is Outcome.SERVED else (),
            outcome=outcome,
            stage=environment,
            package=package,
            reason=asked.get("reason", ""),
            why=found.get("cause", ""),
            started_by="rejection in the registry" if asked.get("rejected") else who(asked.get("by", "unknown")),
        )


def machine_arn(around: Surroundings, environment: str) -> str:
    """The state machine of an environment, in the account that the caller is in."""
    identity = around.client("sts").get_caller_identity()
    _, partition, *_, account, _ = identity["Arn"].split(":", 5)
    region = around.client("stepfunctions").meta.region_name
    return f"arn:{partition}:states:{region}:{account}:stateMachine:{around.names.rollback(environment)}"
