"""How a release has ended, told from what its pipeline's actions say; nothing here calls AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.by_hand.past.entry import Outcome

ENVIRONMENTS = {"Staging": "staging", "Production": "production"}
"""The stage after which an environment serves the package."""
OF_TRAINING = {"refused": Outcome.REFUSED, "nothing": Outcome.NOTHING}
HALTED = {"Superseded": Outcome.SUPERSEDED, "Cancelled": Outcome.STOPPED, "Stopped": Outcome.STOPPED}
LATER = re.compile(r"was written by .*, which is later|is newer and came into")
"""What a stage says of a release that another one has overtaken."""
BY_ALARM = re.compile(r"rolled (this one )?back|not the released|alarm.*roll|roll.*alarm", re.IGNORECASE | re.DOTALL)

Action = Mapping[str, Any]


@dataclass(frozen=True)
class End:
    """An outcome with the stage that it is about, and why."""

    outcome: Outcome
    stage: str = ""
    why: str = ""


def latest(actions: Sequence[Action]) -> dict[str, Action]:
    """The last run of each action, by its name, in the order of their starts."""
    ordered = sorted(actions, key=lambda action: action["startTime"])
    return {action["actionName"]: action for action in ordered}


def variables(action: Action | None) -> Mapping[str, str]:
    """What an action has left for later ones."""
    return (action or {}).get("output", {}).get("outputVariables", {})


def given(action: Action | None) -> dict[str, str]:
    """The variables that a build was given, with the pipeline's filled in."""
    configuration = (action or {}).get("input", {}).get("resolvedConfiguration", {})
    try:
        found = json.loads(configuration.get("EnvironmentVariables", "[]"))
    except json.JSONDecodeError:  # a value with quotes in it, which the build refuses as well
        return {}
    return {each["name"]: each["value"] for each in found}


def ended(status: str, actions: Sequence[Action], said: Callable[[Action], str]) -> End:
    """The end of an execution; *said* gives what a failed action has said last."""
    runs = latest(actions)
    newest = list(runs.values())[-1] if runs else {}
    failed = next((run for run in runs.values() if run["status"] == "Failed"), None)
    outcome = variables(runs.get("Train")).get("OUTCOME", "")
    if status in ("InProgress", "Stopping"):
        return End(Outcome.RUNNING, newest.get("stageName", ""))
    if outcome in OF_TRAINING:  # whatever became of the stages after it
        return End(OF_TRAINING[outcome], "Train", variables(runs["Train"]).get("SUMMARY", ""))
    if failed:
        return _failed(failed, said(failed))
    if status == "Succeeded":
        return End(Outcome.SERVED)
    return End(HALTED.get(status, Outcome.FAILED), newest.get("stageName", ""))


def _failed(action: Action, why: str) -> End:
    stage = action["stageName"]
    if stage == "Approve" and action.get("updatedBy"):
        return End(Outcome.REJECTED, stage)  # the comment says why
    if stage in ("Production", "Confirm") and BY_ALARM.search(why):
        return End(Outcome.ROLLED_BACK, stage, why)
    if stage in ENVIRONMENTS and LATER.search(why):
        return End(Outcome.SUPERSEDED, stage, why)
    return End(Outcome.FAILED, stage, why)


def reached(actions: Sequence[Action], end: End) -> tuple[str, ...]:
    """The environments that the package came to serve in."""
    runs = latest(actions)
    found = [
        environment
        for stage, environment in ENVIRONMENTS.items()
        if runs.get(stage, {}).get("status") == "Succeeded"
        and not (environment == "production" and end.outcome is Outcome.ROLLED_BACK)
    ]
    return tuple(found)
