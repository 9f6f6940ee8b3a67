"""Rows of many requests on their way to columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import csv as arrow_csv

from monitoring.reading.values import column


class Plain(NamedTuple):
    """Rows as lines of CSV without quotes, each of so many fields as there are columns."""

    lines: list[str]

    def __len__(self) -> int:
        return len(self.lines)

    def rows(self) -> list[list[str | None]]:
        """The fields, an empty one None."""
        return [[field or None for field in line.split(",")] for line in self.lines]


Rows = Sequence[Sequence[Any]] | Plain


class Gathered:
    """All rows until they become columns; as long as all are lines of CSV, they are not taken apart one by one."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lines: list[str] = []
        self._rows: list[Sequence[Any]] = []

    def __len__(self) -> int:
        return len(self._lines) + len(self._rows)

    def add(self, rows: Rows) -> None:
        """Puts *rows* after the others."""
        if isinstance(rows, Plain) and not self._rows:
            self._lines += rows.lines
            return
        if self._lines:
            self._rows += Plain(self._lines).rows()
            self._lines = []
        self._rows += rows.rows() if isinstance(rows, Plain) else rows

    def columns(self) -> Sequence[Any]:
        """All rows as columns; then there are none."""
        lines, rows = self._lines, self._rows
        self._lines, self._rows = [], []
        if not lines:
            return [column(values) for values in zip(*rows, strict=True)]
        text = "\n".join(lines).encode()
        names = [str(place) for place in range(self._width)]
        table = arrow_csv.read_csv(
            pa.BufferReader(text),
            arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(text) + 1),
            arrow_csv.ParseOptions(quote_char=False),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
        return [values.combine_chunks() for values in table.columns]
