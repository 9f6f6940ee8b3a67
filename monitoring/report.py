"""What a profile says of each of its periods: measures, performance, the light, and the features to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from monitoring import measuring, periods, ranking, tier
from monitoring.baseline import Baseline
from monitoring.evidence import gather
from monitoring.measuring import MEASURES, RATES, Measured
from monitoring.normal import BOUNDS, Limits
from monitoring.performance.outcomes import KINDS, Kind, Outcomes
from monitoring.performance.sampling import BAND
from monitoring.profile import EVERYONE, Performed, Profile, Segment
from monitoring.records import Joined
from monitoring.spec import METRICS

FORMAT = 1
_UNSEEN_SHOWN = 10
FEWEST = 20
"""Rows of a period that a segment of a sensitive feature needs to be shown: of fewer, figures may tell of a person."""


def report(profile: Profile) -> dict[str, Any]:
    """Everything that a profile says, as JSON: numbers, null where there is none, sentences why."""
    return _Report(profile).body()


@dataclass
class _Report:
    profile: Profile
    realized: Mapping[Segment, Performed] = field(init=False)
    joined: Joined = field(init=False)

    def __post_init__(self) -> None:
        self.baseline: Baseline = self.profile.baseline
        self.spec = self.baseline.spec
        self.numbers = self.profile.periods()
        self.realized, self.joined = self.profile.realized()
        self.measured: Measured = measuring.measure(self.profile, self.numbers)
        reference = {name: feature.shares for name, feature in self.baseline.features.items()}
        self.contributions = ranking.contributions(self.baseline.losses, reference, self.measured.shares)

    def body(self) -> dict[str, Any]:
        names = [periods.name(number, self.spec.period if self.spec.timestamp else None) for number in self.numbers]
        told = [self._period(place, number) for place, number in enumerate(self.numbers)]
        evidence = [
            gather(self.profile, number, one, {name: each[place] for name, each in self.contributions.items()})
            for place, (number, one) in enumerate(zip(self.numbers, told, strict=True))
        ]
        metric = self.baseline.deciding[0]
        change = np.array([_change(one, metric, self.baseline.metrics.get(metric, np.nan)) for one in told])
        for place, one in enumerate(told):
            one["tier"], one["why"] = tier.decide(self.spec.rules, evidence[: place + 1])
            one["lacks"] = tier.lacking(evidence[place])
            one["ranking"] = self._ranking(place, one, change[: place + 1])
        nothing = "unknown", ["there is no row in any period: nothing is known about this model"]
        light, why = (told[-1]["tier"], told[-1]["why"]) if told else nothing
        return {
            "format": FORMAT,
            "name": self.spec.name,
            "task": self.spec.task,
            "period": self.spec.period if self.spec.timestamp else None,
            "tier": light,
            "why": why,
            "latest": names[-1] if names else None,
            "reference": self._reference(),
            "not_monitored": self.profile.not_monitored,
            "problems": [*self.baseline.problems, *self._problems()],
            "periods": dict(zip(names, told, strict=True)),
        }

    def _period(self, place: int, number: int) -> dict[str, Any]:
        n = float(self.measured.n[place])
        labelled = self.realized[EVERYONE].rows(number, "realized")
        estimated, known = (self._metrics(number, kind) for kind in KINDS)
        return {
            "n": int(n),
            "tier": "unknown",
            "why": [],
            "lacks": [],
            "features": {name: self._feature(name, place, number) for name in self.baseline.features},
            "multivariate": self._multivariate(place),
            "estimated": estimated,
            "realized": known,
            "concept_drift": _concept_drift(estimated, known),
            "labels": {"n": int(labelled), "coverage": labelled / n if n else 0.0},
            "business_value": self._value(number),
            "segments": self._segments(number),
            "ranking": [],
            "contribution_metric": "mae" if self.spec.task == "regression" else "accuracy",
            "problems": self._remarks(number),
        }

    def _feature(self, name: str, place: int, number: int) -> dict[str, Any]:
        measured, thresholds = self.measured.features[name], self.baseline.thresholds
        said: dict[str, Any] = {
            each: _number(measured[each][place]) if each in measured else None for each in (*MEASURES, *RATES)
        }
        limits = {}
        for each in measured:
            bounds = (0.0, np.inf) if each in ("psi", "wasserstein", "chi2") else (0.0, 1.0)
            upper = thresholds.limits(f"{name}/{each}", float(self.measured.n[place]), bounds).upper
            if not np.isnan(upper):
                limits[each] = upper
        said["thresholds"] = limits
        said["alerts"] = [each for each, upper in limits.items() if said[each] is not None and said[each] > upper]
        said["shares"] = self._shares(name, self.measured.shares[name][place], self.measured.n[place])
        unseen = self.profile.features[name].unseen.by_period().get(number, {})
        shown = {} if name in self.spec.sensitive else unseen
        said["unseen"] = dict(sorted(shown.items(), key=lambda item: (-item[1], item[0]))[:_UNSEEN_SHOWN])
        return said

    def _shares(self, name: str, shares: np.ndarray, rows: float) -> list[float | None]:
        """Each bin's share of the rows; None where a sensitive one has some rows, and too few to be shown."""
        few = np.zeros(len(shares), bool)
        if name in self.spec.sensitive:
            counts = np.rint(shares * rows)
            few = (counts > 0) & (counts < FEWEST)
        return [None if hidden else _number(share) for share, hidden in zip(shares, few, strict=True)]

    def _multivariate(self, place: int) -> dict[str, Any]:
        value, error = float(self.measured.error[place]), float(self.measured.error_sampling[place])
        limits = self.baseline.thresholds.limits("multivariate", float(self.measured.n[place]), (0.0, np.inf))
        told = _told(value, error, limits, (0.0, np.inf))
        return {"pca_reconstruction_error": told.pop("value"), **told}

    def _performed(self, kind: Kind) -> Mapping[Segment, Performed]:
        return self.realized if kind == "realized" else self.profile.performed

    def _metrics(self, number: int, kind: Kind) -> dict[str, dict[str, Any]]:
        performed = self._performed(kind)[EVERYONE]
        rows = performed.rows(number, kind)
        if not rows:
            return {}
        values = performed.metrics(number, kind)
        told = {}
        for name in METRICS[self.spec.task]:
            bounds = BOUNDS.get(name, (0.0, 1.0))
            error = self.baseline.performance.sampling.error(name, rows)
            told[name] = _told(values[name], error, self.baseline.thresholds.limits(name, rows, bounds), bounds)
        return told

    def _segments(self, number: int) -> dict[str, dict[str, Any]]:
        told: dict[str, dict[str, Any]] = {}
        for segment in self.baseline.segments:
            name, place = segment
            one: dict[str, Any] = {"n": 0}
            for kind in KINDS:
                each = self._performed(kind)[segment]
                rows = each.rows(number, kind)
                known = each.metrics(number, kind) if rows else {}
                one["n"] = max(one["n"], int(rows))
                one[kind] = {metric: _number(known[metric]) for metric in METRICS[self.spec.task] if metric in known}
            if one["n"] >= FEWEST:
                told.setdefault(name, {})[self.baseline.features[name].bins[int(place)]] = one
        return told

    def _value(self, number: int) -> dict[str, float | None]:
        if not self.spec.value:
            return {}
        told: dict[str, float | None] = {}
        for kind in KINDS:
            each = self._performed(kind)[EVERYONE]
            assert isinstance(each, Outcomes)
            counts = each.confusion(number, kind)
            worth = sum(self.spec.value.get(cell, 0.0) * count for cell, count in counts.items())
            told[kind] = _number(worth) if each.rows(number, kind) else None
        return told

    def _ranking(self, place: int, one: dict[str, Any], change: np.ndarray) -> list[dict[str, Any]]:
        correlations = {
            name: ranking.correlation(by[ranking.CORRELATED][: place + 1], change)
            for name, by in self.measured.features.items()
        }
        contribution = {name: float(each[place]) for name, each in self.contributions.items()}
        return ranking.rank(one["features"], contribution, correlations)

    def _remarks(self, number: int) -> list[str]:
        """What is to be known about a period's numbers before they are believed."""
        remarks = []
        for name, counted in self.profile.features.items():
            tails = counted.tails.of(number)
            if tails["infinite"]:
                remarks.append(f"{name} is infinite in {tails['infinite']:,.0f} rows: there is no Wasserstein distance")
            if counted.values is not None and not counted.values.is_exact(number):
                remarks.append(f"{name} has so many distinct values that its distances are rounded to 10,000 bins")
        return remarks

    def _problems(self) -> list[str]:
        told = [f"{times:,} {sentence}" for sentence, times in sorted(self.profile.problems.items())]
        found = self.joined
        joined = {
            "labels have an id that no row has": found.unknown,
            "rows have an id that another row has too: their data count twice, their label once": found.repeated_rows,
            "rows have different labels of the same time: they count as not labelled": found.contradicting,
        }
        return told + [f"{count:,} {sentence}" for sentence, count in joined.items() if count]

    def _reference(self) -> dict[str, Any]:
        features = {
            name: {
                "kind": self.spec.features[name],
                "bins": feature.bins,
                "shares": self._shares(name, feature.shares, float(self.baseline.n)),
            }
            for name, feature in self.baseline.features.items()
        }
        metrics = {name: _number(value) for name, value in self.baseline.metrics.items()}
        return {"n": self.baseline.n, "features": features, "metrics": metrics}


