"""Which features a change of performance is likely to come from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

FEWEST_PERIODS = 6
"""With fewer periods a correlation is chance."""

CORRELATED = "jensen_shannon"
"""The measure that is correlated with the change; every feature has it."""


def contributions(
    losses: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray], shares: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """How much each feature's changed mix of values moves the metric, for each period, in the metric's own unit.

    If rows in each bin went on as they did in the reference, the metric would move by the sum over bins of the change
    of the share times how much better or worse the bin was than all rows. It needs one period, and no labels. Features
    that move together each explain the same change, so contributions do not add up.
    """
    return {name: (shares[name] - reference[name]) @ loss for name, loss in losses.items()}


def correlation(drift: np.ndarray, change: np.ndarray) -> tuple[float, float] | None:
    """Pearson's r of a measure with the size of the metric's change over periods, and how likely chance gives as much.

    None with too few periods or without variation. The probability is Fisher's: atanh(r) has a normal distribution with
    the variance 1 / (periods - 3).
    """
    both = np.isfinite(drift) & np.isfinite(change)
    x, y = drift[both], change[both]
    if len(x) < FEWEST_PERIODS or not np.ptp(x) or not np.ptp(y):
        return None
    r = float(np.corrcoef(x, y)[0, 1])
    z = math.atanh(min(abs(r), 1 - 1e-15)) * math.sqrt(len(x) - 3)
    return r, math.erfc(z / math.sqrt(2))


def rank(
    features: Mapping[str, Mapping[str, Any]],
    contribution: Mapping[str, float],
    correlations: Mapping[str, tuple[float, float] | None],
) -> list[dict[str, Any]]:
    """The features, those first whose changed mix moves the metric most, then by their drift."""
    ranking: list[dict[str, Any]] = []
    for name, measures in features.items():
        r, probability = correlations.get(name) or (None, None)
        ranking.append(
            {
                "feature": name,
                "contribution": contribution.get(name),
                "correlation": r,
                "p_value": probability,
                "measure": "psi",
                "value": measures["psi"],
                "alerts": len(measures["alerts"]),
            }
        )
    return sorted(ranking, key=_suspicion)


def _suspicion(one: Mapping[str, Any]) -> tuple[float, float, str]:
    return -abs(one["contribution"] or 0.0), -(one["value"] or 0.0), one["feature"]
