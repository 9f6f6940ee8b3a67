"""Years of production in two minutes: rows and labels arrive, the watch judges, red retrains."""

from __future__ import annotations

import json
import textwrap
import time
from dataclasses import replace
from datetime import datetime
from typing import Any

from config import Model
from config.naming import Names
from local_aws.account import Account
from local_aws.rehearsal.delivery import Delivery, Execution
from local_aws.rehearsal.failure import RehearsalError
from local_aws.rehearsal.inbox import Inbox
from local_aws.rehearsal.months import Feed, Month, months
from local_aws.rehearsal.report import Report
from local_aws.rehearsal.trained import Trained

LOOKS = 6
"""How often the watch looks in all; after red it looks at each of the next months."""
CLOSELY = 2
LINE = 240
FLUSH_SECONDS = 1.5  # captured requests are written every second, log lines every half
LONGEST_RUN, LONGEST_START, LONGEST_SCREENING = 120.0, 10.0, 20.0


class Lights:
    """The production time of one model, as its calendar says it, and what the watch made of it."""

    def __init__(
        self, account: Account, report: Report, names: Names, delivery: Delivery, model: Model, records: str
    ) -> None:
        self._account, self._report, self._names, self._delivery = account, report, names, delivery
        self._model = model
        self._s3 = account.client("s3")
        self._states = account.client("stepfunctions")
        self._records = records
        self._inbox = Inbox(account, names, "production", f"Alerts{model.team}")
        self.looks: list[dict[str, Any]] = []
        self._feed = Feed(account, names, model, records)
        self._followed: set[str] = set()
        self._screened: set[str] = set()

    def pass_by(self, package: str) -> None:
        """Lets all months after training pass; raises RehearsalError where the watch or a release fails."""
        waiting = list(months(self._model, Trained.of(self._account, package)))
        span, closely, labelled = max(1, len(waiting) // LOOKS), 0, False
        while waiting:
            count = 1 if closely else span
            now, waiting, closely = waiting[:count], waiting[count:], max(0, closely - 1)
            self._look(now, labelled=labelled)
            if not labelled:
                self._look_again(now)
                labelled = True
            if self._follow_releases():
                closely = CLOSELY
        self._keep_page()

    def _look(self, passed: list[Month], *, labelled: bool) -> None:
        with self._report.step(f"{self._model.name}: {_span(passed)}") as step:
            rows = sum(self._feed.ask(month) for month in passed)
            if labelled:
                for month in passed:
                    self._feed.label(month)
            time.sleep(FLUSH_SECONDS)
            step.evidence = f"{rows:,} rows{' and labels' if labelled else ''}: {self._watched(passed[-1].end)}"

    def _look_again(self, passed: list[Month]) -> None:
        with self._report.step(f"{self._model.name}: labels of {_span(passed)}") as step:
            for month in passed:
                self._feed.label(month)
            step.evidence = self._watched(passed[-1].end)

    def _watched(self, at: datetime) -> str:
        """Has the schedule fire at *at*; gives the light and its first reason."""
        self._account.calendar.set(at)
        arn = self._account.scheduler.fire(self._names.watch(self._model.team))
        deadline = time.monotonic() + LONGEST_RUN
        while (found := self._states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            if time.monotonic() > deadline:
                raise self._failure(f"has not ended within {LONGEST_RUN:.0f} s")
            time.sleep(0.2)
        if found["status"] != "SUCCEEDED":
            raise self._failure(f"has {found['status'].lower()}: {found.get('cause', 'no reason given')}")
        return self._seen(at)

    def _seen(self, at: datetime) -> str:
        """Notes the light and what the owners were told of it; gives the light and its first reason."""
        state, told = self._state(), self._inbox.read()
        light = state["light"]
        seen = {"model": self._model.name, "at": at.isoformat(), "light": light, "told": told}
        self.looks.append(seen | {"package": state["versions"][-1]["package"], "tiers": state["tiers"]})
        for message in told:
            self._report.say(f"{self._model.team} is told: {textwrap.shorten(message, LINE)}")
        return f"{light['tier']} ({light['period']}): {light['why'][0]}"

    def _state(self) -> dict[str, Any]:
        return self._read(f"watch/{self._model.team}/{self._model.name}/state.json")

    def _read(self, key: str) -> dict[str, Any]:
        return json.loads(self._s3.get_object(Bucket=self._records, Key=key)["Body"].read())

    def _follow_releases(self) -> bool:
        """Whether red has started a release since the last time; follows it, and a gate that says no is no failure."""
        new = [each["id"] for each in self._state()["retrainings"] if each["id"] not in self._followed]
        for retraining in new:
            self._followed.add(retraining)
            list(self._delivery.follow([self._release(retraining)], approve=True))
            self._wait_for_quarantine()
        return bool(new)

    def _wait_for_quarantine(self) -> None:
        """Waits until the rows that a batch had to keep back are scored by the package that knows them."""
        prefix = f"batch/{self._model.team}/{self._model.name}/summary/"
        for item in self._s3.list_objects_v2(Bucket=self._records, Prefix=prefix).get("Contents", []):
            if item["Key"] in self._screened:
                continue
            self._screened.add(item["Key"])
            self._tell_quarantine(item["Key"])

    def _tell_quarantine(self, key: str) -> None:
        summary = self._read(key)
        if not summary["quarantined"] or "pending" not in summary:  # nothing was kept back, or a screening itself
            return
        with self._report.step(f"{self._model.name}: quarantine") as step:
            deadline = time.monotonic() + LONGEST_SCREENING
            while summary["pending"] and time.monotonic() < deadline:
                time.sleep(0.2)
                summary = self._read(key)
            later = sum(summary.get("scored_later", {}).values())
            step.evidence = f"{later} rows of {summary['run']} scored by the new package, {summary['pending']} left"

    def _release(self, retraining: str) -> Execution:
        pipeline = self._names.delivery_pipeline("release")
        deadline = time.monotonic() + LONGEST_START
        while time.monotonic() < deadline:
            for execution in self._delivery.executions(pipeline):
                if self._delivery.variables(execution).get("RETRAINING") == retraining:
                    return replace(execution, model=self._model.name)
            time.sleep(0.2)
        raise RehearsalError(
            f"Retraining {retraining} of {self._model.name} has started no release within {LONGEST_START:.0f} s.",
            self._account.settings.home,
        )

    def _keep_page(self) -> None:
        """Leaves the newest report where a browser finds it."""
        key = f"watch/{self._model.team}/{self._model.name}/report.html"
        page = self._account.settings.home / "reports" / f"{self._model.name}.html"
        page.parent.mkdir(exist_ok=True)
        page.write_bytes(self._s3.get_object(Bucket=self._records, Key=key)["Body"].read())
        with self._report.step(f"{self._model.name}: report") as step:
            step.evidence = page.as_uri()

    def _failure(self, what: str) -> RehearsalError:
        return RehearsalError(f"The watch of {self._model.team} {what}.", self._account.settings.home / "logs")


def _span(passed: list[Month]) -> str:
    return passed[0].name if len(passed) == 1 else f"{passed[0].name} to {passed[-1].name}"
