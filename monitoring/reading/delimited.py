"""CSV: every needed column as text, read as a stream; no row is lost in silence."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from monitoring.errors import DataError
from monitoring.reading.columnar import wanted
from monitoring.reading.kinds import Source

_BLOCK = 1024 * 1024
"""In bytes; no row may be longer, and some thirty are read ahead."""
_LAST = "\x1fno row after this\x1f"


def batches(source: Source, columns: Sequence[str]) -> Iterator[Any]:
    """The rows, all columns texts, an empty field null."""
    names = header(source)
    needed = wanted(source.path, names, columns)
    try:
        with source.open() as file:
            waiting = None
            for batch in _read(source, names, needed or names[:1], file):
                if waiting is not None:
                    yield waiting.select(needed)
                waiting = batch
    except pa.ArrowInvalid as error:
        raise _explained(source, names, error) from error
    if waiting is None or waiting.column(0)[-1].as_py() != _LAST:
        raise _unclosed(source, names)
    yield waiting.slice(0, waiting.num_rows - 1).select(needed)


def header(source: Source) -> list[str]:
    """The names in the first line."""
    with _rows(source) as rows:
        names = next(filter(None, rows))
    if not _is_text("".join(names).encode(errors="surrogateescape")):
        raise _no_text(source)
    return names


def _read(source: Source, names: list[str], needed: list[str], file: Any) -> Any:
    return arrow_csv.open_csv(
        pa.PythonFile(_Ended(file, _delimiter(source).join([_LAST] * len(names))), "r"),
        arrow_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
        arrow_csv.ParseOptions(
            delimiter=_delimiter(source),
            newlines_in_values=True,
            # Of a single column, an empty line is a row.
            ignore_empty_lines=len(names) > 1,
        ),
        arrow_csv.ConvertOptions(
            include_columns=needed,
            column_types=dict.fromkeys(needed, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        ),
    )


class _Ended(io.RawIOBase):
    """A file with one more row after its last."""

    def __init__(self, file: Any, row: str) -> None:
        self._file = file
        self._row = row.encode() + b"\n"
        self._last = b"\n"
        self._over = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """The next *size* bytes; fewer only at the end, as the header must be among the first."""
        parts = []
        while size > 0:
            if data := self._file.read(size):
                self._last = data[-1:]
                parts.append(data)
                size -= len(data)
            elif self._over:
                break
            else:
                self._over = True
                self._file = io.BytesIO(self._row if self._last in b"\r\n" else b"\n" + self._row)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _delimiter(source: Source) -> str:
    return "\t" if source.kind == "tsv" else ","


def _explained(source: Source, names: list[str], error: Exception) -> Exception:
    if misshapen := re.search(r"Expected (\d+) columns, got (\d+)", str(error)):
        sentence = f"the row has {misshapen[2]} fields, the header {misshapen[1]}; mend the row, or its quotes"
        return DataError(f"{source.path}, line {_line(source, len(names))}: {sentence}")
    if "invalid UTF8" in str(error):
        return _no_text(source)
    return error


def _unclosed(source: Source, names: list[str]) -> DataError:
    """An open quote has swallowed the row that we have put after the last one."""
    line = _line(source, len(names))
    return DataError(f"{source.path}, line {line}: a quote opens and is never closed; write the file again")


def _line(source: Source, fields: int) -> int:
    """Where the first row begins that has not so many fields, else the last."""
    begins = ends = 0
    with _rows(source) as rows, suppress(csv.Error):
        for row in rows:
            begins, ends = ends + 1, rows.line_num
            if row and len(row) != fields:
                return begins
        return begins
    return ends + 1


def _no_text(source: Source) -> DataError:
    with source.open() as file:
        line = next((number for number, line in enumerate(file, 1) if not _is_text(line)), 0)
    return DataError(f"{source.path}, line {line}: it is no UTF-8 text; write the file again in UTF-8")


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def _rows(source: Source) -> Iterator[Any]:
    """The rows as Python reads them: ten times slower, but it knows the line."""
    with (
        source.open() as file,
        io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as text,
    ):
        yield csv.reader(text, delimiter=_delimiter(source))
