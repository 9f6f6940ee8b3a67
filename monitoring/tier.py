"""The light of a period: green, yellow, red or unknown, and the sentences that say why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from monitoring.rules import Rules

Tier = Literal["green", "yellow", "red", "unknown"]

DECIDING: Mapping[str, tuple[str, ...]] = {
    "binary": ("roc_auc", "accuracy"),
    "multiclass": ("roc_auc", "accuracy"),
    "regression": ("mae",),
}
"""The metrics that decide where the rules name none; more of them would alarm more often by chance."""

LOWER_IS_BETTER = frozenset({"mae", "rmse"})


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was, and whether it is beyond the reach of chance."""

    sentence: str
    certain: bool = False


@dataclass
class Evidence:
    """All that a period says about its model, sorted by what it counts for."""

    broken: list[str] = field(default_factory=list)
    """The schema does not hold: columns missing, values of another type."""
    realized: list[Finding] = field(default_factory=list)
    estimated: list[Finding] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
    quality: list[str] = field(default_factory=list)
    concept: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """What could not be measured."""
    early: list[str] = field(default_factory=list)
    """What could not be measured because most labels are still to come."""
    few_rows: str | None = None
    few_labels: str | None = None
    """Why realized performance decides nothing, or not alone."""


def decide(rules: Rules, evidence: Sequence[Evidence]) -> tuple[Tier, list[str]]:
    """The tier of the last of some periods in a row, with the sentences that say why, the weightiest first."""
    now = evidence[-1]
    if now.few_rows:
        return "unknown", [now.few_rows]
    red = [*now.broken, *_red_by_labels(rules, evidence), *_red_by_estimate(rules, evidence)]
    yellow = [
        *(each.sentence for each in now.realized),
        *(each.sentence for each in now.estimated),
        *now.drift,
        *now.concept,
        *now.quality,
    ]
    doubts = [*now.unknown, *now.early, *([now.few_labels] if now.few_labels else [])]
    said = list(dict.fromkeys([*red, *yellow, *doubts]))
    if red:
        return "red", said
    if yellow:
        return "yellow", said
    if now.unknown or (now.few_labels and not rules.green_without_labels):
        return "unknown", said
    return "green", ["every measure is within what is normal for a period of this size", *doubts]


def lacking(now: Evidence) -> list[str]:
    """What a period is too poor in to be judged: rows, measures, labels; more of the last may still come."""
    found = {"rows": now.few_rows, "measures": now.unknown, "labels": now.few_labels}
    return [name for name, lacks in found.items() if lacks]


def _red_by_labels(rules: Rules, evidence: Sequence[Evidence]) -> list[str]:
    if evidence[-1].few_labels:
        return []
    found = evidence[-1].realized
    certain = [each.sentence for each in found if each.certain]
    if certain:
        return certain
    return [each.sentence for each in found] if _in_a_row(rules, [bool(each.realized) for each in evidence]) else []


def _red_by_estimate(rules: Rules, evidence: Sequence[Evidence]) -> list[str]:
    """Only where no labels contradict: an estimate that is certain, together with drift, several periods in a row."""
    alarming = [bool(any(finding.certain for finding in each.estimated) and each.drift) for each in evidence]
    now = evidence[-1]
    if not _in_a_row(rules, alarming) or not (now.few_labels or now.realized):
        return []
    return [each.sentence for each in now.estimated if each.certain]


def _in_a_row(rules: Rules, said: Sequence[bool]) -> bool:
    return len(said) >= rules.periods and all(said[-int(rules.periods) :])


def outside(metric: str, told: Mapping[str, Any], kind: str, rows: float) -> Finding | None:
    """That a metric is worse than normal; None where it is not, or nothing is known of it."""
    value = told["value"]
    if value is None:
        return None
    lower_is_better = metric in LOWER_IS_BETTER
    limit = told["upper_threshold" if lower_is_better else "lower_threshold"]
    if limit is None or (value <= limit if lower_is_better else value >= limit):
        return None
    end = told["lower" if lower_is_better else "upper"]
    certain = end is not None and (end > limit if lower_is_better else end < limit)
    side = "above" if lower_is_better else "below"
    band = "with its whole band" if certain else "though its band reaches back, so it may be chance"
    sentence = f"{kind} {metric} is {value:.4g} over {rows:,.0f} rows, {side} {limit:.4g} where normal ends, {band}"
    return Finding(sentence, certain)
