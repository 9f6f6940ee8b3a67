"""Lets the package PACKAGE serve the model MODEL in ENVIRONMENT: waits for its turn, then writes the ServingStack.

Leaves SUMMARY. What it refuses, and why a deployment failed, is said in sentences, and published to TOPIC.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from config import Model
from pipelines.stages import four_eyes, scaling
from pipelines.stages.history import History
from pipelines.stages.registry import Package
from pipelines.stages.running import Running
from pipelines.stages.surroundings import Surroundings
from pipelines.stages.telling import number, pipeline_link, tell
from pipelines.stages.turn import TURNS, Go, Refused, Release, Wait, decide, moment
from pipelines.stages.written import Written, why_failed

PAUSES = (1.0, 15.0)
"""Seconds between two looks at who comes first, at the beginning and at most."""
CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack")
"""The statuses of an endpoint that will be another one by themselves."""
SAYS_AGAIN = 300.0
"""Seconds after which a wait that has not changed is said again."""


class Stopped(Exception):  # noqa: N818  it is an outcome of a release
    """The release does not go on; the sentence says why."""


@dataclass(frozen=True)
class Settings:
    """The environment of the build."""

    model: str
    package: str
    environment: str
    execution: str
    topic: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        names = ("MODEL", "PACKAGE", "ENVIRONMENT", "EXECUTION", "TOPIC")
        return cls(*(environment[name] for name in names))


def main() -> None:
    around, settings = Surroundings(), Settings.read(os.environ)
    try:
        summary = serve(around, settings)
    except Stopped as stopped:
        print(stopped, flush=True)  # first of all: telling may fail too
        subject = f"The release of {settings.model} stops before {settings.environment} has it"
        link = pipeline_link(around, settings.execution)
        tell(around.client("sns"), settings.topic, subject, f"{stopped}\n\nPackage: {settings.package}\n{link}")
        sys.exit(str(stopped))
    print(summary)
    around.leave(SUMMARY=summary)


def serve(around: Surroundings, settings: Settings) -> str:
    """Does it, and says what was done; raises Stopped."""
    model = around.model(settings.model).in_environment(settings.environment)
    stack = around.names.stack("serving", model.name, settings.environment)
    history = History(around.client("codepipeline"), around.names.delivery_pipeline("release"), settings.execution)
    own = wait_for_turn(history, around.client("cloudformation"), stack, settings.environment)
    if objection := _objection(around, settings, model, history):
        raise Stopped(objection)
    wait_for_endpoint(around.client("sagemaker"), around.names.endpoint(model.name, settings.environment))
    _deploy(around, settings, model, stack, own)
    return f"{stack} has {number(settings.package)}, written by {own.told}."


def wait_for_turn(history: History, cloudformation: Any, stack: str, environment: str) -> Release:
    """The release, when the turn is its own and nothing happens to the stack; raises Stopped when it is refused."""
    waiting = Waiting()
    while True:
        own, others = history.releases()
        written = Written.describe(cloudformation, stack)
        match decide(TURNS[environment], own, others, written.release, datetime.now(UTC)):
            case Refused(why):
                raise Stopped(why)
            case Wait(why):
                waiting.wait(why)
            case Go() if written.is_busy:
                waiting.wait(f"{stack} is {written.status}.")
            case Go():
                return own


def wait_for_endpoint(sagemaker: Any, endpoint: str) -> None:
    """Waits while the endpoint changes, as it does when it scales: SageMaker refuses an update meanwhile."""
    waiting = Waiting()
    while (running := Running.describe(sagemaker, endpoint)) and running.status in CHANGING:
        waiting.wait(f"{endpoint} is {running.status}.")


class Waiting:
    """Pauses, longer each time, and says for what."""

    def __init__(self) -> None:
        self._pause = PAUSES[0]
        self._said = ("", 0.0)

    def wait(self, why: str) -> None:
        """Says why, unless it was said just now, and pauses."""
        said, at = self._said
        if why != said or time.monotonic() > at + SAYS_AGAIN:
            print(f"Waits: {why}", flush=True)
            self._said = (why, time.monotonic())
        time.sleep(self._pause)
        self._pause = min(self._pause * 1.3, PAUSES[1])


def _objection(around: Surroundings, settings: Settings, model: Model, history: History) -> str | None:
    package = Package.describe(around.client("sagemaker"), settings.package)
    if package.status != "Approved":
        return (
            f"{number(package.arn)} is {package.status} in the registry, not Approved, since this release began; "
            "approve it there and release it again, or release another one."
        )
    if settings.environment == "production" and model.approval.four_eyes:
        return four_eyes.objection(history)
    return None


def _deploy(around: Surroundings, settings: Settings, model: Model, stack: str, own: Release) -> None:
    endpoint = around.names.endpoint(model.name, settings.environment)
    sagemaker, autoscaling = around.client("sagemaker"), around.client("application-autoscaling")
    began = datetime.now(UTC)
    with scaling.paused(autoscaling, sagemaker, endpoint, model.hosting) as pause:
        values = {"Package": settings.package, "Release": own.name, "Rollout": "gradual"}
        code = deploy(around.root, stack, values, meanwhile=pause.look)
    if code:
        why = why_failed(around.client("cloudformation"), stack, began)
        running = Running.describe(sagemaker, endpoint)
        reason = running.reason if running else ""
        raise Stopped(failure(stack, settings.environment, why, reason, began))


def deploy(root: Path, stack: str, values: Mapping[str, str], *, meanwhile: Callable[[], None]) -> int:
    """Deploys one stack of cdk.out with parameters, and gives the exit code; *meanwhile* is called now and then."""
    parameters = " ".join(f"{stack}:{name}={value}" for name, value in values.items())
    command = ["make", "deploy-stacks", f"STACKS={stack}", f"PARAMETERS={parameters}"]
    with subprocess.Popen(command, cwd=root) as running:
        while True:
            try:
                return running.wait(timeout=1)
            except subprocess.TimeoutExpired:
                meanwhile()


def failure(stack: str, environment: str, why: str, reason: str, began: datetime) -> str:
    """Why a deployment failed, in sentences."""
    said = [f"The deployment of {stack} that began at {moment(began)} has failed."]
    if why:
        said.append(f"The first failure was {why.rstrip('.')}.")
    if reason and reason not in why:
        said.append(f"SageMaker says of the endpoint: {reason.rstrip('.')}.")
    if not why and not reason:
        said.append("Neither CloudFormation nor SageMaker says why; the log of this build has what the CDK said.")
    said.append(f"CloudFormation takes {environment} back to what it was; correct the cause and release again.")
    return " ".join(said)


if __name__ == "__main__":
    main()
