"""Reads the releases of one model from the release pipeline's history."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config.naming import NOTHING
from pipelines.by_hand.past import outcomes
from pipelines.by_hand.past.builds import last_words
from pipelines.by_hand.past.entry import Entry
from pipelines.by_hand.past.people import starter, who
from pipelines.stages.surroundings import Surroundings

ANSWERED = re.compile(r"^(Approved|Rejected) by \S+\s*")
"""What stands before the comment of an approval, or alone where there is none."""
RULE = "the rule (approval: when-better)"


@dataclass(frozen=True)
class Releases:
    """The history of the release pipeline, for one model."""

    around: Surroundings
    model: str

    def newest(self, limit: int) -> list[Entry]:
        """The last *limit* releases of the model, newest first."""
        found: list[Entry] = []
        for execution, actions in self._executions():
            found.append(self._entry(execution, actions))
            if len(found) == limit:
                break
        return found

    def _executions(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """The model's executions with their actions, by the time at which they began.

        A listing of all actions says of which model each is, where a listing of executions would need a call for each
        of them. It is newest first, and an execution is whole when its first action, the source, has come.
        """
        actions: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for action in self._actions():
            execution = action["pipelineExecutionId"]
            actions[execution].append(action)
            if action["stageName"] == "Source":
                whole = actions.pop(execution)
                if self.model in {outcomes.given(each).get("MODEL") for each in whole}:
                    yield execution, whole

    def _actions(self) -> Iterator[dict[str, Any]]:
        codepipeline = self.around.client("codepipeline")
        pipeline = self.around.names.delivery_pipeline("release")
        try:
            for page in codepipeline.get_paginator("list_action_executions").paginate(pipelineName=pipeline):
                yield from page["actionExecutionDetails"]
        except codepipeline.exceptions.PipelineNotFoundException:
            return

    def _entry(self, execution: str, actions: list[dict[str, Any]]) -> Entry:
        codepipeline = self.around.client("codepipeline")
        pipeline = self.around.names.delivery_pipeline("release")
        found = codepipeline.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution)
        described = found["pipelineExecution"]
        variables = {each["name"]: each["resolvedValue"] for each in described.get("variables", [])}
        end = outcomes.ended(described["status"], actions, self._said)
        runs = outcomes.latest(actions)
        package = outcomes.variables(runs.get("Train")).get("PACKAGE", variables.get("PACKAGE", ""))
        approver, comment = _approval(runs)
        return Entry(
            at=min(action["startTime"] for action in actions),
            kind="release",
            execution=execution,
            reached=outcomes.reached(actions, end),
            outcome=end.outcome,
            stage=end.stage,
            package="" if package == NOTHING else package,
            reason=_unless_nothing(variables.get("REASON", "")),
            why=end.why,
            started_by=starter(described.get("trigger", {})),
            approved_by=approver,
            comment=comment,
        )

    def _said(self, action: Mapping[str, Any]) -> str:
        return last_words(self.around.client("codebuild"), self.around.client("logs"), action)


def _approval(runs: dict[str, Any]) -> tuple[str, str]:
    """Who has approved (or rejected) it, and what they said."""
    asked = runs.get("Approve")
    if asked is None:
        by_rule = outcomes.variables(runs.get("Decide")).get("APPROVAL") == "given"
        return (RULE if by_rule else ""), ""
    if asked["status"] not in ("Succeeded", "Failed") or not asked.get("updatedBy"):
        return "", ""
    said = asked.get("output", {}).get("executionResult", {}).get("externalExecutionSummary", "")
    return who(asked["updatedBy"]), ANSWERED.sub("", said).partition("\n")[0]


def _unless_nothing(value: str) -> str:
    return "" if value == NOTHING else value
