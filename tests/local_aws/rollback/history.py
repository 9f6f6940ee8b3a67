"""The release pipeline with its stages and variables, whose builds do what a release's reason says."""

from __future__ import annotations

from typing import Any

from local_aws.account import Account
from tests.local_aws.codepipeline.conftest import Delivery, approval, build, check, stage
from tests.local_aws.rollback.world import NAMES

STAGES = ("Train", "Staging", "Verify", "Decide", "Production", "Confirm")
EXPORTS = ("OUTCOME", "PACKAGE", "SUMMARY", "APPROVAL")
VARIABLES = ("MODEL", "PACKAGE", "REASON")
COMMANDS = (
    'case "$REASON" in *"fails at $STAGE:"*) echo; echo "${REASON#*: }"; echo "make: *** [Makefile:1: stage] Error 1"; '
    "exit 1;; esac",
    "export OUTCOME=registered PACKAGE=$PACKAGE SUMMARY=fine APPROVAL=needed",
    'case "$MODEL" in none) export OUTCOME=nothing;; esac',
    'case "$REASON" in *refused*) export OUTCOME=refused PACKAGE=none;; *"by rule"*) export APPROVAL=given;; esac',
)
PIPELINE = NAMES.delivery_pipeline("release")


class History:
    """Releases that were, of packages that there are."""

    def __init__(self, account: Account, model: str) -> None:
        self.model = model
        self.delivery = Delivery(account)
        self.client = account.client("codepipeline")
        self.delivery.upload()
        project = self.delivery.project(*COMMANDS, env={"exported-variables": list(EXPORTS)})
        variables = [{"name": name, "defaultValue": "none"} for name in VARIABLES]
        self.client.create_pipeline(
            pipeline=self.delivery.declaration(
                PIPELINE, *_stages(project), executionMode="PARALLEL", variables=variables
            )
        )
        self.delivery.ended(PIPELINE)  # the run that comes with a new pipeline

    def release(self, package: str, reason: str, *, model: str = "", approve: str = "") -> str:
        """A release in its end; who is asked says `Approved: a comment`, or `Rejected: one`."""
        execution = self._start(MODEL=model or self.model, PACKAGE=package, REASON=reason)
        if approve:
            self._answer(execution, approve)
        self.delivery.ended(PIPELINE, execution)
        return execution

    def wait_for_approval(self, package: str, reason: str) -> str:
        """A release that nobody has answered yet."""
        execution = self._start(MODEL=self.model, PACKAGE=package, REASON=reason)
        self.delivery.waiting(PIPELINE, identifier=execution)
        return execution

    def _start(self, **given: str) -> str:
        variables = [{"name": name, "value": value} for name, value in given.items()]
        return self.delivery.start(PIPELINE, variables=variables)

    def _answer(self, execution: str, said: str) -> None:
        status, _, comment = said.partition(": ")
        self.delivery.decide(PIPELINE, status, identifier=execution, summary=comment)


def _stages(project: str) -> list[dict[str, Any]]:
    stages = [stage(name, _build(name, project)) for name in STAGES]
    stages.insert(STAGES.index("Production"), approval())
    for each in stages[1:]:
        rules = [_rule("Registered", "#{Train.OUTCOME}", "registered")]
        rules += [_rule("Needed", "#{Decide.APPROVAL}", "needed")] if each["name"] == "Approve" else []
        each["beforeEntry"] = {"conditions": [{"result": "SKIP", "rules": rules}]}
    return stages


def _build(name: str, project: str) -> dict[str, Any]:
    given = {variable: f"#{{variables.{variable}}}" for variable in VARIABLES}
    return build(name, project, variables=given | {"STAGE": name}, namespace=name)


def _rule(name: str, variable: str, value: str) -> dict[str, Any]:
    (condition,) = check(variable, value)["conditions"]
    return {**condition["rules"][0], "name": name}
