"""Counts and sums by period that add up in any order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import NamedTuple, Protocol

import numpy as np

_DENSE_NUMBERS = 1 << 19
_FEWEST_DENSE = 16


class Fact(NamedTuple):
    """Numbers of one part of a profile: of each its period, its key within the part, and its weights."""

    periods: np.ndarray
    keys: np.ndarray
    weights: np.ndarray
    """Weights x numbers."""
    rounded: bool = False
    """Whether keys are those of cells where others are values."""

    def by_period(self) -> Iterator[tuple[int, np.ndarray | slice]]:
        """Each period and where its numbers are."""
        if not len(self.periods):
            return
        edges = [0, *(np.flatnonzero(np.diff(self.periods)) + 1).tolist(), len(self.periods)]
        firsts = self.periods[edges[:-1]].tolist()
        if len(set(firsts)) == len(firsts):
            yield from zip(firsts, map(slice, edges, edges[1:]), strict=False)
            return
        order = np.argsort(self.periods, kind="stable")
        distinct, first = np.unique(self.periods[order], return_index=True)
        yield from zip(distinct.tolist(), np.split(order, first[1:]), strict=True)


class Part(Protocol):
    """A part of a profile: whatever adds up."""

    def facts(self) -> Iterator[Fact]:
        """All that it holds."""
        ...

    def take(self, fact: Fact) -> None:
        """Adds what `facts` of another gave."""
        ...


class Groups:
    """Which rows of a batch belong to which period.

    `periods` are the numbers of the periods in the batch, `rows` says for each row which of them it belongs to; None
    where all belong to the only one.
    """

    def __init__(self, numbers: np.ndarray) -> None:
        first, last = (numbers.min(), numbers.max()) if len(numbers) else (0, 0)
        self.rows: np.ndarray | None = None
        if not len(numbers):
            self.periods: list[int] = []
        elif first == last:
            self.periods = [int(first)]
        elif last - first < 1 << 16:
            place = numbers - first
            present = np.bincount(place) > 0
            self.periods = (np.flatnonzero(present) + first).tolist()
            self.rows = (np.cumsum(present) - 1)[place]
        else:
            distinct, self.rows = np.unique(numbers, return_inverse=True)
            self.periods = distinct.tolist()

    def where(self, chosen: np.ndarray) -> Groups:
        """The same for the chosen rows alone (a mask, or row numbers)."""
        some = copy(self)
        some.rows = None if self.rows is None else self.rows[chosen]
        return some

    def each(self, values: np.ndarray) -> np.ndarray:
        """The period of each row, as long as *values*."""
        if self.rows is None:
            return np.full(len(values), self.periods[0] if self.periods else 0)
        return np.array(self.periods)[self.rows]

    def histograms(self, cells: np.ndarray, width: int) -> Iterator[tuple[int, np.ndarray]]:
        """For each period how many of its rows are in each of *width* cells."""
        if self.rows is None:
            if self.periods:
                yield self.periods[0], np.bincount(cells, minlength=width)
            return
        # Many periods times many cells would not fit into memory at once.
        step = max(1, (1 << 22) // width)
        for start in range(0, len(self.periods), step):
            some = self.periods[start : start + step]
            within = (
                slice(None) if len(some) == len(self.periods) else (self.rows >= start) & (self.rows < start + step)
            )
            flat = (self.rows[within] - start) * width + cells[within]
            counts = np.bincount(flat, minlength=len(some) * width).reshape(len(some), width)
            yield from zip(some, counts, strict=True)

    def sums(self, values: np.ndarray) -> Iterator[tuple[int, float]]:
        """For each period the sum of its rows' values."""
        if self.rows is None:
            if self.periods:
                yield self.periods[0], float(values.sum())
            return
        yield from zip(self.periods, np.bincount(self.rows, values, len(self.periods)).tolist(), strict=True)


class Tally:
    """How many rows of each period are in each of `width` cells.

    The periods last added to are dense arrays, the others hold only the cells that are not empty, so that a year of
    days takes the room of its rows and not of its cells.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._dense: dict[int, np.ndarray] = {}
        self._sparse: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._room = max(_FEWEST_DENSE, _DENSE_NUMBERS // width)

    def add(self, groups: Groups, cells: np.ndarray) -> None:
        """Counts the rows of a batch by their cells."""
        for period, counts in groups.histograms(cells, self.width):
            self.add_counts(period, counts)

    def add_counts(self, period: int, counts: np.ndarray) -> None:
        """Adds a period's counts, one for each cell."""
        dense = self._dense.pop(period, None)
        if dense is None:
            dense = self.counts(period)
            self._sparse.pop(period, None)
        dense += counts
        self._dense[period] = dense
        if len(self._dense) > self._room:
            oldest = next(iter(self._dense))
            self._sparse[oldest] = _squeezed(self._dense.pop(oldest))

    def periods(self) -> list[int]:
        """The periods that have counts."""
        return [*self._sparse, *self._dense]

    def counts(self, period: int) -> np.ndarray:
        """A period's counts, one for each cell (int64); zeros where nothing was counted."""
        if period in self._dense:
            return self._dense[period]
        counts = np.zeros(self.width, np.int64)
        if period in self._sparse:
            cells, some = self._sparse[period]
            counts[cells] = some
        return counts

    def matrix(self, periods: list[int]) -> np.ndarray:
        """The counts of several periods: periods x cells."""
        return np.array([self.counts(period) for period in periods]).reshape(len(periods), self.width)

    def facts(self) -> Iterator[Fact]:
        """All counts, as parts that `take` adds up again."""
        for period in self.periods():
            cells, counts = self._sparse[period] if period in self._sparse else _squeezed(self.counts(period))
            yield Fact(np.full(len(cells), period), cells, counts[np.newaxis])

    def take(self, fact: Fact) -> None:
        """Adds counts that `facts` gave."""
        for period, rows in fact.by_period():
            counts = np.zeros(self.width, np.int64)
            np.add.at(counts, fact.keys[rows].astype(np.intp), fact.weights[0, rows].astype(np.int64))
            self.add_counts(period, counts)


def _squeezed(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    cells = np.flatnonzero(counts)
    return cells, counts[cells]


class Sums:
    """Named sums of each period."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self._values: dict[int, np.ndarray] = {}

    def add(self, groups: Groups, values: Mapping[str, np.ndarray]) -> None:
        """Adds the rows of a batch, an array for each name."""
        for name, each in values.items():
            for period, total in groups.sums(each):
                self.add_one(period, name, total)

    def add_one(self, period: int, name: str, value: float) -> None:
        """Adds one number to a period's sum."""
        self._row(period)[self.names.index(name)] += value

    def facts(self) -> Iterator[Fact]:
        """All sums, as parts that `take` adds up again."""
        for period, values in self._values.items():
            yield Fact(np.full(len(values), period), np.arange(len(values)), values[np.newaxis])

    def take(self, fact: Fact) -> None:
        """Adds sums that `facts` gave."""
        for period, rows in fact.by_period():
            np.add.at(self._row(period), fact.keys[rows].astype(np.intp), fact.weights[0, rows])

    def periods(self) -> list[int]:
        """The periods that have sums."""
        return list(self._values)

    def row(self, period: int) -> np.ndarray:
        """A period's sums in the order of the names; zeros where nothing was added."""
        return self._values.get(period, np.zeros(len(self.names)))

    def of(self, period: int) -> dict[str, float]:
        """A period's sums by their names."""
        return dict(zip(self.names, self.row(period).tolist(), strict=True))

    def _row(self, period: int) -> np.ndarray:
        return self._values.setdefault(period, np.zeros(len(self.names)))
