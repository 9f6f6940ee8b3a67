"""The rows of files, each read by what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from monitoring.reading import capture as captured
from monitoring.reading import columnar, delimited, records
from monitoring.reading.capture import Capture
from monitoring.reading.failures import told
from monitoring.reading.kinds import Source, recognise
from monitoring.reading.paths import found
from monitoring.reading.problems import Problems, Refusing

_WORTHWHILE_ROWS = 32_768
_WORTHWHILE_BYTES = 8 * 1024 * 1024

Paths = Sequence[str | Path] | str | Path


def batches(
    paths: Paths,
    columns: Sequence[str],
    *,
    capture: Capture | None = None,
    problems: Problems | None = None,
    rows: int = 131_072,
) -> Iterator[pa.RecordBatch]:
    """Batches of at most *rows* rows with those of *columns* that each file has; raises DataError.

    A path is a file, a folder or a pattern; a file that several name is read once. CSV gives texts, Parquet and Arrow
    the types of the file, JSON Lines the narrowest type of each batch. *capture* says what becomes of captured events;
    those that cannot be read are counted in *problems*, without it the first of them is a DataError.
    """
    return _batches(found(paths), columns, capture, Refusing() if problems is None else problems, rows)


def _batches(
    files: list[Path], columns: Sequence[str], capture: Capture | None, problems: Problems, rows: int
) -> Iterator[pa.RecordBatch]:
    for path in files:
        with told(path):
            source = recognise(path)
            for batch in _joined(_read(source, columns, capture, problems, rows)):
                yield from (batch.slice(start, rows) for start in range(0, batch.num_rows, rows))


def _joined(parts: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Fewer and larger batches, as what a caller does with each has a price of its own."""
    waiting: list[pa.RecordBatch] = []
    for part in parts:
        if waiting and (part.schema != waiting[0].schema or _enough(waiting)):
            yield _one(waiting)
            waiting = []
        waiting.append(part)
    if waiting:
        yield _one(waiting)


def _one(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.concat_batches(parts) if len(parts) > 1 else parts[0]


def _enough(parts: list[pa.RecordBatch]) -> bool:
    return (
        not parts[0].num_columns
        or sum(part.num_rows for part in parts) >= _WORTHWHILE_ROWS
        or sum(part.nbytes for part in parts) >= _WORTHWHILE_BYTES
    )


def _read(
    source: Source, columns: Sequence[str], capture: Capture | None, problems: Problems, rows: int
) -> Iterator[Any]:
    match source.kind:
        case "parquet":
            return columnar.parquet(source.path, columns, rows)
        case "arrow":
            return columnar.arrow(source.path, columns, rows)
        case "json" if captured.is_capture(source):
            return captured.batches(source, columns, capture, problems)
        case "json":
            return records.batches(source, columns)
        case _:
            return delimited.batches(source, columns)


def schema(paths: Paths, *, capture: Capture | None = None) -> pa.Schema:
    """Every column of the files with its type in the first that has it, by footers and first lines; raises DataError.

    CSV's are texts; of captured events they are those that *capture* makes.
    """
    fields: dict[str, Any] = {}
    for path in found(paths):
        with told(path):
            for field in _schema(recognise(path), capture):
                fields.setdefault(field.name, field)
    return pa.schema(list(fields.values()))


def _schema(source: Source, capture: Capture | None) -> Any:
    match source.kind:
        case "parquet":
            return columnar.parquet_schema(source.path)
        case "arrow":
            return columnar.arrow_schema(source.path)
        case "json" if captured.is_capture(source):
            return pa.schema([(name, pa.string()) for name in (capture.columns if capture else ())])
        case "json":
            return records.schema(source)
        case _:
            return pa.schema([(name, pa.string()) for name in delimited.header(source)])