def _told(value: float, error: float, limits: Limits, bounds: tuple[float, float]) -> dict[str, Any]:
    return {
        "value": _number(value),
        "sampling_error": _number(error),
        "lower": _number(max(value - BAND * error, bounds[0])),
        "upper": _number(min(value + BAND * error, bounds[1])),
        "lower_threshold": _number(limits.lower),
        "upper_threshold": _number(limits.upper),
        "alert": None
        if np.isnan(value) or np.isnan(limits.lower)
        else bool(value < limits.lower or value > limits.upper),
    }


def _concept_drift(estimated: Mapping[str, Any], realized: Mapping[str, Any]) -> dict[str, Any]:
    """What of a performance the changed mix of rows does not explain; chance reaches as far as that of the labels."""
    told = {}
    for name, known in realized.items():
        expected = estimated.get(name, {}).get("value")
        if known["value"] is None or expected is None:
            continue
        gap, reach = known["value"] - expected, BAND * (known["sampling_error"] or np.nan)
        lower, upper = _number(gap - reach), _number(gap + reach)
        alert = None if lower is None or upper is None else lower > 0 or upper < 0
        told[name] = {"value": gap, "lower": lower, "upper": upper, "alert": alert}
    return told


def _change(one: Mapping[str, Any], metric: str, normally: float) -> float:
    for which in ("realized", "estimated"):
        value = one[which].get(metric, {}).get("value")
        if value is not None:
            return abs(value - normally)
    return float("nan")


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
