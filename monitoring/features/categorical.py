"""A categorical feature: what its reference looks like, and how a period differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from monitoring.counting.tally import Tally
from monitoring.features import distances

MEASURES = ("psi", "jensen_shannon", "hellinger", "l_infinity", "chi2")


@dataclass(frozen=True)
class Categorical:
    """The reference of a categorical feature: its categories as text, and how many rows have each.

    A period's counts have a cell for each category, then one for values that the reference never had, then one for
    nulls. `unseen` counts are told apart by `Unseen`, since the largest one of them matters to `l_infinity`.
    """

    n: int
    categories: tuple[str, ...]
    counts: np.ndarray
    nulls: int

    @classmethod
    def fit(cls, distinct: Sequence[str], codes: np.ndarray) -> Categorical:
        """The reference from distinct texts and each row's place among them; -1 is null."""
        counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
        order = sorted((place for place in range(len(distinct)) if counts[place]), key=distinct.__getitem__)
        categories = tuple(distinct[place] for place in order)
        return cls(len(codes), categories, counts[order], int((codes < 0).sum()))

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Categorical:
        """The reference from a baseline's JSON."""
        return cls(body["n"], tuple(body["categories"]), np.array(body["counts"], np.int64), body["nulls"])

    def body(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "kind": "categorical",
            "n": self.n,
            "categories": list(self.categories),
            "counts": self.counts.tolist(),
            "nulls": self.nulls,
        }

    @property
    def width(self) -> int:
        """How many cells a period's counts have."""
        return len(self.categories) + 2

    @property
    def unseen(self) -> int:
        """The cell of values that the reference never had."""
        return len(self.categories)

    @property
    def bins(self) -> list[str]:
        """The names of the bins that the population stability index compares."""
        return [*self.categories, "unseen", "null"]

    @cached_property
    def reference(self) -> np.ndarray:
        """The reference's own counts, one for each cell."""
        return np.concatenate([self.counts, [0, self.nulls]])

    @cached_property
    def shares(self) -> np.ndarray:
        """The reference's shares of the bins."""
        return distances.shares(self.reference)

    @cached_property
    def code(self) -> Mapping[str, int]:
        """The cell of each category."""
        return {category: place for place, category in enumerate(self.categories)}

    def bin_shares(self, counts: np.ndarray) -> np.ndarray:
        """Counts of cells as shares of all rows in each bin."""
        return distances.shares(counts)

    def measures(
        self, tally: Tally, unseen: Mapping[int, Mapping[str, int]], periods: list[int]
    ) -> dict[str, np.ndarray]:
        """Every measure for each of *periods*; NaN where a period has no value.

        `unseen` counts by period the values that the reference never had.
        """
        counts = tally.matrix(periods)
        known, present = counts[:, :-2], counts[:, :-1].sum(axis=1)
        p = distances.shares(self.counts)
        largest = np.array([max(unseen.get(period, {}).values(), default=0) for period in periods])
        with np.errstate(invalid="ignore", divide="ignore"):
            q = known / present[:, np.newaxis]
            measured = {
                "psi": distances.population_stability(self.shares, self.bin_shares(counts)),
                "jensen_shannon": distances.jensen_shannon(p, q),
                "hellinger": distances.hellinger(p, q),
                "l_infinity": np.maximum(distances.l_infinity(p, q), largest / present),
                "chi2": np.array(
                    [self._chi2(row, unseen.get(period, {})) for row, period in zip(known, periods, strict=True)]
                ),
            }
        return {name: np.where(present > 0, value, np.nan) for name, value in measured.items()}

    def _chi2(self, known: np.ndarray, unseen: Mapping[str, int]) -> float:
        counts = np.concatenate([known, list(unseen.values())]) if unseen else known
        reference = np.concatenate([self.counts, np.zeros(len(unseen))]) if unseen else self.counts
        return float(distances.chi2(reference, counts))
