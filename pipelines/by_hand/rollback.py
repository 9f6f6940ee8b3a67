"""Lets the package that ran before serve again: asks once, starts the state machine, and shows how it goes."""

from __future__ import annotations

import argparse
import json
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from config import Model
from pipelines.by_hand.past.entry import ran_before
from pipelines.by_hand.past.history import History
from pipelines.by_hand.past.people import who
from pipelines.by_hand.past.ways_back import machine_arn
from pipelines.by_hand.plainly import plainly
from pipelines.stages.registry import Package
from pipelines.stages.running import Running
from pipelines.stages.surroundings import Surroundings
from pipelines.stages.telling import number
from pipelines.stages.written import Written

ENTRIES = 50
"""How far back the history is read for the package that ran before."""
PAUSES = (0.5, 5.0)


@dataclass(frozen=True)
class Way:
    """From which package to which, of which model, where."""

    around: Surroundings
    model: Model
    environment: str
    leave: str
    take: str

    @property
    def endpoint(self) -> str:
        return self.around.names.endpoint(self.model.name, self.environment)

    @property
    def stack(self) -> str:
        return self.around.names.stack("serving", self.model.name, self.environment)


def main(arguments: Sequence[str] | None = None) -> None:
    began = time.monotonic()
    given = _parser().parse_args(arguments)
    around = Surroundings()
    if given.environment not in around.project.environments:
        sys.exit(
            f"ENV is {given.environment!r}; write ENV=production or ENV=staging: "
            f"make rollback MODEL={given.model} ENV=production"
        )
    history = History(around, around.model(given.model))
    way = choose(history, given.environment, given.package)
    print(
        f"{way.endpoint}\n  leaves    {history.origin(way.leave)}\n  goes to   {history.origin(way.take)}", flush=True
    )
    _tell_of_others(way)
    if not given.yes:
        _ask(way)
        began = time.monotonic()
    follow(way, start(way, given.reason), began)


def choose(history: History, environment: str, package: str) -> Way:
    """The way to *package*, or else to the one that ran before; exits where there is none."""
    around, model = history.around, history.model
    runs = history.runs(environment)
    if runs is None:
        sys.exit(
            f"Nothing serves {model.name} in {environment}: no package was released to it yet, or its endpoint runs "
            "none of the registry. Release one."
        )
    stack = around.names.stack("serving", model.name, environment)
    written = Written.describe(around.client("cloudformation"), stack)
    says = (written.parameters or {}).get("Package", runs)
    arrives = written.is_busy and says != runs
    # Of a release that is arriving, the package that ran before is what still runs.
    take = package or (runs if arrives else previous(history, environment, runs))
    if take is None:
        sys.exit(
            f"{number(runs)} is the only approved package that {model.name} can run in {environment}. See "
            f"make releases MODEL={model.name}; name another one with PACKAGE=<arn>."
        )
    if take == runs == says:  # else alarms have rolled a release back, and only the endpoint
        sys.exit(f"{number(take)} runs in {environment} already; there is nothing to go back to.")
    return Way(around, model, environment, leave=says if arrives else runs, take=take)


def previous(history: History, environment: str, runs: str) -> str | None:
    """What ran before, as the history tells; else the newest approved package that is older."""
    for package in ran_before(history.newest(ENTRIES), environment, runs):
        if history.origin(package).status == "Approved":
            return package
    sagemaker, group = history.around.client("sagemaker"), history.around.names.package_group(history.model.name)
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
    )
    version = int(runs.rpartition("/")[2])
    found = (each for page in pages for each in page["ModelPackageSummaryList"])
    return next((each["ModelPackageArn"] for each in found if each["ModelPackageVersion"] < version), None)


def start(way: Way, reason: str) -> str:
    """Starts the way back; its execution."""
    by = way.around.client("sts").get_caller_identity()["Arn"]
    asked = {"model": way.model.name, "package": way.take, "reason": reason or f"asked for by {who(by)}", "by": by}
    return way.around.client("stepfunctions").start_execution(
        stateMachineArn=machine_arn(way.around, way.environment),
        name=f"rollback-{uuid.uuid4()}",
        input=json.dumps(asked),
    )["executionArn"]


def follow(way: Way, execution: str, began: float) -> None:
    """Shows what changes until the end, and how long it took; exits when it did not go back."""
    states, said, pause = way.around.client("stepfunctions"), "", PAUSES[0]
    serving: float | None = None
    try:
        while True:
            found = states.describe_execution(executionArn=execution)
            now, is_back = _now(way)
            serving = (serving or time.monotonic() - began) if is_back else None
            if now != said:
                print(f"{time.monotonic() - began:6.1f} s  {now}", flush=True)
                said = now
            if found["status"] != "RUNNING":
                break
            time.sleep(pause)
            pause = min(pause * 1.1, PAUSES[1])
    except KeyboardInterrupt:
        sys.exit(f"\nIt goes on without you. See how it ended: make releases MODEL={way.model.name}")
    if found["status"] != "SUCCEEDED":
        sys.exit(f"It did not go back: {found.get('cause') or found['status']}")
    if serving is None:
        sys.exit(f"The state machine has ended well, and {way.endpoint} does not run {number(way.take)} any more.")
    print(f"{number(way.take)} serves all traffic of {way.endpoint}, {serving:.1f} s after the command.")


def _now(way: Way) -> tuple[str, bool]:
    """Where stack and endpoint are, in a line, and whether the endpoint runs the package alone."""
    written = Written.describe(way.around.client("cloudformation"), way.stack)
    running = Running.describe(way.around.client("sagemaker"), way.endpoint)
    package = _package(way, running)
    status = running.status if running else "gone"
    said = f"stack {written.status}, endpoint {status} with {number(package) if package else 'no package'}"
    return said, status == "InService" and package == way.take


def _package(way: Way, running: Running | None) -> str:
    try:
        found = running.package(way.around.client("sagemaker")) if running else None
    except way.around.client("sagemaker").exceptions.ClientError:  # its model was replaced between two calls
        return ""
    return found.arn if isinstance(found, Package) else ""


def _tell_of_others(way: Way) -> None:
    written = Written.describe(way.around.client("cloudformation"), way.stack)
    if written.is_busy:
        print(f"{way.stack} is {written.status}, by {written.release}: that is waited for.", flush=True)


def _ask(way: Way) -> None:
    """One question, answered by the model's name."""
    try:
        answer = input(f"To go back, type the name of the model ({way.model.name}): ")
    except EOFError:
        sys.exit("\nNobody is here to confirm it; say YES=1 to go back without being asked.")
    if answer.strip() != way.model.name:
        sys.exit(f"The answer was {answer.strip()!r}, not {way.model.name!r}; nothing has changed.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make rollback", description=__doc__)
    parser.add_argument("model", help="MODEL: the model's name")
    parser.add_argument("environment", help="ENV: production, staging")
    parser.add_argument("--package", default="", help="PACKAGE: its ARN; by default the one that ran before")
    parser.add_argument("--reason", default="", help="REASON: for those who are told, and for make releases")
    parser.add_argument("--yes", action="store_true", help="YES=1: ask nothing")
    return parser


if __name__ == "__main__":
    with plainly():
        main()
