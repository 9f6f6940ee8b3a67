"""Areas under curves from the distinct scores of a period, their counts, and how much of each count is positive."""

from __future__ import annotations

import numpy as np

_EULER = 0.577215664901532860606512090082402431
_ADDED_UP_TO = 64
_STEP_BY_STEP = 1 << 20


def roc_auc(counts: np.ndarray, positives: np.ndarray) -> float:
    """The area under the ROC curve; scores rise, and equal scores are a straight line of the curve.

    `positives` may be fractions of the counts: expected ones, where labels are not known. NaN with one class only.
    """
    negatives = counts - positives
    below = np.cumsum(negatives) - negatives
    with np.errstate(invalid="ignore", divide="ignore"):
        return float((positives * (below + negatives / 2)).sum() / (positives.sum() * negatives.sum()))


def average_precision(counts: np.ndarray, positives: np.ndarray) -> float:
    """The average precision with labels known: one step of the curve for each distinct score. NaN without positives."""
    found, said = np.cumsum(positives[::-1]), np.cumsum(counts[::-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return float((positives[::-1] * found / said).sum() / positives.sum())


def expected_areas(counts: np.ndarray, positives: np.ndarray) -> tuple[float, float]:
    """The area under the ROC curve and the average precision with expected positives, one step for each row.

    Cumulative sums are rounded to five decimals, as the reference implementation does; beyond a million rows that
    makes no difference in the tenth digit, and rows of equal score are then summed at once.
    """
    if not counts.sum():
        return float("nan"), float("nan")
    if counts.sum() > _STEP_BY_STEP:
        return roc_auc(counts, positives), _summed_average_precision(counts[::-1], positives[::-1])
    each = np.repeat(positives / counts, counts.astype(np.intp))[::-1]
    rows = np.arange(1, len(each) + 1)
    found = np.cumsum(each)
    false = np.round(rows - found, 5)
    found = np.round(found, 5)
    steps = np.diff(found, prepend=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        area = ((found - steps / 2) * np.diff(false, prepend=0)).sum() / (found[-1] * false[-1])
        return float(area), float((steps * found / rows).sum() / found[-1])


def _summed_average_precision(counts: np.ndarray, positives: np.ndarray) -> float:
    # A score of k rows with c expected positives each, after T among N rows, adds the sum over j = 1..k of
    # c (T + j c) / (N + j), which is c (k c + (T - c N) (H(N + k) - H(N))) with H the harmonic numbers.
    before = np.cumsum(counts) - counts
    found = np.cumsum(positives) - positives
    each = positives / counts
    steps = each * (positives + (found - each * before) * (_harmonic(before + counts) - _harmonic(before)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(steps.sum() / positives.sum())


def _harmonic(numbers: np.ndarray) -> np.ndarray:
    """The sum of 1/i up to each number: added up for small ones, else its expansion (error below 1e-16)."""
    table = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, _ADDED_UP_TO))])
    large = np.maximum(numbers, _ADDED_UP_TO - 1).astype(np.float64)
    square = large**-2
    expanded = np.log(large) + _EULER + 1 / (2 * large) - square * (1 / 12 - square * (1 / 120 - square / 252))
    return np.where(numbers < _ADDED_UP_TO, table[np.minimum(numbers, _ADDED_UP_TO - 1).astype(int)], expanded)
