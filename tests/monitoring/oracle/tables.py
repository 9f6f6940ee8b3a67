"""Columns drawn from a seed in a way that no version of NumPy changes: uniform numbers, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

Numbers = np.ndarray[Any, np.dtype[np.float64]]


class Draw:
    """Random columns; only `random()` is asked of NumPy, whose stream for it is the same everywhere."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def uniform(self, rows: int) -> Numbers:
        return self._generator.random(rows)

    def normal(self, rows: int) -> Numbers:
        radius = np.sqrt(-2 * np.log(1 - self.uniform(rows)))
        return radius * np.cos(2 * np.pi * self.uniform(rows))

    def choice(self, shares: Sequence[float] | Numbers, rows: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The place of a category in *shares*, which need not sum up to 1; of each row where it has two dimensions."""
        edges = np.cumsum(np.asarray(shares, dtype=np.float64), axis=-1)
        drawn = self.uniform(rows) * edges[..., -1]
        if edges.ndim == 1:
            return np.searchsorted(edges, drawn, side="right")
        return (edges <= drawn[:, None]).sum(axis=1)

    def where(self, share: float | Numbers, rows: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return self.uniform(rows) < share


def within(year: int, month: int, rows: int) -> np.ndarray[Any, np.dtype[np.datetime64]]:
    """As many times as rows, evenly over a month."""
    start = np.datetime64(f"{year}-{month:02}", "M")
    seconds = (start + 1).astype("datetime64[s]") - start.astype("datetime64[s]")
    passed = np.arange(rows) * seconds.astype(np.int64) // rows
    return (start.astype("datetime64[s]") + passed.astype("timedelta64[s]")).astype("datetime64[us]")


def table(columns: Mapping[str, Any], nulls: Mapping[str, Any] | None = None) -> pa.Table:
    """The columns as Arrow has them; *nulls* says by column where there is none."""
    gaps = nulls or {}
    return pa.table({name: pa.array(values, mask=gaps.get(name)) for name, values in columns.items()})
