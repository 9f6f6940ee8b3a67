"""Every distinct value of a period with its weights, as long as there are not too many; then cells instead."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from monitoring.counting.grid import Grid
from monitoring.counting.tally import Fact, Groups

_WAITING_ROWS = 1 << 19


class Values:
    """The distinct values of each period, each with the sums of its rows' weights.

    Statistics of order (areas under curves, Kolmogorov-Smirnov, Wasserstein) need the order of all rows, and the order
    is what adding up would lose. A period with up to *most* distinct values keeps them all and its statistics are
    exact, from however many parts they were added; one with more keeps the sums of each cell of *grid*. Whether a
    period has more does not depend on the order in which its parts came.
    """

    def __init__(self, grid: Grid, most: int, width: int) -> None:
        self.grid = grid
        self.most = most
        self.width = width
        """How many weights a row has."""
        self._waiting: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._rows = 0
        self._exact: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._rounded: dict[int, np.ndarray] = {}

    def add(self, groups: Groups, values: np.ndarray, weights: np.ndarray) -> None:
        """Adds rows with their weights (width x rows)."""
        if len(values):
            self._waiting.append((groups.each(values), values, weights))
            self._rows += len(values)
            if self._rows > _WAITING_ROWS:
                self._settle()

    def facts(self) -> Iterator[Fact]:
        """All values, and of periods that have too many all cells, as parts that `take` adds up again."""
        self._settle()
        for period, (values, weights) in self._exact.items():
            yield Fact(np.full(len(values), period), values, weights)
        for period, weights in self._rounded.items():
            filled = np.flatnonzero(weights.any(axis=0))
            yield Fact(np.full(len(filled), period), filled, weights[:, filled], rounded=True)

    def take(self, fact: Fact) -> None:
        """Adds what `facts` gave."""
        for period, rows in fact.by_period():
            keys, weights = fact.keys[rows], fact.weights[: self.width, rows]
            if fact.rounded:
                self._add_cells(period, keys.astype(np.intp), weights)
            else:
                self._add_values(period, keys, weights)

    def of(self, period: int) -> tuple[np.ndarray, np.ndarray]:
        """A period's values in rising order and their weights; of a rounded one the cells' numbers and weights."""
        self._settle()
        if period in self._rounded:
            weights = self._rounded[period]
            filled = np.flatnonzero(weights.any(axis=0))
            return filled.astype(float), weights[:, filled]
        return self._exact.get(period, (np.zeros(0), np.zeros((self.width, 0))))

    def periods(self) -> list[int]:
        """The periods that have values."""
        self._settle()
        return sorted({*self._exact, *self._rounded})

    def is_exact(self, period: int) -> bool:
        """Whether nothing about the period is rounded."""
        self._settle()
        return period not in self._rounded

    def _settle(self) -> None:
        if not self._waiting:
            return
        parts, self._waiting, self._rows = self._waiting, [], 0
        periods, values = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
        weights = np.concatenate([part[2] for part in parts], axis=1)
        for period, rows in Fact(periods, values, weights).by_period():
            self._add_values(period, values[rows], weights[:, rows])

    def _add_values(self, period: int, values: np.ndarray, weights: np.ndarray) -> None:
        if period in self._rounded:
            self._add_cells(period, self.grid.cells(values), weights)
            return
        if period in self._exact:
            known, their = self._exact[period]
            values, weights = np.concatenate([known, values]), np.concatenate([their, weights], axis=1)
        values, weights = _united(values, weights)
        if len(values) > self.most:
            self._exact.pop(period, None)
            self._add_cells(period, self.grid.cells(values), weights)
        else:
            self._exact[period] = values, weights

    def _add_cells(self, period: int, cells: np.ndarray, weights: np.ndarray) -> None:
        if period in self._exact:
            values, their = self._exact.pop(period)
            self._add_cells(period, self.grid.cells(values), their)
        total = self._rounded.setdefault(period, np.zeros((self.width, self.grid.count)))
        for place, each in enumerate(weights):
            total[place] += np.bincount(cells, each, self.grid.count)


def _united(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each value once, sorted; what a file holds, or one profile alone counted, is so already."""
    if (values[1:] <= values[:-1]).any():
        order = np.argsort(values)
        values, weights = values[order], weights[:, order]
        new = np.concatenate([[True], values[1:] != values[:-1]])
        if not new.all():
            first = np.flatnonzero(new)
            return values[first], np.add.reduceat(weights, first, axis=1)
    return values, weights
