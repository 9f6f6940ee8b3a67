"""Whether a red light starts a release by itself, or a person is asked, and in which words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from config.model import Model
from monitoring import tier
from pipelines.watch.state import Light, State

LONGEST_REASON = 500
"""CodePipeline allows 1,000 characters in a variable, and as many in an approval that also holds the summary."""

_BUDGET = timedelta(days=30)
_BROKEN = "the schema is broken"


@dataclass(frozen=True)
class Start:
    """A release is to be started: `id` is the same for the same package and period, `reason` is its REASON."""

    id: str
    reason: str


@dataclass(frozen=True)
class Ask:
    """A person is to decide; `reason` says why nothing happens by itself."""

    reason: str


def decide(model: Model, state: State, light: Light, period_report: Mapping[str, Any], at: str) -> Start | Ask | None:
    """What follows from *light* at the moment *at* (ISO 8601): at most one release and one question for a red period.

    *period_report* is the part of the kernel's report that is of `light.period`. A question does not end the matter:
    when nothing speaks against a release any more (labels came, the cool-down is over), it starts.
    """
    if light.tier != "red" or not state.versions:
        return None
    package, period = state.versions[-1].package, light.period
    if any((each.package, each.period) == (package, period) for each in state.retrainings):
        return None
    objection = next(_objections(model, state, light, period_report, _moment(at)), None)
    if objection is None:
        return Start(identifier(package, period), _sentence(period, _by_labels(model, period_report)[0]))
    if any((each.package, each.period) == (package, period) for each in state.asked):
        return None
    return Ask(_sentence(period, objection))


def identifier(package: str, period: str) -> str:
    """The id of the retraining that a red period of a package leads to; letters, digits and hyphens."""
    return f"{period}-{hashlib.sha256(f'{package} {period}'.encode()).hexdigest()[:12]}"


def _objections(model: Model, state: State, light: Light, report: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """What speaks against a release, what a person must know first before what passes by itself."""
    rules = model.monitoring.retraining
    if not rules.automatic:
        yield f"{_first(light)}. The model is not retrained by itself (monitoring.retraining.automatic is false)"
    if broken := [each for each in light.why if each.endswith(_BROKEN)]:
        yield f"{broken[0]}. Training on such rows mends nothing: look at what calls the model"
    yield from _labels(model, light, report)
    if state.versions[-1].retraining and not {"green", "yellow"} & set(state.tiers.values()):
        yield (
            f"{_first(light)}. The package was retrained ({state.versions[-1].retraining}) and is red again at once, "
            "so more of the same data may not help"
        )
    yield from _pauses(model, state, light, now)


def _labels(model: Model, light: Light, report: Mapping[str, Any]) -> Iterator[str]:
    asked, labels = model.monitoring.retraining.min_labels, report["labels"]
    if not _by_labels(model, report):
        yield (
            f"{_first(light)}. No labels say it, and what a model has to learn anew only fresh labels can tell: "
            "bring labels of this period, or look at what changed"
        )
    if labels["n"] < asked:
        yield (
            f"{_first(light)}. Only {labels['n']:,} rows of the period have a label, and {asked:,} are asked for "
            "(monitoring.retraining.min_labels): it starts by itself once they are there"
        )


def _pauses(model: Model, state: State, light: Light, now: datetime) -> Iterator[str]:
    rules = model.monitoring.retraining
    started = sorted(_moment(each.at) for each in state.retrainings)
    pause = timedelta(days=rules.cooldown_days)
    if started and now < started[-1] + pause:
        yield (
            f"{_first(light)}. The last retraining started on {_day(started[-1])}, less than {rules.cooldown_days} "
            f"days ago: if the light is still red, the next one starts by itself from {_day(started[-1] + pause)} on"
        )
    lately = [each for each in started if each > now - _BUDGET]
    if len(lately) >= rules.per_month:
        yield (
            f"{_first(light)}. {len(lately)} retrainings started within 30 days, which is the budget "
            "(monitoring.retraining.per_month): if the light is still red, the next one starts by itself from "
            f"{_day(lately[-rules.per_month] + _BUDGET)} on"
        )


def _by_labels(model: Model, report: Mapping[str, Any]) -> list[str]:
    """The sentences of the deciding metrics that enough labels say are worse than normal, the certain ones first."""
    rules, labels = model.monitoring.light, report["labels"]
    if labels["n"] < rules.min_labels or labels["coverage"] < rules.label_coverage:
        return []
    metrics = [name for name in rules.metrics or tier.DECIDING[model.task] if name in report["realized"]]
    found = [tier.outside(name, report["realized"][name], "realized", labels["n"]) for name in metrics]
    return [each.sentence for each in sorted(filter(None, found), key=lambda each: not each.certain)]


def _first(light: Light) -> str:
    return light.why[0] if light.why else "no reason was given"


def _sentence(period: str, said: str) -> str:
    sentence = " ".join(f"Red in {period}: {said}.".split())
    return sentence if len(sentence) <= LONGEST_REASON else f"{sentence[: LONGEST_REASON - 3]}..."


def _moment(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
