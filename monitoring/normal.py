"""What is normal: each measure on parts of the reference itself, for periods of any size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from monitoring.frame import Frame

if TYPE_CHECKING:
    from monitoring.baseline import Baseline

PARTS, FINER, RUNGS = 20, 4, 3
"""The reference is cut into 20 consecutive parts, and these into 4 and again into 4, while they have enough rows."""

ROWS, FEWEST_PARTS, DEVIATIONS = 60, 5, 3
BOUNDS: Mapping[str, tuple[float, float]] = {"mae": (0, np.inf), "rmse": (0, np.inf), "r2": (-np.inf, 1)}
"""What a metric cannot leave; every other one is between 0 and 1."""


class Limits(NamedTuple):
    """Below and above which a measure is not normal; NaN where the reference cannot say."""

    lower: float
    upper: float


@dataclass(frozen=True)
class Thresholds:
    """The mean and the standard deviation of every measure over parts of the reference of several sizes.

    `sizes` rise; `measures` have by name the means and the deviations at these sizes. A small period differs more from
    the reference by chance than a large one, so its limits come from parts of its own size: between two sizes in
    proportion to the logarithm, above the largest as at the largest, below the smallest growing as chance does, with
    one over the square root of the rows.
    """

    sizes: tuple[float, ...]
    measures: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]]

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Thresholds:
        """The thresholds from a baseline's JSON."""
        return cls(
            tuple(body["sizes"]),
            {name: (_numbers(means), _numbers(deviations)) for name, (means, deviations) in body["measures"].items()},
        )

    def body(self) -> dict[str, Any]:
        """The same as JSON."""
        said = {name: [_nullable(each) for each in pair] for name, pair in self.measures.items()}
        return {"sizes": list(self.sizes), "measures": said}

    def limits(self, name: str, rows: float, bounds: tuple[float, float] = (0.0, 1.0)) -> Limits:
        """The limits of a measure for a period of so many rows: three deviations to each side, within *bounds*."""
        if name not in self.measures or not self.sizes or rows <= 0:
            return Limits(np.nan, np.nan)
        means, deviations = (np.array(each) for each in self.measures[name])
        known = ~np.isnan(means)
        if not known.any():
            return Limits(np.nan, np.nan)
        sizes = np.log(np.array(self.sizes)[known])
        mean = float(np.interp(np.log(rows), sizes, means[known]))
        deviation = float(np.interp(np.log(rows), sizes, deviations[known]))
        deviation *= max(1.0, float(np.sqrt(np.exp(sizes[0]) / rows)))
        lower, upper = mean - DEVIATIONS * deviation, mean + DEVIATIONS * deviation
        return Limits(max(lower, bounds[0]), min(upper, bounds[1]))


class Fitted(NamedTuple):
    """What parts of the reference say."""

    thresholds: Thresholds
    metrics: Mapping[str, float]
    problems: Sequence[str]


def fit(baseline: Baseline, rows: Frame, order: np.ndarray) -> Fitted:
    """Thresholds from the reference's rows; *order* sorts them by time."""
    from monitoring.profile import EVERYONE, Profile  # noqa: PLC0415  a profile is counted against a baseline

    parts, rungs = _parts(rows.rows)
    place = np.empty(rows.rows, np.int64)
    place[order] = np.arange(rows.rows) * parts // rows.rows
    plain = replace(baseline, spec=replace(baseline.spec, sensitive=(), row_id=None))
    finest = Profile(plain)
    finest.count(replace(rows, periods=place, ids=None))
    whole = finest.renumbered(np.zeros_like)
    metrics = whole.performed[EVERYONE].metrics(0, "realized")
    if parts < FEWEST_PARTS:
        few = f"the reference has {rows.rows} rows, too few for {FEWEST_PARTS} parts of {ROWS}: there are no thresholds"
        return Fitted(Thresholds((), {}), metrics, [few])
    ladder = [finest]
    for _ in range(rungs):
        ladder.append(ladder[-1].renumbered(lambda numbers: numbers // FINER))
    each = [_statistics(rung) for rung in ladder]
    sizes = tuple(rows.rows / len(rung.periods()) for rung in ladder)
    names = each[0].keys()
    measures = {name: (tuple(one[name][0] for one in each), tuple(one[name][1] for one in each)) for name in names}
    return Fitted(Thresholds(sizes, measures), metrics, [])


def _parts(rows: int) -> tuple[int, int]:
    """How many of the finest parts there are, and how many times these can be joined by fours."""
    if rows < PARTS * ROWS:
        return rows // ROWS or 1, 0
    rungs = 0
    while rungs < RUNGS - 1 and rows // (PARTS * FINER ** (rungs + 1)) >= ROWS:
        rungs += 1
    return PARTS * FINER**rungs, rungs


def _statistics(profile: Any) -> dict[str, tuple[float, float]]:
    from monitoring.measuring import measure, realized  # noqa: PLC0415  it measures profiles
    from monitoring.profile import EVERYONE  # noqa: PLC0415

    periods = profile.periods()
    measured = measure(profile, periods)
    found = {f"{name}/{each}": values for name, by in measured.features.items() for each, values in by.items()}
    found["multivariate"] = measured.error
    found |= realized(profile.performed[EVERYONE], periods)
    return {name: _mean_and_deviation(values) for name, values in found.items()}


def _mean_and_deviation(values: np.ndarray) -> tuple[float, float]:
    some = values[np.isfinite(values)]
    # A measure that most parts do not have says nothing about what is normal.
    return (float(some.mean()), float(some.std())) if 2 * len(some) > len(values) else (np.nan, np.nan)


def _numbers(values: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(np.nan if value is None else value for value in values)


def _nullable(values: Sequence[float]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values]
