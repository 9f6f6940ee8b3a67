"""Counts of answers by the time that they took: exact to one percent, small however many, and they add up."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

_STEP = math.log(1.01)
_LEAST = 0.01
"""In milliseconds; nothing over a network is quicker."""

Times = Counter[int]
"""How many took so long, by bucket."""


def bucket(milliseconds: float) -> int:
    """The bucket of a time."""
    return round(math.log(max(milliseconds, _LEAST)) / _STEP)


def percentile(times: Times, percent: float) -> float | None:
    """The time in milliseconds that so many percent did not exceed; None of no times."""
    left = math.ceil(times.total() * percent / 100)
    for place in sorted(times):
        left -= times[place]
        if left <= 0:
            return math.exp(place * _STEP)
    return None


@dataclass
class Tally:
    """What the callers of one process, or of several, have seen."""

    seconds: dict[int, Times] = field(default_factory=dict)
    """By the second in which a request was sent, the times of those that were answered."""
    errors: Counter[str] = field(default_factory=Counter)
    """Requests that were not, by kind."""
    errors_by_second: Counter[int] = field(default_factory=Counter)
    late: Times = field(default_factory=Counter)
    """How much later than planned requests were sent whose caller was free."""
    cpu: float = 0.0
    """The largest share of a core that a process used."""

    def answered(self, second: int, milliseconds: float) -> None:
        """Counts an answer."""
        self.seconds.setdefault(second, Counter())[bucket(milliseconds)] += 1

    def failed(self, second: int, kind: str) -> None:
        """Counts a failure."""
        self.errors[kind] += 1
        self.errors_by_second[second] += 1

    @property
    def times(self) -> Times:
        """Of all seconds."""
        return sum(self.seconds.values(), Counter())

    @property
    def requests(self) -> int:
        """Answered or not."""
        return self.times.total() + self.errors.total()

    def to_json(self) -> dict[str, Any]:
        """As `of_json` reads it; JSON has no numbers as keys."""
        seconds = [[second, sorted(times.items())] for second, times in self.seconds.items()]
        return {
            "seconds": seconds,
            "errors": self.errors,
            "errors_by_second": list(self.errors_by_second.items()),
            "late": sorted(self.late.items()),
            "cpu": self.cpu,
        }

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> Self:
        """What another process has counted."""
        return cls(
            {second: Counter(dict(times)) for second, times in content["seconds"]},
            Counter(content["errors"]),
            Counter(dict(content["errors_by_second"])),
            Counter(dict(content["late"])),
            content["cpu"],
        )

    @classmethod
    def together(cls, tallies: Iterable[Self]) -> Self:
        """The sum of what several processes have counted at the same time."""
        whole = cls()
        for tally in tallies:
            for second, times in tally.seconds.items():
                whole.seconds.setdefault(second, Counter()).update(times)
            whole.errors.update(tally.errors)
            whole.errors_by_second.update(tally.errors_by_second)
            whole.late.update(tally.late)
            whole.cpu = max(whole.cpu, tally.cpu)
        return whole
