"""The light of a model, from the kernel's report and from how much was captured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from config.model import Monitoring
from pipelines.watch import moments
from pipelines.watch.coverage import Coverage

Report = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """The light of a model, of which period it is, and why; `tiers` has that of every period, oldest first."""

    tier: str
    period: str
    why: tuple[str, ...]
    tiers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def unknown(cls, *why: str) -> Verdict:
        """That nothing can be said at all."""
        return cls("unknown", "", why)

    def but(self, *sentences: str) -> Verdict:
        """With more to know, which changes no tier."""
        return replace(self, why=(*self.why, *sentences))


def judge(
    report: Report, coverage: Mapping[str, Coverage], *, since: datetime, at: datetime, monitoring: Monitoring
) -> Verdict:
    """The light of a model that serves since a moment; the periods of *report* get their coverage and final tier.

    The newest period decides that says something. An open one with too few rows does not yet, nor one that waits for
    labels as long as they may take.
    """
    names = _periods(since, at, monitoring)
    told = {name: report["periods"].get(name) or _empty() for name in names}
    for name, period in told.items():
        _apply(period, coverage.get(name), name, is_open=name == names[-1], least=monitoring.capture_coverage)
    report["periods"] = told = {name: one for name, one in told.items() if one["n"] or name != names[-1]}
    tiers = {name: one["tier"] for name, one in told.items()}
    waiting: list[tuple[str, str]] = []
    for age, name in enumerate(reversed(names)):
        period = told.get(name)
        if period is None or (age == 0 and "rows" in period["lacks"]):
            waiting.append((name, _early(name, period)))
        elif age <= monitoring.label_delay and _waits_for_labels(period):
            waiting.append((name, f"{name} waits for labels, of {period['labels']['coverage']:.0%} of its rows so far"))
        else:
            return Verdict(period["tier"], name, tuple(period["why"]), tiers)
    return Verdict(
        "unknown", waiting[0][0], (f"nothing can be said of it yet: {waiting[0][1]}", *_others(waiting)), tiers
    )


def _periods(since: datetime, at: datetime, monitoring: Monitoring) -> list[str]:
    """The calendar periods from the first that the package served in to the open one, at most those of the history."""
    last = moments.number(at, monitoring.period)
    first = max(moments.number(since, monitoring.period), last - monitoring.history + 1)
    return [moments.name(number, monitoring.period) for number in range(min(first, last), last + 1)]


def _empty() -> dict[str, Any]:
    return {"n": 0, "tier": "unknown", "why": [], "lacks": ["rows"], "labels": {"n": 0, "coverage": 0.0}}


def _apply(period: dict[str, Any], coverage: Coverage | None, name: str, *, is_open: bool, least: float) -> None:
    """Puts the coverage into a period, and what follows from it into its tier."""
    answered = coverage.answered if coverage else None
    if coverage:
        period["capture"] = coverage.body(least)
    if not period["n"]:
        period["why"] = (
            [f"{answered:,.0f} requests were answered in {name} and none was captured: look at the data capture"]
            if answered
            else [f"no request came in {name}"]
        )
    elif coverage and coverage.is_enough(least) is False:
        of = "" if coverage.percent == 100 else f", of which {coverage.percent:g} % are to be kept"
        sentence = (
            f"only {coverage.captured:,} events were captured of {answered:,.0f} answers{of}: "
            f"{coverage.share:.0%}, and {least:.0%} are asked for (monitoring.capture_coverage)"
        )
        if period["tier"] in ("yellow", "red"):
            period["why"] = [*period["why"], sentence]
        else:
            others = [] if period["tier"] == "green" else period["why"]
            period |= {"tier": "unknown", "why": [sentence, *others], "lacks": [*period["lacks"], "capture"]}
    if is_open:
        period["open"] = True


def _waits_for_labels(period: Mapping[str, Any]) -> bool:
    return period["tier"] == "unknown" and list(period["lacks"]) == ["labels"]


def _early(name: str, period: Mapping[str, Any] | None) -> str:
    return f"{name} is not over and has {period['n'] if period else 0:,} rows"


def _others(waiting: Sequence[tuple[str, str]]) -> list[str]:
    return [sentence for _, sentence in waiting[1:]]
