"""How much of what an endpoint answered was kept: captured events beside SageMaker's own metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.spec import Period
from pipelines.watch import moments
from pipelines.watch.serving import Endpoint

SETTLED = timedelta(minutes=30)
"""What was answered later than so long before a run may not have been captured yet."""

_HOUR, _DAY = 3600, 86_400
_DEVIATIONS = 3
_ANSWERED = {"Invocations": 1, "Invocation4XXErrors": -1, "Invocation5XXErrors": -1}


@dataclass(frozen=True)
class Coverage:
    """Of one period: answers that the endpoint gave (None: there is no metric), and events that were captured."""

    answered: float | None
    captured: int
    percent: float
    """The share that is captured by intention."""

    @property
    def share(self) -> float | None:
        """The part kept of what should have been; None where that is not known."""
        return self.captured / (self.answered * self.percent / 100) if self.answered else None

    def is_enough(self, least: float) -> bool | None:
        """Whether at least that share was kept, where chance decides what is sampled; None where it is not known."""
        if not self.answered:
            return None
        chosen = self.percent / 100
        chance = _DEVIATIONS * math.sqrt(self.answered * chosen * (1 - chosen))
        return self.captured >= least * self.answered * chosen - chance

    def body(self, least: float) -> dict[str, Any]:
        """As the report tells it."""
        return {
            "answered": None if self.answered is None else int(self.answered),
            "captured": self.captured,
            "percent": self.percent,
            "coverage": self.share,
            "enough": self.is_enough(least),
        }


def measure(
    cloudwatch: Any, endpoint: Endpoint, events: Mapping[datetime, int], period: Period, start: datetime, end: datetime
) -> dict[str, Coverage]:
    """The coverage of each period between two full hours; *events* are captured ones by their hour."""
    answered = answers(cloudwatch, endpoint, start, end, by_hour=period == "hour") if start < end else {}
    captured = {hour: count for hour, count in events.items() if start <= hour < end}

    def by_period(counts: Mapping[datetime, float]) -> dict[str, float]:
        total: dict[str, float] = {}
        for moment, count in counts.items():
            name = moments.name(moments.number(moment, period), period)
            total[name] = total.get(name, 0) + count
        return total

    given, kept = by_period(answered), by_period(captured)
    return {
        name: Coverage(given.get(name), int(kept.get(name, 0)), endpoint.percent) for name in sorted({*given, *kept})
    }


def answers(
    cloudwatch: Any, endpoint: Endpoint, start: datetime, end: datetime, *, by_hour: bool
) -> dict[datetime, float]:
    """What the endpoint answered, by the hour or day; of hours without a metric there is nothing."""
    found: dict[datetime, float] = {}
    for first, last, seconds in [(start, end, _HOUR)] if by_hour else pieces(start, end):
        queries = [
            {
                "Id": f"m{place}{index}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/SageMaker",
                        "MetricName": metric,
                        "Dimensions": [
                            {"Name": "EndpointName", "Value": endpoint.name},
                            {"Name": "VariantName", "Value": variant},
                        ],
                    },
                    "Period": seconds,
                    "Stat": "Sum",
                },
            }
            for place, variant in enumerate(endpoint.variants)
            for index, metric in enumerate(_ANSWERED)
        ]
        signs = list(_ANSWERED.values())
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=first, EndTime=last, ScanBy="TimestampAscending"
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                sign = signs[int(result["Id"][-1])]
                for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                    hour = moment.astimezone(UTC)
                    found[hour] = found.get(hour, 0.0) + sign * value
    return found


def pieces(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, int]]:
    """The time between two full hours as hours, whole days and hours again, with the seconds of each step.

    Years by the hour would be tens of thousands of numbers for each metric.
    """
    first = moments.day(start + timedelta(days=1) - timedelta(microseconds=1))
    last = moments.day(end)
    if first >= last:
        yield start, end, _HOUR
        return
    for begin, stop, seconds in ((start, first, _HOUR), (first, last, _DAY), (last, end, _HOUR)):
        if begin < stop:
            yield begin, stop, seconds
