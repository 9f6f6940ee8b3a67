"""Notes each request in no time, and ten times a second counts and logs what was noted."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from model_server.contract import INVOCATIONS, Contract
from model_server.routes import Response
from model_server.watching import embedded
from model_server.watching.counters import BUCKETS, PARTS, Counter
from model_server.watching.log import shortened, write

_MOST_LINES = 16
"""Of requests that were answered, and as many of the others, at each turn."""


class Told(NamedTuple):
    """Where and how often metrics go to CloudWatch; never at 0 seconds."""

    namespace: str
    endpoint: str
    seconds: float


class Watch:
    """The eyes of one worker; of a *sensitive* model it tells no message of an exception, which may quote a value."""

    def __init__(self, counter: Counter, told: Told, *, sensitive: bool = False) -> None:
        self._sensitive = sensitive
        self._counter = counter
        self._told = told
        self._last = counter.counts()
        self._due = time.monotonic() + told.seconds
        # The times of the predecessor in this place stay in the sum.
        self._before = {part: self._last[f"seconds {part}"] for part in PARTS}
        self._forget()

    def note(self, path: str, response: Response, seconds: float) -> None:
        """One request was answered."""
        if path != INVOCATIONS and response.status == 200:
            return
        if self._sensitive and response.cause:
            response = response._replace(cause=response.frames)
        sample = self._answered if response.status == 200 else self._others
        if not sample.count % sample.step:
            sample.keep((path, response, seconds))
        sample.count += 1
        if path != INVOCATIONS:
            return
        self._seconds += seconds
        self._rows += response.rows or 0
        self._buckets[bisect_left(BUCKETS, seconds)] += 1
        if response.status != 200 or response.findings:
            self._count_apart(response)

    def tell(self, contract: Contract | None, *, last: bool = False) -> None:
        """Counts and logs what was noted since; *last* before the worker ends."""
        if contract:
            for part in PARTS:
                self._counter.put(f"seconds {part}", self._before[part] + getattr(contract.times, part))
        if self._answered.count or self._others.count:
            self._counter.add("status 200", self._answered.count)
            self._counter.add("rows", self._rows)
            self._counter.time(self._buckets, self._seconds)
            write([*self._answered.lines(), *self._others.lines()])
            self._forget()
        if self._told.seconds and (last or time.monotonic() >= self._due):
            self._embed()

    def _forget(self) -> None:
        self._answered = _Sample()
        self._others = _Sample()
        self._rows = 0
        self._seconds = 0.0
        self._buckets = [0] * (len(BUCKETS) + 1)

    def _count_apart(self, response: Response) -> None:
        """What few requests have."""
        if response.status != 200:
            self._counter.add(f"status {response.status}")
        for finding in response.findings:
            self._counter.add(f"rejected {finding.code} {finding.action}", finding.rows)
        if response.refusal:
            self._counter.add(f"rejected {response.refusal.code} refuse")

    def _embed(self) -> None:
        counts = self._counter.counts()
        grown = counts.since(self._last)
        self._last = counts
        self._due = time.monotonic() + self._told.seconds
        if any(grown.buckets()):
            write([embedded.line(grown, self._told.namespace, self._told.endpoint, time.time())])


class _Sample:
    """Some of many requests, evenly spread over all of them however many there will be."""

    def __init__(self) -> None:
        self.count = 0
        self.step = 1
        self._kept: list[tuple[str, Response, float]] = []

    def keep(self, seen: tuple[str, Response, float]) -> None:
        """Every step-th request is kept; when they become too many, half of them are let go and the step doubles."""
        self._kept.append(seen)
        if len(self._kept) > _MOST_LINES:
            self._kept = self._kept[::2]
            self.step *= 2

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """The members of a log line for each that was kept, with the number of requests that it stands for."""
        for place, seen in enumerate(self._kept):
            yield _line(*seen, min(self.step, self.count - place * self.step))


def _line(path: str, response: Response, seconds: float, stands_for: int) -> Mapping[str, Any]:
    # Neither the message nor the body: both may hold what a row says about a person.
    return {
        "route": path,
        "status": response.status,
        "milliseconds": round(seconds * 1000, 3),
        "rows": response.rows,
        "code": response.refusal and response.refusal.code,
        "field": response.refusal and response.refusal.field,
        "findings": [finding._asdict() for finding in response.findings] or None,
        "cause": shortened(response.cause),
        "of": stands_for if stands_for > 1 else None,
    }
