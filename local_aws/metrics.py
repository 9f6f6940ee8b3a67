"""What an alarm looks at: a metric of CloudWatch, or several and an expression, period by period."""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from collections.abc import Mapping
from typing import Any

from local_aws.metric_math import Value, expression

LATE_SECONDS, SOON_SECONDS = 600, 30  # points are kept in the order they came in, and some come late
Period = list[dict[str, Any]]


class Series:
    """The values of an alarm's metric, from the data points that MiniStack keeps; *scale* shortens its periods."""

    def __init__(self, cloudwatch: Any, alarm: Mapping[str, Any], scale: float = 1) -> None:
        self._cloudwatch = cloudwatch
        self._queries = {query["Id"]: query for query in alarm.get("Metrics") or [_only_metric(alarm)]}
        returned = [name for name, query in self._queries.items() if query.get("ReturnData", True)]
        self._returned = returned[-1]
        metrics = [query["MetricStat"] for query in self._queries.values() if "MetricStat" in query]
        self._seconds = min(metric["Period"] for metric in metrics) * scale
        self._late = max(LATE_SECONDS * scale, SOON_SECONDS)

    def values(self, periods: int, now: float) -> list[Value]:
        """The values of the last periods before `now`, newest first."""
        metrics = {name: query for name, query in self._queries.items() if "MetricStat" in query}
        points = {name: self._points(query, periods, now) for name, query in metrics.items()}
        return [
            self._value(self._returned, {name: found[period] for name, found in points.items()})
            for period in range(periods)
        ]

    def _points(self, query: Mapping[str, Any], periods: int, now: float) -> list[Period]:
        """The data points of a metric with exactly these dimensions, by period."""
        metric = query["MetricStat"]["Metric"]
        dimensions = self._cloudwatch._dims_key(self._cloudwatch._dims_from_list(metric.get("Dimensions") or []))
        found: list[Period] = [[] for _ in range(periods)]
        series = self._cloudwatch._metrics.get((metric["Namespace"], metric["MetricName"], dimensions)) or []
        for point in reversed(series):
            age = now - point["Timestamp"]
            if age > periods * self._seconds + self._late:
                break
            if 0 <= age < periods * self._seconds:
                found[int(age // self._seconds)].append(point)
        return found

    def _value(self, name: str, points: Mapping[str, Period]) -> Value:
        query = self._queries[name]
        if "Expression" in query:
            computed = expression(query["Expression"])
            return computed.value({each: self._value(each, points) for each in computed.names})
        stats = self._cloudwatch._calc_stats(points[name])
        return self._cloudwatch._stat_value(stats, query["MetricStat"]["Stat"], points[name]) if stats else None


def _only_metric(alarm: Mapping[str, Any]) -> dict[str, Any]:
    metric = {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions")}
    statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    return {"Id": "metric", "MetricStat": {"Metric": metric, "Period": alarm["Period"], "Stat": statistic}}
