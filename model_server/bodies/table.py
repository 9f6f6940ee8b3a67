"""The rows of a body, before they are checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from model_server.bounds import BATCH_ROWS
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


def batches(rows: Sequence[Any]) -> Iterator[tuple[int, Sequence[Any]]]:
    """The rows by BATCH_ROWS, and the number of each time's first: what is wrong with rows takes more than they do."""
    for start in range(0, len(rows), BATCH_ROWS):
        yield start, rows[start : start + BATCH_ROWS]


def sliced(table: Table) -> Iterator[Table]:
    """The same of a table without misshapen rows."""
    for start in range(0, table.count, BATCH_ROWS):
        columns = [_slice(column, start) for column in table.columns]
        yield Table(columns, min(BATCH_ROWS, table.count - start), table.textual)


def _slice(column: Column, start: int) -> Column:
    end = start + BATCH_ROWS
    return Coded(column.places[start:end], column.texts) if isinstance(column, Coded) else column[start:end]


def of_rows(
    rows: Sequence[Sequence[Any] | Violation],
    width: int,
    *,
    textual: bool = False,
    places: Sequence[int] | None = None,
) -> Table:
    """A table of rows of *width* values, among which a Violation stands for a row that is none.

    Of the values those at *places* are read, without *places* all.
    """
    misshapen = {number: row for number, row in enumerate(rows) if isinstance(row, Violation)}
    misshapen |= {
        number: Violation("row_length", f"it has {len(row)} values; expected {width}", row=number)
        for number, row in enumerate(rows)
        if not isinstance(row, Violation) and len(row) != width
    }
    shaped: Any = [row for number, row in enumerate(rows) if number not in misshapen] if misshapen else rows
    if places is not None:
        columns: list[Any] = [[row[place] for row in shaped] for place in places]
    else:
        columns = list(zip(*shaped, strict=True)) if shaped else [()] * width
    return Table(columns, len(rows), textual, misshapen)
