"""Every distinct value of a period with its weights, as long as there are not too many; then cells instead."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from monitoring.counting.grid import Grid
from monitoring.counting.tally import Fact, Groups

_WAITING_ROWS = 1 << 20


class Values:
    """The distinct values of each period, each with a count and a sum that belong to it.

    Statistics of order (areas under curves, Kolmogorov-Smirnov, Wasserstein) need the order of all rows, and the order
    is what adding up would lose. A period with up to *most* distinct values keeps them all and its statistics are
    exact, from however many parts they were added; one with more keeps for each cell of *grid* the count, the mean
    value and the sum. Whether a period has more does not depend on the order in which its parts came.
    """

    def __init__(self, grid: Grid, most: int) -> None:
        self.grid = grid
        self.most = most
        self._waiting: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
        self._rows = 0
        self._periods = np.zeros(0, np.int64)
        self._values = np.zeros(0)
        self._weights = np.zeros((2, 0))
        self._coarse: dict[int, np.ndarray] = {}

    def add(self, groups: Groups, values: np.ndarray, sums: np.ndarray) -> None:
        """Counts each row once, and adds its number of *sums* to what belongs to its value."""
        self.add_rows(groups.each(values), values, np.ones(len(values)), sums)

    def add_rows(self, periods: np.ndarray, values: np.ndarray, counts: np.ndarray, sums: np.ndarray) -> None:
        """Adds values that were counted already."""
        if len(values):
            self._waiting.append((periods, values, counts, sums))
            self._rows += len(values)
            if self._rows > _WAITING_ROWS:
                self._settle()

    def add_cells(self, period: int, cells: np.ndarray) -> None:
        """Adds a period that is in cells already: for each cell the count, the sum of values and the sum."""
        self._coarse[period] = self._coarse[period] + cells if period in self._coarse else cells.copy()

    def facts(self) -> Iterator[Fact]:
        """All values, and of periods that have too many all cells, as parts that `take` adds up again."""
        self._settle()
        yield Fact(self._periods, self._values, self._weights[0], self._weights[1])
        for period, cells in self._coarse.items():
            filled = np.flatnonzero(cells[0])
            counts, values, sums = cells[:, filled]
            yield Fact(np.full(len(filled), period), filled, counts, sums, values)

    def take(self, fact: Fact) -> None:
        """Adds what `facts` gave."""
        assert fact.b is not None
        in_cells = np.zeros(len(fact.keys), bool) if fact.c is None else ~np.isnan(fact.c)
        exact = ~in_cells
        self.add_rows(fact.periods[exact], fact.keys[exact], fact.a[exact], fact.b[exact])
        if fact.c is None or not in_cells.any():
            return
        some = Fact(*(each[in_cells] for each in fact if each is not None))
        for period, rows in some.by_period():
            cells = np.zeros((3, self.grid.count))
            for row, each in zip(cells, (some.a, some.c, some.b), strict=True):
                assert each is not None
                np.add.at(row, some.keys[rows].astype(np.intp), each[rows])
            self.add_cells(period, cells)

    def of(self, period: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A period's values in rising order, their counts and sums; means of cells where it has too many values."""
        self._settle()
        if period in self._coarse:
            counts, values, sums = self._coarse[period]
            filled = counts > 0
            return values[filled] / counts[filled], counts[filled], sums[filled]
        first, last = np.searchsorted(self._periods, [period, period + 1])
        return self._values[first:last], self._weights[0, first:last], self._weights[1, first:last]

    def periods(self) -> list[int]:
        """The periods that have values."""
        self._settle()
        return sorted({*np.unique(self._periods).tolist(), *self._coarse})

    def is_exact(self, period: int) -> bool:
        """Whether nothing about the period is rounded."""
        self._settle()
        return period not in self._coarse

    def _settle(self) -> None:
        if self._waiting:
            parts = [(self._periods, self._values, *self._weights), *self._waiting]
            self._waiting, self._rows = [], 0
            periods, values, counts, sums = (np.concatenate(each) for each in zip(*parts, strict=True))
            self._periods, self._values, self._weights = _united(periods, values, np.vstack([counts, sums]))
        distinct, sizes = np.unique(self._periods, return_counts=True)
        over = [*distinct[sizes > self.most].tolist(), *(set(distinct.tolist()) & set(self._coarse))]
        if over:
            self._coarsen(over)

    def _coarsen(self, periods: list[int]) -> None:
        for period in set(periods):
            rows = slice(*np.searchsorted(self._periods, [period, period + 1]))
            values, (counts, sums) = self._values[rows], self._weights[:, rows]
            cells = self.grid.cells(values)
            weights = (counts, counts * values, sums)
            self.add_cells(period, np.array([np.bincount(cells, each, self.grid.count) for each in weights]))
        kept = ~np.isin(self._periods, periods)
        self._periods, self._values = self._periods[kept], self._values[kept]
        self._weights = self._weights[:, kept]


def _united(periods: np.ndarray, values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    order = np.argsort(values)
    if len(periods) and (periods[0] != periods).any():
        order = order[np.argsort(periods[order], kind="stable")]
    periods, values, weights = periods[order], values[order], weights[:, order]
    new = np.ones(len(values), bool)
    new[1:] = (values[1:] != values[:-1]) | (periods[1:] != periods[:-1])
    first = np.flatnonzero(new)
    return periods[first], values[first], np.add.reduceat(weights, first, axis=1) if len(first) else weights
