"""A model that serves in production: its traffic, its releases, what watches it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

from config import Model
from config.hosting import Dedicated
from config.naming import Names
from config.project import Project
from local_aws.account import Account
from local_aws.chaos.faults import Faults, Rare
from local_aws.chaos.traffic import Traffic
from local_aws.chaos.watching import Watcher
from local_aws.rehearsal.commands import Commands
from local_aws.rehearsal.delivery import Delivery, Ended, Execution
from local_aws.rehearsal.inbox import Inbox
from local_aws.rehearsal.report import Report
from local_aws.rehearsal.trained import Trained
from local_aws.sagemaker import SageMaker
from pipelines.stages.registry import Package
from pipelines.stages.running import serving

RARE_ONE_IN = 16
PAUSE_SECONDS = 0.25
ROWS = 320
FOLLOWED = 8
"""Releases of one model that may go on at once."""


@dataclass(frozen=True)
class Going:
    """A release that is followed in the background; where it asks for approval it waits for `approve`."""

    execution: Execution
    package: str
    _approved: threading.Event
    _ended: Future[Ended]

    def approve(self) -> Self:
        """Lets it go on to production as soon as it asks."""
        self._approved.set()
        return self

    def end(self) -> Ended:
        """Waits until it has ended, and gives how."""
        return self._ended.result()


class Served:
    """Where chaos happens: one model and its production endpoint, from when *package* is registered for it."""

    def __init__(
        self, account: Account, report: Report, project: Project, model: Model, package: str, rate: float
    ) -> None:
        self.name, self.report = model.name, report
        self.log: Path = account.settings.home
        hosting = model.in_environment("production").hosting
        self.instances = hosting.instances if isinstance(hosting, Dedicated) else 1
        self._account, self._names = account, (names := Names(project.name))
        self._pipeline = names.delivery_pipeline("release")
        self._endpoint = names.endpoint(model.name, "production")
        self._sagemaker: Any = account.client("sagemaker")
        self._delivery, self._followers = Delivery(account, report), ThreadPoolExecutor(FOLLOWED)
        good = Package.describe(self._sagemaker, package)
        rare = Rare.of(model)
        self.faults = Faults(account, good, rare, names.signing_key(project.signing_keys[0]))
        self.watcher = Watcher(account, self._endpoint)
        self._inbox = Inbox(account, names, "delivery", "Releases", reader=model.name)
        self._read: list[str] = []
        self._rate, self._bodies = rate, _bodies(account, model, package, rare)

    @contextmanager
    def asked(self) -> Iterator[Self]:
        """Requests flow until the block ends; *package* serves by now."""
        self.traffic = Traffic(self._account, self._endpoint, self._rate, self._bodies)
        try:
            yield self
        finally:
            self.traffic.stop()

    def release(self, package: str, reason: str) -> Going:
        """Starts a release of an earlier package, as a person would."""
        execution = self._delivery.release(self._pipeline, self.name, package, reason)
        approved = threading.Event()
        ended = self._followers.submit(self._delivery.end, execution, approved.is_set)
        return Going(execution, package, approved, ended)

    def told(self, going: Going) -> list[str]:
        """What the owners were told of a release that failed; the approval is no news."""
        self._read += self._inbox.read()
        about = (going.execution.identifier, going.package)
        return [text for text in self._read if "approval" not in text and any(each in text for each in about)]

    def rollback(self) -> str:
        """`make rollback`; gives what it prints."""
        words = ["rollback", f"MODEL={self.name}", "ENV=production", "YES=1", "REASON=chaos"]
        return Commands(self._account).make(*words).strip()

    def goes_back_within(self, seconds: float) -> bool:
        """Whether the state machine of ways back runs in time."""
        states, deadline = self._account.client("stepfunctions"), time.monotonic() + seconds
        name = self._names.rollback("production")
        machine = next(each for each in states.list_state_machines()["stateMachines"] if each["name"] == name)
        while time.monotonic() < deadline:
            if states.list_executions(stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING")["executions"]:
                return True
            time.sleep(PAUSE_SECONDS)
        return False

    def describe(self) -> dict[str, Any]:
        """The endpoint, as SageMaker describes it."""
        return self._sagemaker.describe_endpoint(EndpointName=self._endpoint)

    def package(self) -> str:
        """ARN of the package that the endpoint runs."""
        package = serving(self._sagemaker, self._endpoint)
        assert package
        return package.arn

    def servers(self) -> list[int]:
        """The process ids of the endpoint's instances that are alive."""
        live = cast("SageMaker", self._account.services["sagemaker"]).endpoints.live[self._endpoint]
        return [
            server.process.pid
            for variant in live.variants.values()
            for server in variant.servers
            if server.process and server.alive
        ]


def _bodies(account: Account, model: Model, package: str, rare: Rare) -> list[str]:
    """Requests of one real row each, some of them made rare."""
    run = Trained.of(account, package)
    frame = run.rows(run.periods[0]).head(ROWS)[[feature.name for feature in model.features]]
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records"))
    rows = [rare.row(row) if place % RARE_ONE_IN == 0 else row for place, row in enumerate(rows)]
    return [json.dumps({"instances": [row]}) for row in rows]
