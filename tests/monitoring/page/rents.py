"""Reports of a regression, of a model too new to judge, and of one that is far too wide."""

from __future__ import annotations

import random
from typing import Any

from tests.monitoring.page.reports import correlate, drift, months, reading, shares

FEATURES = ("area", "rooms", "year_built", "distance", "floor", "district", "heating", "energy_class")
CATEGORICAL = {"district": 140, "heating": 6, "energy_class": 8}


def rents(amount: int = 24) -> dict[str, Any]:
    """A regression whose realized error collapses, while the estimate, which sees no labels, is blind to it."""
    dice = random.Random(11)
    features = _features(dice, FEATURES, CATEGORICAL)
    keys = months(2017, amount)
    bodies = [_month(dice, features, place) for place in range(amount)]
    correlate(bodies)
    why = [
        "mae (realized) rose to 1,911, above its threshold 1,342.",
        "rmse (realized) rose to 2,795, above its threshold 1,950.",
        "r2 (realized) fell to 0.5118, below its threshold 0.7012.",
        "The features have hardly drifted and the estimates are normal: what changed is what rows are worth.",
    ]
    bodies[-1]["why"] = why
    return {
        "format": 1, "name": "rents", "task": "regression", "period": "month", "tier": bodies[-1]["tier"], "why": why,
        "latest": keys[-1], "not_monitored": {}, "problems": [],
        "reference": {"n": 12400, "features": features, "metrics": {"mae": 1204.2, "rmse": 1731.5, "r2": 0.7713}},
        "periods": dict(zip(keys, bodies, strict=True)),
    }  # fmt: skip


def newcomer() -> dict[str, Any]:
    """A model of which there is one small period without a time, and nothing else."""
    dice = random.Random(3)
    features = _features(dice, FEATURES[:4], {})
    body = _month(dice, features, 0) | {"tier": "unknown", "n": 41, "realized": {}, "concept_drift": {}}
    body["labels"] = {"n": 0, "coverage": 0}
    body["why"] = ["41 rows are too few to judge by; at least 500 are needed."]
    body["problems"] = ["There is no timestamp: all rows are one period."]
    return {
        "format": 1, "name": None, "task": "regression", "period": None, "tier": "unknown", "why": body["why"],
        "latest": "all", "not_monitored": {}, "problems": [],
        "reference": {"n": 12400, "features": features, "metrics": {}}, "periods": {"all": body},
    }  # fmt: skip


def wide(features: int = 200, periods: int = 36, categories: int = 40) -> dict[str, Any]:
    """A regression of many features with many values, over many months."""
    dice = random.Random(5)
    names = [f"a_feature_with_quite_a_long_name_{place:03}" for place in range(features)]
    described = _features(dice, names, dict.fromkeys(names[::2], categories))
    keys = months(2016, periods)
    bodies = [_month(dice, described, place, alarm=0.4) for place in range(periods)]
    return {
        "format": 1, "name": "wide", "task": "regression", "period": "month",
        "tier": "yellow", "why": bodies[-1]["why"], "latest": keys[-1], "not_monitored": {}, "problems": [],
        "reference": {"n": 100000, "features": described, "metrics": {"mae": 1204.2}},
        "periods": dict(zip(keys, bodies, strict=True)),
    }  # fmt: skip


def _features(dice: random.Random, names: Any, categorical: dict[str, int]) -> dict[str, Any]:
    found = {}
    for name in names:
        values = categorical.get(name)
        bins = (
            [f"value {place}" for place in range(values)]
            if values
            else [f"{place}0 to {place + 1}0" for place in range(9)]
        )
        bins += ["unseen", "null"] if values else ["null"]
        kind = "categorical" if values else "numeric"
        found[name] = {"kind": kind, "bins": bins, "shares": shares(dice, len(bins), unseen=bool(values))}
    return found


def _month(dice: random.Random, features: dict[str, Any], place: int, *, alarm: float = 0.0) -> dict[str, Any]:
    collapse = 0 if alarm else max(0, place - 18) / 5
    drifts = {
        name: drift(
            dice, body["shares"], 0.004 * dice.uniform(0.4, 1.6) + 0.05 * (dice.random() < alarm),
            numeric=body["kind"] == "numeric",
        )
        for name, body in features.items()
    }  # fmt: skip
    tier = "red" if collapse > 0.7 else "yellow" if collapse > 0.3 else "green"
    estimated = {
        "mae": reading(1204 + dice.gauss(0, 22), 31, (1066, 1342)),
        "rmse": reading(1731 + dice.gauss(0, 36), 48, (1512, 1950)),
        "r2": reading(0.771 + dice.gauss(0, 0.01), 0.014, (0.7012, 0.8414)),
    }  # fmt: skip
    realized = {
        "mae": reading(1204 + 700 * collapse + dice.gauss(0, 25), 31, (1066, 1342)),
        "rmse": reading(1731 + 1060 * collapse + dice.gauss(0, 40), 48, (1512, 1950)),
        "r2": reading(0.771 - 0.26 * collapse + dice.gauss(0, 0.01), 0.014, (0.7012, 0.8414)),
    }
    if place in {7, 8}:
        realized = {}
    return {
        "n": 2100 + dice.randrange(-90, 90), "tier": tier, "features": drifts,
        "why": ["mae (realized) is above its threshold." if collapse > 0.3 else "Every metric is normal."],
        "multivariate": _rebuilt(reading(1.4 + dice.gauss(0, 0.01), 0.012, (1.35, 1.45))),
        "estimated": estimated, "realized": realized,
        "concept_drift": _concept(estimated, realized),
        "labels": {"n": 2004 if realized else 0, "coverage": 0.954 if realized else 0}, "business_value": {},
        "segments": {}, "contribution_metric": "mae", "problems": [],
        "ranking": [
            {
                "feature": name, "contribution": dice.gauss(0, 9), "correlation": None, "p_value": None,
                "measure": "psi",
                "value": body["psi"], "alerts": len(body["alerts"]),
            }
            for name, body in sorted(drifts.items(), key=lambda pair: -pair[1]["psi"])
        ],
    }  # fmt: skip


def _concept(estimated: Any, realized: Any) -> dict[str, Any]:
    return {
        key: {name: body[name] - estimated[key]["value"] for name in ("value", "lower", "upper")}
        | {"alert": body["alert"]}
        for key, body in realized.items()
    }


def _rebuilt(body: dict[str, Any]) -> dict[str, Any]:
    return {"pca_reconstruction_error": body.pop("value"), **body}
