"""How much a metric varies by the chance of which rows a period has, from the reference's own rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitoring.outputs import Outputs
from monitoring.performance import curves

BAND = 3
"""How many sampling errors a band reaches to each side."""

_SAMPLES, _MOST_ROWS, _SEED = 50, 50_000, 20_260_101


@dataclass(frozen=True)
class Sampling:
    """The standard error of each metric as a function of the number of rows.

    For a metric with parts v_k (a variance and the fraction of rows that it is about, one for each class) the error
    over n rows is factor / K sqrt(sum of v_k / (n fraction_k)).
    """

    parts: Mapping[str, tuple[float, tuple[tuple[float, float], ...]]]

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Sampling:
        """The errors from a baseline's JSON."""
        return cls({name: (factor, tuple((v, f) for v, f in parts)) for name, (factor, parts) in body.items()})

    def body(self) -> dict[str, Any]:
        """The same as JSON."""
        known = {name: each for name, each in self.parts.items() if np.isfinite(each[1]).all()}
        return {name: [factor, [list(part) for part in parts]] for name, (factor, parts) in known.items()}

    def error(self, metric: str, rows: float) -> float:
        """A metric's standard error over so many rows; NaN where the reference says nothing about it."""
        if metric not in self.parts or not rows:
            return float("nan")
        factor, parts = self.parts[metric]
        variances = [variance / (rows * fraction) if fraction else np.nan for variance, fraction in parts]
        return float(factor * np.sqrt(np.sum(variances)) / len(parts))


def of_classifier(outputs: Outputs) -> Sampling:
    """The errors of a classifier's metrics, from the reference's outputs; classes are rows x classes of the scores."""
    classes, binary = outputs.scores.shape[1], outputs.scores.shape[1] == 1
    known = outputs.labels >= 0
    judged = outputs.where(known & (outputs.predicted >= 0))
    ranked = outputs.where(known & ~np.isnan(outputs.scores).any(axis=1))
    by_metric: dict[str, list[tuple[float, float]]] = {}
    for place in range(classes):
        number = 1 if binary else place
        confusion = _confusion(judged.labels == number, judged.predicted == number, binary=binary)
        true = (ranked.labels == number).astype(float)
        curve = {"roc_auc": _area(true, ranked.scores[:, place]), "average_precision": _precision(true, ranked, place)}
        for name, part in (confusion | curve).items():
            by_metric.setdefault(name, []).append(part)
    correct = judged.labels == judged.predicted
    by_metric["accuracy"] = [(float(np.var(correct)) if len(judged) else np.nan, 1.0)]
    # The reference implementation's own widening of the mean of areas, and its mean of variances.
    factors = {} if binary else {"roc_auc": 1.2, "average_precision": float(np.sqrt(classes))}
    return Sampling({name: (factors.get(name, 1.0), tuple(parts)) for name, parts in by_metric.items()})


def of_regression(errors: np.ndarray, values: np.ndarray) -> Sampling:
    """The errors of a regression's metrics, from the reference's residuals and labels.

    That of R2 takes the labels' variance as given.
    """
    absolute, squared = np.abs(errors), errors**2
    mean = squared.mean()
    spread, variance = np.var(squared), np.var(values)
    of_rmse = spread / (4 * mean) if mean else 0.0
    of_r2 = spread / variance**2 if variance else np.nan
    each = {"mae": np.var(absolute), "rmse": of_rmse, "r2": of_r2}
    return Sampling({name: (1.0, ((float(value), 1.0),)) for name, value in each.items()})


def _confusion(true: np.ndarray, said: np.ndarray, *, binary: bool) -> dict[str, tuple[float, float]]:
    rows = len(true)
    hits, false, missed = (int(each.sum()) for each in (true & said, ~true & said, true & ~said))
    rest = rows - hits - false - missed

    def part(yes: int, no: int, scale: float = 1.0) -> tuple[float, float]:
        both = yes + no
        return (scale**2 * yes * no / both**2, both / rows) if both else (np.nan, 0.0)

    scale = (hits + false + missed) / (hits + (false + missed) / 2) if binary and hits + false + missed else 1.0
    return {
        "precision": part(hits, false),
        "recall": part(hits, missed),
        "f1": part(hits, false + missed, scale),
        "specificity": part(rest, false),
    }


def _area(true: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """For each positive the share of negatives that rank below it; of those with its very score, half."""
    if not len(true) or true.min() == true.max():
        return np.nan, 0.0
    if true.mean() > 0.5:
        true, scores = 1 - true, 1 - scores
    positives, negatives = scores[true == 1], np.sort(scores[true == 0])
    below = sum(np.searchsorted(negatives, positives, side) for side in ("left", "right")) / (2 * len(negatives))
    return float(np.var(below)), float(true.mean())


def _precision(true: np.ndarray, ranked: Outputs, place: int) -> tuple[float, float]:
    """The variance of the average precision over samples drawn with replacement."""
    size = min(len(true) // 2, _MOST_ROWS)
    if not size or not true.any():
        return np.nan, 0.0
    order = np.argsort(ranked.scores[:, place])
    scores, true = ranked.scores[order, place], true[order]
    starts = np.flatnonzero(np.concatenate([[True], scores[1:] != scores[:-1]]))
    random = np.random.default_rng(_SEED)
    found = []
    for _ in range(_SAMPLES):
        drawn = np.bincount(random.integers(0, len(true), size), minlength=len(true))
        counts, positives = np.add.reduceat(drawn, starts), np.add.reduceat(drawn * true, starts)
        some = counts > 0
        found.append(curves.average_precision(counts[some].astype(float), positives[some]))
    return float(np.var(found)), 1 / size
