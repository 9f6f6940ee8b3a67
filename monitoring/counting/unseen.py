"""The values that a categorical feature's reference never had, by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

MOST = 10_000
"""Names kept of a period, the first in the order of the alphabet, so that it does not matter who counted first."""


class Unseen:
    """How often each unseen value occurred in each period; of very many names only some."""

    def __init__(self) -> None:
        self._counts: dict[int, Counter[str]] = {}

    def add(self, periods: np.ndarray, texts: Sequence[str]) -> None:
        """Counts rows, each with its period and its value."""
        for (period, text), count in Counter(zip(periods.tolist(), texts, strict=True)).items():
            self._counts.setdefault(period, Counter())[text] += count
        self._trim()

    def take(self, period: int, counts: Mapping[str, int]) -> None:
        """Adds counts of a period."""
        self._counts.setdefault(period, Counter()).update(counts)
        self._trim()

    def merge(self, other: Unseen) -> None:
        """Adds all counts of another."""
        for period, counts in other.by_period().items():
            self.take(period, counts)

    def by_period(self) -> Mapping[int, Mapping[str, int]]:
        """The counts of each value, by period."""
        return self._counts

    def _trim(self) -> None:
        for period, counts in self._counts.items():
            if len(counts) > MOST:
                self._counts[period] = Counter({text: counts[text] for text in sorted(counts)[:MOST]})
