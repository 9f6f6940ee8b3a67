"""A report as typed facts; what is missing, null or not what it should be is None or empty, never an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BEYOND = 1e100
TIERS = ("green", "yellow", "red", "unknown")


@dataclass(frozen=True)
class Reading:
    """A number of one period, its band, and the range that is normal for it."""

    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    lower_threshold: float | None = None
    upper_threshold: float | None = None
    alert: bool = False


@dataclass(frozen=True)
class Drift:
    """What one feature did in one period."""

    measures: Mapping[str, float | None]
    thresholds: Mapping[str, float]
    alerts: tuple[str, ...]
    shares: tuple[float | None, ...]
    unseen: Mapping[str, float]


@dataclass(frozen=True)
class Suspect:
    """A feature's place among those that explain a period."""

    feature: str
    contribution: float | None
    correlation: float | None
    p_value: float | None
    alerts: int


@dataclass(frozen=True)
class Segment:
    """The rows with one value of a sensitive feature."""

    n: float | None
    estimated: Mapping[str, float]
    realized: Mapping[str, float]


@dataclass(frozen=True)
class Kept:
    """How many answers were given in a period, and how many were captured."""

    answered: float | None = None
    captured: float | None = None
    share: float | None = None


@dataclass(frozen=True)
class Period:
    """Everything about one period."""

    key: str
    n: float | None
    tier: str
    why: tuple[str, ...]
    features: Mapping[str, Drift]
    multivariate: Reading
    estimated: Mapping[str, Reading]
    realized: Mapping[str, Reading]
    concept_drift: Mapping[str, Reading]
    labelled: float | None
    coverage: float | None
    kept: Kept
    worth: Mapping[str, float]
    segments: Mapping[str, Mapping[str, Segment]]
    ranking: tuple[Suspect, ...]
    contribution_metric: str | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    """What the model is compared with."""

    n: float | None
    kinds: Mapping[str, str]
    bins: Mapping[str, tuple[str, ...]]
    shares: Mapping[str, tuple[float | None, ...]]
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Report:
    """Everything that the page shows."""

    name: str | None
    task: str | None
    every: str | None
    tier: str
    why: tuple[str, ...]
    since: str | None
    """Since when it is like this, where the report says it."""
    package: str | None
    latest: Period | None
    reference: Reference
    not_monitored: Mapping[str, str]
    problems: tuple[str, ...]
    periods: tuple[Period, ...]


def read(report: Mapping[str, Any]) -> Report:
    """The facts of a report.json."""
    periods = tuple(_period(key, mapping(body)) for key, body in mapping(report.get("periods")).items())
    named = [period for period in periods if period.key == report.get("latest")]
    latest = (named or list(periods[-1:]) or [None])[0]
    return Report(
        name=text(report.get("name")),
        task=text(report.get("task")),
        every=text(report.get("period")),
        tier=_tier(report.get("tier"), latest.tier if latest else "unknown"),
        why=texts(report.get("why")) or (latest.why if latest else ()),
        since=text(mapping(report.get("light")).get("since")),
        package=text(report.get("package")),
        latest=latest,
        reference=_reference(mapping(report.get("reference"))),
        not_monitored={key: text(value) or "" for key, value in mapping(report.get("not_monitored")).items()},
        problems=texts(report.get("problems")),
        periods=periods,
    )


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object, or an empty one."""
    return {str(key): each for key, each in value.items()} if isinstance(value, Mapping) else {}


def number(value: Any) -> float | None:
    """A number that can be reckoned with, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if -BEYOND < value < BEYOND else None


def text(value: Any) -> str | None:
    """A text with something in it, or None."""
    return value.strip() or None if isinstance(value, str) else None


def items(value: Any) -> list[Any]:
    """A JSON array, or an empty one."""
    return list(value) if isinstance(value, (list, tuple)) else []


def texts(value: Any) -> tuple[str, ...]:
    """The sentences of an array; a single sentence is one of them."""
    return tuple(filter(None, map(text, [value] if isinstance(value, str) else items(value))))


def numbers(value: Any) -> dict[str, float]:
    """The numbers of an object, without those that are not."""
    return {key: each for key, raw in mapping(value).items() if (each := number(raw)) is not None}


def _tier(value: Any, otherwise: str) -> str:
    return value if isinstance(value, str) and value in TIERS else otherwise


def _reading(value: Any) -> Reading:
    body = mapping(value)
    bounds = (number(body.get(key)) for key in ("lower", "upper", "lower_threshold", "upper_threshold"))
    if "value" in body:
        return Reading(number(body["value"]), *bounds, alert=body.get("alert") is True)
    return Reading(number(body.get("pca_reconstruction_error")), *bounds, alert=body.get("alert") is True)


def _readings(value: Any) -> dict[str, Reading]:
    return {key: _reading(each) for key, each in mapping(value).items()}


def _drift(body: Mapping[str, Any]) -> Drift:
    others = {"thresholds", "alerts", "shares", "unseen"}
    return Drift(
        measures={key: number(value) for key, value in body.items() if key not in others},
        thresholds=numbers(body.get("thresholds")),
        alerts=texts(body.get("alerts")),
        shares=tuple(map(number, items(body.get("shares")))),
        unseen=numbers(body.get("unseen")),
    )


def _suspects(value: Any) -> tuple[Suspect, ...]:
    bodies = [mapping(each) for each in items(value)]
    return tuple(
        Suspect(
            feature=str(body["feature"]),
            contribution=number(body.get("contribution")),
            correlation=number(body.get("correlation")),
            p_value=number(body.get("p_value")),
            alerts=int(number(body.get("alerts")) or 0),
        )
        for body in bodies
        if body.get("feature") is not None
    )


def _segments(value: Any) -> dict[str, dict[str, Segment]]:
    return {
        feature: {
            each: Segment(number(body.get("n")), numbers(body.get("estimated")), numbers(body.get("realized")))
            for each, body in ((key, mapping(raw)) for key, raw in mapping(values).items())
        }
        for feature, values in mapping(value).items()
    }


def _period(key: str, body: Mapping[str, Any]) -> Period:
    labels, kept = mapping(body.get("labels")), mapping(body.get("capture"))
    return Period(
        key=key,
        n=number(body.get("n")),
        tier=_tier(body.get("tier"), "unknown"),
        why=texts(body.get("why")),
        features={name: _drift(mapping(each)) for name, each in mapping(body.get("features")).items()},
        multivariate=_reading(body.get("multivariate")),
        estimated=_readings(body.get("estimated")),
        realized=_readings(body.get("realized")),
        concept_drift=_readings(body.get("concept_drift")),
        labelled=number(labels.get("n")),
        coverage=number(labels.get("coverage")),
        kept=Kept(*(number(kept.get(key)) for key in ("answered", "captured", "coverage"))),
        worth=numbers(body.get("business_value")),
        segments=_segments(body.get("segments")),
        ranking=_suspects(body.get("ranking")),
        contribution_metric=text(body.get("contribution_metric")),
        problems=texts(body.get("problems")),
    )


def _reference(body: Mapping[str, Any]) -> Reference:
    features = {name: mapping(each) for name, each in mapping(body.get("features")).items()}
    return Reference(
        n=number(body.get("n")),
        kinds={name: kind for name, each in features.items() if (kind := text(each.get("kind")))},
        bins={name: tuple(map(str, items(each.get("bins")))) for name, each in features.items()},
        shares={name: tuple(map(number, items(each.get("shares")))) for name, each in features.items()},
        metrics=numbers(body.get("metrics")),
    )
