"""A sensitive number is known by its band alone: between two deciles of the reference, or below or above its range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Bands:
    """The bands of a number; each begins with one of `edges`, the first lies before all of them.

    The edges are the reference's lowest value, its deciles, and what comes next after its highest value. So rows that
    the deciles divide are in different bands, and so are those within the reference's range and those outside.
    """

    edges: np.ndarray

    @classmethod
    def between(cls, low: float, deciles: np.ndarray, high: float) -> Bands:
        """The bands of a reference."""
        return cls(np.unique([low, *deciles, np.nextafter(high, np.inf)]))

    @classmethod
    def parse(cls, edges: Sequence[float]) -> Bands:
        """The bands of these edges, in rising order."""
        return cls(np.array(edges, np.float64))

    @cached_property
    def values(self) -> np.ndarray:
        """What stands for each band: its middle, and beyond the range the number next to it."""
        first, last = self.edges[:-1], self.edges[1:]
        middle = first + (last - first) / 2
        within = np.where(middle < last, middle, first)
        return np.concatenate([[np.nextafter(self.edges[0], -np.inf)], within, self.edges[-1:]])

    def coarse(self, column: np.ndarray) -> np.ndarray:
        """Each number as what stands for its band; NaN stays."""
        known = self.values[np.searchsorted(self.edges, column, "right")]
        return np.where(np.isnan(column), np.nan, known)
