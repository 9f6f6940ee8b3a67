"""Reports like those of real models: they are made, not measured."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from typing import Any

AGES = ("< 8", "8 to 16", "16 to 24", "24 to 31", "31 to 39", "39 to 47", "47 to 55", "55 to 62", "62 to 71", ">= 71")
CATEGORIES = {
    "SCHL": 24, "MAR": 5, "RELP": 18, "DIS": 2, "ESP": 8, "CIT": 5, "MIG": 3, "MIL": 4,
    "ANC": 4, "NATIVITY": 2, "DEAR": 2, "DEYE": 2, "DREM": 2, "SEX": 2, "RAC1P": 9,
}  # fmt: skip
METRICS = {
    "roc_auc": 0.9102, "precision": 0.8015, "recall": 0.8521, "f1": 0.826,
    "specificity": 0.8133, "accuracy": 0.8312, "average_precision": 0.8744,
}  # fmt: skip
FALL = {"AGEP": 0.121, "RELP": 0.094, "SCHL": 0.062, "MAR": 0.021, "ESP": 0.018}
MEASURES = ("psi", "jensen_shannon", "hellinger", "kolmogorov_smirnov", "wasserstein", "l_infinity", "chi2")
NUMERIC_ONLY = {"kolmogorov_smirnov", "wasserstein"}


def months(first: int, amount: int) -> list[str]:
    """So many months since January of a year."""
    return [f"{first + month // 12}-{month % 12 + 1:02}" for month in range(amount)]


def reading(value: float, error: float, normal: tuple[float, float]) -> dict[str, Any]:
    """A number with its band of three sampling errors."""
    return {
        "value": value, "sampling_error": error, "lower": value - 3 * error, "upper": value + 3 * error,
        "lower_threshold": normal[0], "upper_threshold": normal[1], "alert": not normal[0] <= value <= normal[1],
    }  # fmt: skip


def shares(dice: random.Random, amount: int, *, unseen: bool) -> list[float]:
    """Shares that add up to 1: those of values, of the unseen, and of nulls."""
    weights = [dice.uniform(0.5, 2) ** 2 for _ in range(amount - 1 - unseen)]
    return [weight / sum(weights) * 0.998 for weight in weights] + [0.0] * unseen + [0.002]


def shifted(dice: random.Random, before: Sequence[float], strength: float) -> list[float]:
    """The same shares, pushed towards the first bins."""
    weights = [
        share * math.exp(strength * (1 - 2 * place / len(before)) + dice.gauss(0, 0.03))
        for place, share in enumerate(before)
    ]
    return [weight / sum(weights) for weight in weights]


def drift(dice: random.Random, before: Sequence[float], psi: float, *, numeric: bool) -> dict[str, Any]:
    """What a feature of this PSI says of one period."""
    thresholds = {"psi": 0.02, "jensen_shannon": 0.06, "hellinger": 0.05, "missing_rate": 0.006}
    thresholds |= {"kolmogorov_smirnov": 0.04, "wasserstein": 1.9} if numeric else {"l_infinity": 0.03, "chi2": 51.2}
    root = math.sqrt(psi)
    scales = {"psi": psi, "jensen_shannon": root / 2.9, "hellinger": root / 3.1, "kolmogorov_smirnov": root / 2.2}
    scales |= {"wasserstein": root * 12, "l_infinity": root / 3, "chi2": psi * 5000}
    body: dict[str, Any] = {
        key: scales[key] * dice.uniform(0.9, 1.1) if key == "psi" or (key in NUMERIC_ONLY) == numeric else None
        for key in MEASURES
    }
    body |= {"jensen_shannon": scales["jensen_shannon"], "hellinger": scales["hellinger"], "missing_rate": 0.0}
    body |= {"unseen_rate": None if numeric else 0.0, "out_of_range_rate": dice.choice([0, 0.0002, 0.0004])}
    if not numeric:
        body["out_of_range_rate"] = None
    body["thresholds"] = thresholds
    body["alerts"] = [key for key, limit in thresholds.items() if (body.get(key) or 0) > limit]
    body["shares"] = shifted(dice, before, 1.9 * root)
    return body


def employment(*, labels: bool = True, latest: int = 23) -> dict[str, Any]:
    """Two years of a classifier that turns yellow when AGEP, RELP and SCHL drift, and red in November 2018."""
    dice = random.Random(7)
    features: dict[str, dict[str, Any]] = {"AGEP": {"kind": "numeric", "bins": [*AGES, "null"]}}
    for name, values in CATEGORIES.items():
        features[name] = {"kind": "categorical", "bins": [*map(str, range(values)), "unseen", "null"]}
    for body in features.values():
        body["shares"] = shares(dice, len(body["bins"]), unseen="unseen" in body["bins"])
    keys = months(2017, 24)[:latest]
    bodies = [_month(dice, features, place, labels=labels) for place in range(len(keys))]
    correlate(bodies)
    return {
        "format": 1, "name": "employment", "task": "binary", "period": "month",
        "tier": bodies[-1]["tier"], "why": bodies[-1]["why"], "latest": keys[-1],
        "reference": {"n": 68785, "features": features, "metrics": METRICS},
        "not_monitored": {"PWGTP": "It is a weight of the survey, and neither a feature nor an output."},
        "problems": [],
        "periods": dict(zip(keys, bodies, strict=True)),
    }  # fmt: skip


def correlate(bodies: Iterable[dict[str, Any]]) -> None:
    """The correlation that the ranking needs three periods for."""
    for place, body in enumerate(bodies):
        for row in body["ranking"]:
            known = place > 2
            row["correlation"] = 0.97 - 0.08 * body["ranking"].index(row) if known else None
            row["p_value"] = 0.0001 * 3 ** body["ranking"].index(row) if known and row["correlation"] > 0.3 else None


def _month(dice: random.Random, features: dict[str, Any], place: int, *, labels: bool) -> dict[str, Any]:
    n = 2840 if place == 5 else 5000 + dice.randrange(-180, 180)
    trouble = {19: 0.25, 20: 0.45, 21: 0.8, 22: 1.0, 23: 0.95}.get(place, 0)
    drifts = {
        name: drift(
            dice, body["shares"], 0.004 * dice.uniform(0.4, 1.6) + FALL.get(name, 0) * trouble**1.3,
            numeric=body["kind"] == "numeric",
        )
        for name, body in features.items()
    }  # fmt: skip
    drifts["MIL"] |= {"missing_rate": 0.004 + 0.0011 * (place > 16)}
    if place > 19:
        drifts["RELP"] |= {"unseen_rate": 0.0182, "unseen": {"18": 61, "19": 24, "20": 6}}
        drifts["RELP"]["shares"][-2] = 0.0182
        drifts["SCHL"] |= {"unseen_rate": 0.0006, "unseen": {"25": 3}}
    estimated, realized = _performance(dice, n, trouble, labels=labels and place < 22)
    tier = "red" if trouble > 0.9 else "yellow" if trouble else "green"
    tier = "unknown" if place == 5 else tier
    return {
        "n": n, "tier": tier, "why": _why(tier, estimated, realized, drifts), "features": drifts,
        "multivariate": {
            "pca_reconstruction_error": 2.11 + 0.32 * trouble + dice.gauss(0, 0.012), "sampling_error": 0.012,
            "lower": 2.08 + 0.32 * trouble, "upper": 2.15 + 0.32 * trouble,
            "lower_threshold": 2.05, "upper_threshold": 2.17, "alert": trouble > 0.2,
        },
        "estimated": estimated, "realized": realized,
        "concept_drift": _concept(estimated, realized),
        "labels": {"n": round(n * 0.96) if realized else 0, "coverage": 0.96 if realized else 0},
        "business_value": {
            "estimated": 118000 - 31000 * trouble + dice.gauss(0, 900),
            "realized": 117500 - 36000 * trouble + dice.gauss(0, 900) if realized else None,
        },
        "segments": _segments(estimated, realized, n),
        "ranking": _ranking(drifts, trouble),
        "contribution_metric": "accuracy",
        "problems": ["Fewer than 3,000 rows: estimates of precision are wide."] if place == 5 else [],
    }  # fmt: skip


def _performance(dice: random.Random, n: int, trouble: float, *, labels: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    estimated, realized = {}, {}
    for key, usual in METRICS.items():
        error = 0.3 / math.sqrt(n)
        normal = (usual - 0.0231, usual + 0.0231)
        fall = trouble * (0.074 if key != "recall" else 0.021)
        estimated[key] = reading(usual - fall + dice.gauss(0, error * 0.7), error, normal)
        if labels:
            realized[key] = reading(usual - fall * 1.3 + dice.gauss(0, error), error, normal)
    return estimated, realized


def _concept(estimated: Any, realized: Any) -> dict[str, Any]:
    changes = {key: body["value"] - estimated[key]["value"] for key, body in realized.items()}
    return {
        key: {"value": change, "lower": change - 0.018, "upper": change + 0.018, "alert": change < -0.02}
        for key, change in changes.items()
    }


def _why(tier: str, estimated: Any, realized: Any, drifts: Any) -> list[str]:
    if tier == "green":
        return ["Every metric is within its thresholds, and no feature that matters has drifted."]
    if tier == "unknown":
        return ["2,840 rows are too few: a fall of 0.02 in roc_auc could not be told from chance."]
    sentences = []
    for kind, readings in (("realized", realized), ("estimated", estimated)):
        for key, body in readings.items():
            if body["value"] < body["lower_threshold"]:
                said = f"{key} ({kind}) fell to {body['value']:.4f}, below its threshold {body['lower_threshold']:.4f}."
                sentences.append(said)
    drifted = [name for name, body in drifts.items() if body["alerts"]]
    if drifted:
        sentences.append(f"{', '.join(drifted)} drifted.")
    return sentences[:4] + sentences[-1:] if len(sentences) > 5 else sentences or ["AGEP drifted."]


def _segments(estimated: Any, realized: Any, n: int) -> dict[str, Any]:
    def part(share: float, off: float) -> dict[str, Any]:
        return {
            "n": round(n * share),
            "estimated": {key: body["value"] + off for key, body in estimated.items()},
            "realized": {key: body["value"] + off * 1.2 for key, body in realized.items()},
        }

    return {
        "SEX": {"1": part(0.484, 0.012), "2": part(0.516, -0.011)},
        "RAC1P": {"1": part(0.79, 0.004), "2": part(0.08, -0.031), "6": part(0.07, 0.009), "9": part(0.004, -0.052)},
    }


def _ranking(drifts: dict[str, Any], trouble: float) -> list[dict[str, Any]]:
    weights = {"AGEP": -0.058, "RELP": -0.011, "SCHL": -0.006, "MAR": 0.0021, "ESP": -0.0012}
    names = sorted(drifts, key=lambda name: -drifts[name]["psi"] * (1 + 100 * abs(weights.get(name, 0))))
    return [
        {
            "feature": name, "contribution": weights.get(name, 0.0004) * max(trouble, 0.02), "correlation": None,
            "p_value": None, "measure": "psi", "value": drifts[name]["psi"], "alerts": len(drifts[name]["alerts"]),
        }
        for name in names
    ]  # fmt: skip
