"""The rows of a body, before they are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from model_server.errors import Violation


class Coded(NamedTuple):
    """A column of texts that repeat: each row's place in `texts`, where "" is null."""

    places: np.ndarray
    texts: Sequence[str]

    def __len__(self) -> int:
        return len(self.places)


Column = Sequence[Any] | np.ndarray | Coded
"""Values as JSON gives them, texts as CSV does, float64 numbers with NaN for null, or repeating texts."""


@dataclass(frozen=True)
class Table:
    """Columns in the order of the features, of `count` rows less those in `misshapen`, which fit into no column.

    In CSV every value is text that is still to be read, and an empty one is a null: then `textual` is true.
    """

    columns: Sequence[Column]
    count: int
    textual: bool = False
    misshapen: Mapping[int, Violation] = field(default_factory=dict)


def of_rows(rows: Sequence[Sequence[Any] | Violation], width: int, *, textual: bool = False) -> Table:
    """A table of rows of *width* values, among which a Violation stands for a row that is none."""
    misshapen = {number: row for number, row in enumerate(rows) if isinstance(row, Violation)}
    misshapen |= {
        number: Violation("row_length", f"it has {len(row)} values; expected {width}", row=number)
        for number, row in enumerate(rows)
        if not isinstance(row, Violation) and len(row) != width
    }
    shaped = [row for number, row in enumerate(rows) if number not in misshapen] if misshapen else rows
    columns = list(zip(*shaped, strict=True)) if shaped else [()] * width
    return Table(columns, len(rows), textual, misshapen)
