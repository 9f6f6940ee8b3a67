"""How far a period's distribution is from the reference's; p is the reference, q has a row for each period."""

from __future__ import annotations

import numpy as np

FLOOR = 1e-4
"""The least share of a bin in the population stability index, so that an empty bin does not make it infinite."""


def shares(counts: np.ndarray) -> np.ndarray:
    """Counts (periods x bins) as parts of their row's sum; NaN for a row without any."""
    with np.errstate(invalid="ignore"):
        return counts / counts.sum(axis=-1, keepdims=True)


def population_stability(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """PSI, the sum of (q - p) ln(q / p); shares below the floor count as the floor."""
    p, q = np.maximum(p, FLOOR), np.maximum(q, FLOOR)
    return ((q - p) * np.log(q / p)).sum(axis=-1)


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The square root of the Jensen-Shannon divergence in bits: 0 to 1."""
    p, q = with_leftover(p, q)
    middle = (p + q) / 2
    return np.sqrt(np.maximum(_entropy(p, middle) + _entropy(q, middle), 0) / 2 / np.log(2))


def hellinger(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The Hellinger distance: 0 to 1."""
    p, q = with_leftover(p, q)
    return np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=-1)) / np.sqrt(2)


def l_infinity(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The largest difference of any one share."""
    return np.abs(p - q).max(axis=-1)


def chi2(reference: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The statistic of Pearson's test on the table of both counts, with Yates' correction for two categories.

    Categories that neither side has drop out; NaN where fewer than two remain or a side is empty.
    """
    together = reference + counts
    alive = (together > 0).sum(axis=-1)
    rows, row = reference.sum(), counts.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = together * row / (rows + row)
        difference = np.abs(counts - expected)
        # Both rows of the table differ from what is expected by the same number.
        difference -= np.where((alive == 2)[..., np.newaxis], np.minimum(0.5, difference), 0)
        terms = difference**2 * (1 / expected + 1 / (together - expected))
    statistic = np.where(together > 0, terms, 0).sum(axis=-1)
    return np.where(alive > 1, statistic, np.where(alive == 1, 0.0, np.nan))


def with_leftover(p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both with a last bin for what is in none of the reference's bins."""
    leftover = np.maximum(1 - q.sum(axis=-1, keepdims=True), 0)
    return np.append(p, 0.0), np.concatenate([q, leftover], axis=-1)


def kolmogorov_smirnov(reference: np.ndarray, below: np.ndarray) -> np.ndarray:
    """The largest difference of two cumulative distributions at the same points."""
    return np.abs(reference - below).max(axis=-1)


def exact_distances(
    reference: tuple[np.ndarray, np.ndarray], values: np.ndarray, counts: np.ndarray
) -> tuple[float, float]:
    """The Kolmogorov-Smirnov statistic and the Wasserstein distance of two samples of counted distinct values."""
    points = np.union1d(reference[0], values)
    differences = np.abs(_cumulative(points, *reference) - _cumulative(points, values, counts))
    return float(differences.max()), float((differences[:-1] * np.diff(points)).sum())


def _cumulative(points: np.ndarray, values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    running = np.concatenate([[0.0], np.cumsum(counts)])
    return running[np.searchsorted(values, points, "right")] / running[-1]


def _entropy(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * np.log(p / q), 0 * q).sum(axis=-1)
