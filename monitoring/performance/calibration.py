"""Turns a model's scores into probabilities that hold on the reference, where they do not already."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from monitoring.performance import curves

_SPLITS, _BINS = 10, 10
_SEPARATED = 0.999
"""Above this area under the ROC curve there is nothing to calibrate."""


@dataclass(frozen=True)
class Calibration:
    """A rising piecewise linear function from scores to probabilities; without knots, the score itself."""

    scores: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def fit(cls, scores: np.ndarray, truth: np.ndarray) -> Calibration:
        """The calibration for a class, from the reference's scores and whether each row was of the class.

        Isotonic, and only where it lowers the expected calibration error on ten held-out tenths of the rows. The rows'
        order decides which these are; it is the reference's own.
        """
        known = ~(np.isnan(scores) | np.isnan(truth))
        scores, truth = scores[known], truth[known]
        return cls(*_knots(scores, truth)) if _helps(scores, truth) else cls(np.zeros(0), np.zeros(0))

    @classmethod
    def parse(cls, body: Any) -> Calibration:
        """The calibration from a baseline's JSON."""
        return cls(np.array(body["scores"], np.float64), np.array(body["probabilities"], np.float64))

    def body(self) -> dict[str, Any]:
        """The same as JSON."""
        return {"scores": self.scores.tolist(), "probabilities": self.probabilities.tolist()}

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """The probability of each score; NaN stays NaN."""
        return np.interp(scores, self.scores, self.probabilities) if len(self.scores) else scores


def calibrated(calibrations: list[Calibration], scores: np.ndarray) -> np.ndarray:
    """The probability of each class (rows x classes), made to add up to 1 where there are several classes."""
    if len(calibrations) == 1:
        return calibrations[0](scores[:, 0])[:, np.newaxis]
    each = np.column_stack([function(scores[:, place]) for place, function in enumerate(calibrations)])
    total = each.sum(axis=1, keepdims=True)
    return np.divide(each, total, out=np.full_like(each, 1 / len(calibrations)), where=total != 0)


def _knots(scores: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415  only where a baseline is fitted

    fitted = IsotonicRegression(out_of_bounds="clip", increasing=True).fit(scores, truth)
    return fitted.X_thresholds_, fitted.y_thresholds_


def _helps(scores: np.ndarray, truth: np.ndarray) -> bool:
    from sklearn.model_selection import StratifiedShuffleSplit  # noqa: PLC0415  only where a baseline is fitted

    positives = truth.sum()
    if min(positives, len(truth) - positives) < 2 or len(truth) <= 2 * _BINS:  # no split keeps both classes
        return False
    order = np.argsort(scores)
    if curves.roc_auc(*_by_score(scores[order], truth[order])) > _SEPARATED:
        return False
    splits = StratifiedShuffleSplit(n_splits=_SPLITS, test_size=0.1, random_state=42)
    before, after, labels = [], [], []
    for train, test in splits.split(scores, truth):
        before.append(scores[test])
        after.append(np.interp(scores[test], *_knots(scores[train], truth[train])))
        labels.append(truth[test])
    held_out = np.concatenate(labels)
    return _error(np.concatenate(before), held_out) > _error(np.concatenate(after), held_out)


def _by_score(scores: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first = np.flatnonzero(np.concatenate([[True], scores[1:] != scores[:-1]]))
    return np.diff(np.append(first, len(scores))).astype(float), np.add.reduceat(truth, first)


def _error(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The expected calibration error over bins of equally many rows; the last takes what is left."""
    order = probabilities.argsort()
    bins = _BINS if len(order) > 2 * _BINS else len(order) // 2
    width = len(order) // bins
    edges = np.arange(0, len(order) + 1, width)
    edges[-1] = len(order)
    parts = [order[first:last] for first, last in pairwise(edges)]
    return float(sum(len(part) / len(order) * abs(probabilities[part].mean() - truth[part].mean()) for part in parts))
