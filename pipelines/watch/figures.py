"""What the job tells CloudWatch: few numbers of each model, and that it has finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.watch.settings import Settings

LIGHTS = {"green": 0, "unknown": 1, "yellow": 2, "red": 3}
_FEATURES = 3
_AT_ONCE = 1000
"""PutMetricData takes no more."""


@dataclass(frozen=True)
class Judged:
    """What became of a model in a run."""

    model: str
    tier: str
    period: Mapping[str, Any]
    """The report's part of the period that decided; empty where none did."""
    deciding: tuple[str, ...] = ()
    """The metrics that decide, the first of which is told."""


def publish(cloudwatch: Any, settings: Settings, judged: Iterable[Judged]) -> None:
    """Puts all of them, stamped with the run's time."""
    judged = list(judged)
    team = [{"Name": "Environment", "Value": settings.environment}, {"Name": "Team", "Value": settings.team}]
    data = [_datum(settings, "Judged", len(judged), team)]
    for each in judged:
        dimensions = [{"Name": "Environment", "Value": settings.environment}, {"Name": "Model", "Value": each.model}]
        data += [
            _datum(settings, name, value, [*dimensions, *more])
            for name, value, more in _figures(each)
            if value is not None
        ]
    for first in range(0, len(data), _AT_ONCE):
        some = data[first : first + _AT_ONCE]
        cloudwatch.put_metric_data(Namespace=settings.names.watch_namespace, MetricData=some)


def _figures(judged: Judged) -> Iterator[tuple[str, float | None, list[dict[str, str]]]]:
    period = judged.period
    yield "Light", LIGHTS[judged.tier], []
    if not period:
        return
    yield "Rows", period["n"], []
    yield "CaptureCoverage", period.get("capture", {}).get("coverage"), []
    yield "LabelCoverage", period["labels"]["coverage"], []
    features = period.get("features", {})
    yield "DriftedFeatures", sum(bool(each["alerts"]) for each in features.values()), []
    for kind in ("estimated", "realized"):
        yield kind.capitalize(), _first(period.get(kind, {}), judged.deciding), []
    psi = {name: each["psi"] for name, each in features.items() if each["psi"] is not None}
    for name in sorted(psi, key=lambda name: -psi[name])[:_FEATURES]:
        yield "Psi", psi[name], [{"Name": "Feature", "Value": name[:1024]}]


def _first(metrics: Mapping[str, Any], deciding: tuple[str, ...]) -> float | None:
    known = [metrics[name]["value"] for name in deciding[:1] if name in metrics]
    return known[0] if known else None


def _datum(settings: Settings, name: str, value: float, dimensions: list[dict[str, str]]) -> dict[str, Any]:
    return {"MetricName": name, "Timestamp": settings.at, "Value": float(value), "Dimensions": dimensions}
