"""Every measure of every period of a profile, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitoring.features import categorical, numeric
from monitoring.features.numeric import Numeric
from monitoring.profile import Performed, Profile

if TYPE_CHECKING:
    from monitoring.frame import Feature

RATES = ("missing_rate", "unseen_rate", "out_of_range_rate")
MEASURES = tuple(dict.fromkeys((*numeric.MEASURES, *categorical.MEASURES)))


@dataclass(frozen=True)
class Measured:
    """Measures with a number for each period; NaN where a measure does not apply or could not be computed."""

    n: np.ndarray
    features: Mapping[str, Mapping[str, np.ndarray]]
    shares: Mapping[str, np.ndarray]
    """For each feature periods x bins."""
    error: np.ndarray
    """The mean reconstruction error of all features together."""
    error_sampling: np.ndarray


def measure(profile: Profile, periods: Sequence[int]) -> Measured:
    """The measures of what a profile counted in *periods*."""
    chosen = list(periods)
    n = np.array([profile.rows.of(period)["n"] for period in chosen])
    features, shares = {}, {}
    for name, feature in profile.baseline.features.items():
        counts = profile.features[name].tally.matrix(chosen)
        with np.errstate(invalid="ignore", divide="ignore"):
            features[name] = _distances(profile, name, feature, chosen) | _rates(feature, counts, n)
        shares[name] = feature.bin_shares(counts)
    sums = np.array([profile.multivariate.row(period) for period in chosen]).reshape(len(chosen), 3)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums[:, 1] / sums[:, 0]
        variance = np.maximum(sums[:, 2] - sums[:, 0] * mean**2, 0) / (sums[:, 0] - 1)
        sampling = np.sqrt(variance / sums[:, 0])
    return Measured(n, features, shares, mean, sampling)


def realized(performed: Performed, periods: Sequence[int]) -> dict[str, np.ndarray]:
    """Every realized metric of *periods*; NaN where it is not defined."""
    found = [performed.metrics(period, "realized") for period in periods]
    return {name: np.array([each[name] for each in found]) for name in (found[0] if found else {})}


def _distances(profile: Profile, name: str, feature: Feature, periods: list[int]) -> dict[str, np.ndarray]:
    counted = profile.features[name]
    if isinstance(feature, Numeric):
        return feature.measures(counted.tally, counted.tails, counted.values, periods)
    return feature.measures(counted.tally, counted.unseen.by_period(), periods)


def _rates(feature: Feature, counts: np.ndarray, n: np.ndarray) -> dict[str, np.ndarray]:
    rates = {"missing_rate": counts[:, -1] / n}
    if isinstance(feature, Numeric):
        return rates | {"out_of_range_rate": feature.out_of_range(counts) / n}
    return rates | {"unseen_rate": counts[:, feature.unseen] / n}
