"""A numeric feature: what its reference looks like, and how a period differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from monitoring.counting.grid import Grid
from monitoring.counting.tally import Sums, Tally
from monitoring.counting.values import Values
from monitoring.features import distances
from monitoring.features.bands import Bands

EXACT_BELOW = 10_000
"""A reference with fewer rows keeps its values, for exact distances; others compare in as many bins of equal width."""

MOST_VALUES = 1 << 16
LARGEST = 1e150
"""From here on a number counts as infinite: its square would be."""

MEASURES = ("psi", "jensen_shannon", "hellinger", "kolmogorov_smirnov", "wasserstein")
TAILS = ("absent", "invalid", "infinite", "below", "above")


@dataclass(frozen=True)
class Numeric:
    """The reference of a numeric feature.

    `cells` are the filled cells of its grid and `counts` how many rows are in them; `mean` is that of its finite
    values. A grid's last cell is for nulls. Of a number with `bands` no value is known, here or in any period.
    """

    n: int
    low: float
    high: float
    mean: float
    doane: np.ndarray
    deciles: np.ndarray
    filled: np.ndarray
    counts: np.ndarray
    values: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)
    bands: Bands | None = field(default=None, repr=False)

    @classmethod
    def fit(cls, column: np.ndarray, *, sensitive: bool = False) -> Numeric:
        """The reference from its values (float64; NaN is null). It needs one finite value."""
        finite = column[np.abs(column) < LARGEST]
        deciles = np.unique(np.quantile(finite, np.arange(1, 10) / 10))
        bands = Bands.between(float(finite.min()), deciles, float(finite.max())) if sensitive else None
        column = column if bands is None else bands.coarse(column)
        present = column[~np.isnan(column)]
        finite = present[np.abs(present) < LARGEST]
        exact = np.unique(finite, return_counts=True) if len(present) < EXACT_BELOW else None
        empty = cls(
            n=len(column),
            low=float(finite.min()),
            high=float(finite.max()),
            mean=float(finite.mean()),
            doane=_edges(finite, "doane"),
            deciles=deciles,
            filled=np.zeros(0, np.int64),
            counts=np.zeros(0, np.int64),
        )
        counts = np.bincount(empty.cells(column), minlength=empty.width)
        filled = np.flatnonzero(counts)
        return replace(empty, filled=filled, counts=counts[filled], values=exact, bands=bands)

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Numeric:
        """The reference from a baseline's JSON."""
        arrays = {name: np.array(body[name], np.float64) for name in ("doane", "deciles")}
        numbers = {name: np.array(body[name], np.int64) for name in ("filled", "counts")}
        exact = body["values"]
        values = None if exact is None else (np.array(exact[0], np.float64), np.array(exact[1], np.int64))
        bands = Bands.parse(body["bands"]) if body.get("bands") else None
        return cls(body["n"], body["low"], body["high"], body["mean"], **arrays, **numbers, values=values, bands=bands)

    def body(self) -> dict[str, Any]:
        """The same as JSON."""
        said: dict[str, Any] = {name: getattr(self, name) for name in ("n", "low", "high", "mean")}
        said |= {name: getattr(self, name).tolist() for name in ("doane", "deciles", "filled", "counts")}
        values = self.values and [each.tolist() for each in self.values]
        return {
            "kind": "numeric",
            **said,
            "values": values,
            **({"bands": self.bands.edges.tolist()} if self.bands else {}),
        }

    @cached_property
    def grid(self) -> Grid:
        """Every edge that any measure needs; a bin whose right end belongs to it has an edge just above that end."""
        closed = [self.high, self.doane[-1], self._widths[-1]]
        above = np.nextafter(closed, np.inf)
        return Grid(np.concatenate([self._steps, self._widths, self.doane, self.deciles, above]))

    @property
    def width(self) -> int:
        """How many cells a period's counts have: the grid's, and one for nulls."""
        return self.grid.count + 1

    @property
    def bins(self) -> list[str]:
        """The names of the bins that the population stability index compares."""
        edges = [f"{edge:.6g}" for edge in self.deciles]
        between = [f"{low} to {high}" for low, high in pairwise(edges)]
        return [f"< {edges[0]}", *between, f">= {edges[-1]}", "null"]

    @cached_property
    def reference(self) -> np.ndarray:
        """The reference's own counts, one for each cell."""
        counts = np.zeros(self.width, np.int64)
        counts[self.filled] = self.counts
        return counts

    @cached_property
    def shares(self) -> np.ndarray:
        """The reference's shares of the bins."""
        return self.bin_shares(self.reference[np.newaxis])[0]

    def cells(self, column: np.ndarray) -> np.ndarray:
        """The cell of each row; NaN is in the last one."""
        null = np.isnan(column)
        if not null.any():
            return self.grid.cells(column)
        cells = self.grid.cells(np.where(null, self.low, column))
        cells[null] = self.width - 1
        return cells

    def bin_of(self, column: np.ndarray) -> np.ndarray:
        """The bin of each row, numbered as `bins` names them."""
        places = np.searchsorted(self.deciles, column, "right")
        places[np.isnan(column)] = len(self.deciles) + 1
        return places

    def bin_shares(self, counts: np.ndarray) -> np.ndarray:
        """Counts of cells (periods x cells) as shares of all rows in each bin, nulls among them."""
        below = self._below(counts, self.deciles)
        present = counts[:, :-1].sum(axis=1, keepdims=True)
        binned = np.diff(np.concatenate([np.zeros_like(present), below, present], axis=1), axis=1)
        return distances.shares(np.concatenate([binned, counts[:, -1:]], axis=1))

    def measures(self, tally: Tally, tails: Sums, values: Values | None, periods: list[int]) -> dict[str, np.ndarray]:
        """Every measure for each of *periods*; NaN where a period has no value."""
        counts = tally.matrix(periods)
        present = counts[:, :-1].sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            q = self._histogram(counts, self.doane) / present[:, np.newaxis]
            p = self._histogram(self.reference[np.newaxis], self.doane)[0] / self.reference[:-1].sum()
            measured = {
                "psi": distances.population_stability(self.shares, self.bin_shares(counts)),
                "jensen_shannon": distances.jensen_shannon(p, q),
                "hellinger": distances.hellinger(p, q),
                "kolmogorov_smirnov": self._kolmogorov_smirnov(counts, present),
                "wasserstein": self._wasserstein(counts, present, tails, periods),
            }
        if self.values is not None and values is not None:
            for place, period in enumerate(periods):
                if present[place] and values.is_exact(period):
                    sample, [weights] = values.of(period)
                    exact = distances.exact_distances(self.values, sample, weights)
                    measured["kolmogorov_smirnov"][place], measured["wasserstein"][place] = exact
        infinite = np.array([tails.of(period)["infinite"] for period in periods])
        measured["wasserstein"][infinite > 0] = np.nan
        return {name: np.where(present > 0, value, np.nan) for name, value in measured.items()}

    def out_of_range(self, counts: np.ndarray) -> np.ndarray:
        """How many rows of each period are outside the reference's range."""
        low, high = self._below(counts, np.array([self.low, np.nextafter(self.high, np.inf)])).T
        return low + counts[:, :-1].sum(axis=1) - high

    @cached_property
    def _steps(self) -> np.ndarray:
        return np.linspace(self.low, self.high, EXACT_BELOW + 1)

    @cached_property
    def _widths(self) -> np.ndarray:
        """As `_steps`, but a constant has bins around it."""
        return _edges(np.array([self.low, self.high]), EXACT_BELOW)

    def _below(self, counts: np.ndarray, edges: np.ndarray) -> np.ndarray:
        return np.cumsum(counts[:, :-1], axis=1)[:, self.grid.position(edges)]

    def _histogram(self, counts: np.ndarray, edges: np.ndarray) -> np.ndarray:
        return np.diff(self._below(counts, np.append(edges[:-1], np.nextafter(edges[-1], np.inf))), axis=1)

    def _kolmogorov_smirnov(self, counts: np.ndarray, present: np.ndarray) -> np.ndarray:
        def cumulative(some: np.ndarray, rows: np.ndarray) -> np.ndarray:
            edges = np.append(self._steps[1:-1], np.nextafter(self._steps[-1], np.inf))
            return self._below(some, edges) / rows[:, np.newaxis]

        reference = self.reference[np.newaxis]
        return distances.kolmogorov_smirnov(
            cumulative(reference, reference[:, :-1].sum(axis=1)), cumulative(counts, present)
        )

    def _wasserstein(self, counts: np.ndarray, present: np.ndarray, tails: Sums, periods: list[int]) -> np.ndarray:
        reference = np.cumsum(self._histogram(self.reference[np.newaxis], self._widths)[0] / self.reference[:-1].sum())
        within = np.cumsum(self._histogram(counts, self._widths) / present[:, np.newaxis], axis=1)
        low, high = self._below(counts, np.array([self._widths[0], np.nextafter(self._widths[-1], np.inf)])).T
        above = present - high
        sums = np.array([[tails.of(period)[name] for name in ("below", "above")] for period in periods]).reshape(-1, 2)
        # The reference implementation shifts by one row more than there are below, where there are any; so do we.
        shift = np.where(low > 0, (low + 1) / present, 0)
        step = self._widths[1] - self._widths[0]
        middle = np.abs(reference - (within + shift[:, np.newaxis])).sum(axis=1) * step
        ends = (low * self._widths[0] - sums[:, 0] + sums[:, 1] - above * self._widths[-1]) / present
        return middle + ends


def _edges(values: np.ndarray, bins: int | str) -> np.ndarray:
    """NumPy's edges; of values too close to each other for so many bins, the two ends."""
    try:
        return np.histogram_bin_edges(values, bins)
    except ValueError:
        return np.array([values.min(), values.max()])
