"""CSV: every needed column as text, block by block; no row is lost in silence."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from monitoring.errors import DataError
from monitoring.reading.columnar import wanted
from monitoring.reading.kinds import Source

_BLOCK = 4 * 1024 * 1024
_LONGEST = 64 * 1024 * 1024
"""Row, in bytes."""
_LAST = "\x1fno row after this\x1f"


def batches(source: Source, columns: Sequence[str]) -> Iterator[Any]:
    """The rows, all columns texts, an empty field null.

    Blocks are read here and parsed one by one: pyarrow's own stream reads ahead in threads, which do not end with the
    program if what they read is a Python file, and takes a quote that is never closed for the end of the last row.
    """
    names = header(source)
    needed = wanted(source.path, names, columns)
    parser = _Parser(source, names, needed or names[:1])
    with source.open() as file:
        size, text, over = _BLOCK, b"", False
        while True:
            if not over:
                more = file.read(size - len(text))
                over = len(more) < size - len(text)
                text += more
            if not text:
                return
            batch, text = parser.parse(text, over=over, final=over or size >= _LONGEST)
            if batch is None:
                size *= 2  # within what is there no row ends
            else:
                size = _BLOCK
                yield batch.select(needed)


def header(source: Source) -> list[str]:
    """The names in the first line."""
    with source.open() as file, _decoded(file) as text:
        names = next(filter(None, csv.reader(text, delimiter=_delimiter(source))))
    if not _is_text("".join(names).encode(errors="surrogateescape")):
        raise DataError(f"{source.path}, line 1: {_NO_TEXT}")
    return names


class _Parser:
    """Turns rows into batches, and knows the line of each block."""

    def __init__(self, source: Source, names: list[str], needed: list[str]) -> None:
        self._source = source
        self._names = names
        self._line = 1
        self._end = b"\n" if b"\n" in source.head else b"\r"
        # A row after the last: a quote that is open at the end would swallow it.
        self._last = _delimiter(source).join([_LAST] * len(names)).encode() + b"\n"
        self._parsing = arrow_csv.ParseOptions(
            delimiter=_delimiter(source),
            newlines_in_values=True,
            # Of a single column, an empty line is a row.
            ignore_empty_lines=len(names) > 1,
        )
        self._converting = arrow_csv.ConvertOptions(
            include_columns=needed,
            column_types=dict.fromkeys(needed, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        )

    def parse(self, text: bytes, *, over: bool, final: bool) -> tuple[Any | None, bytes]:
        """The rows that end within *text*, and what is after them; None where it takes more to tell, if not *final*."""
        error: Exception | None = None
        for cut in [len(text)] if over else _cuts(text, self._end):
            try:
                table = self._read(memoryview(text)[:cut])
            except pa.ArrowInvalid as invalid:
                error = invalid
                continue
            if len(table) and table.column(0)[-1].as_py() == _LAST:
                self._line += _count(text, self._end, cut)
                (batch,) = table.combine_chunks().to_batches()
                return batch.slice(0, len(batch) - 1), text[cut:]
        if final:
            raise self._explained(text, error) from error
        return None, text

    def _read(self, text: memoryview) -> Any:
        names = self._names if self._line > 1 else None
        ended = self._ended(text)
        reading = arrow_csv.ReadOptions(column_names=names, block_size=len(ended) + 1)
        return arrow_csv.read_csv(pa.BufferReader(ended), reading, self._parsing, self._converting)

    def _ended(self, text: bytes | memoryview) -> bytes:
        return b"".join((text, b"" if text[-1:] in (b"\n", b"\r") else b"\n", self._last))

    def _explained(self, text: bytes, error: Exception | None) -> Exception:
        if "invalid UTF8" in str(error):
            lines = text.split(self._end)
            wrong = next((number for number, line in enumerate(lines) if not _is_text(line)), 0)
            return self._told(wrong, _NO_TEXT)
        begins = ends = 0
        rows = csv.reader(_decoded(io.BytesIO(self._ended(text))), delimiter=_delimiter(self._source))
        try:
            for row in rows:
                begins, ends = ends, rows.line_num
                if row and _LAST in row[-1] and row[0] != _LAST:
                    return self._told(begins, _UNCLOSED)
                if row and len(row) != len(self._names):
                    fields = f"the row has {len(row)} fields, the header {len(self._names)}"
                    return self._told(begins, f"{fields}; mend the row, or its quotes")
        except csv.Error:
            return self._told(ends, _UNCLOSED)
        return error or self._told(ends, _UNCLOSED)

    def _told(self, line: int, sentence: str) -> DataError:
        return DataError(f"{self._source.path}, line {self._line + line}: {sentence}")


_NO_TEXT = "it is no UTF-8 text; write the file again in UTF-8"
_UNCLOSED = "a quote opens and is never closed; write the file again"


def _cuts(text: bytes, end: bytes) -> list[int]:
    """Where a row may end, the likeliest first: outside of quotes, or last of all, as a quote within a text is none."""
    cut = last = text.rfind(end) + 1
    within = _count(text, b'"', last) % 2
    while within and cut > len(text) // 2:
        before = text.rfind(end, 0, cut - 1) + 1
        within ^= text.count(b'"', before, cut) % 2
        cut = before
    return [place for place in dict.fromkeys((last if within else cut, last)) if place]


def _count(text: bytes, letter: bytes, end: int) -> int:
    """As bytes.count, which takes three times as long where there are many."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8, end) == ord(letter)))


def _delimiter(source: Source) -> str:
    return "\t" if source.kind == "tsv" else ","


def _decoded(file: Any) -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
