"""Parquet and Arrow files: typed columns, of which only those that are needed leave the disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monitoring.errors import DataError

_ROWS = 65_536
_BUFFER = 256 * 1024
"""Of each column, in bytes: without it a whole row group is in memory."""
_TEXTS = ("string", "large_string", "string_view")
_SAMPLE = 16_384
_REPEATED = 8
"""Times that a text must occur on average to be worth a dictionary."""
_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def parquet(path: Path, columns: Sequence[str], rows: int) -> Iterator[Any]:
    """The rows of a Parquet file; texts that the file has as a dictionary stay one."""
    with _parquet(path) as file:
        names = wanted(path, file.schema_arrow.names, columns)
        coded = _coded(file, names)
        metadata = file.metadata
    with _parquet(path, metadata=metadata, read_dictionary=coded) as file:
        for batch in file.iter_batches(min(rows, _ROWS), columns=names, use_threads=False):
            # "a" also brings the fields of a struct, or a column, whose name begins with "a."
            yield _checked(batch.select(names))


def parquet_schema(path: Path) -> Any:
    """The columns of a Parquet file, less the index that pandas wrote for itself."""
    with _parquet(path) as file:
        return pa.schema([field for field in file.schema_arrow if not field.name.startswith("__index_level_")])


def arrow(path: Path, columns: Sequence[str], rows: int) -> Iterator[Any]:
    """The rows of an Arrow file or stream, where they are not compressed without a copy."""
    with _arrow(path) as reader:
        names = wanted(path, reader.schema.names, columns)
        for batch in _each(reader):
            for start in range(0, batch.num_rows, rows):
                yield _checked(batch.select(names).slice(start, rows))


def arrow_schema(path: Path) -> Any:
    """The columns of an Arrow file or stream."""
    with _arrow(path) as reader:
        return reader.schema


def wanted(path: Path, names: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Those of *columns* that a file has; raises DataError where it has one of them twice."""
    times = Counter(names)
    for column in columns:
        if times[column] > 1:
            raise DataError(f"{path} has {times[column]} columns named {column}; rename all but one")
    return [column for column in dict.fromkeys(columns) if column in times]


def _checked(batch: Any) -> Any:
    """The batch with every text a string; raises ArrowInvalid where its offsets or texts are unsound.

    They are the file's word, and a caller trusts them.
    """
    batch.validate(full=True)
    if not batch.num_columns:
        return batch  # its rows are still counted
    return pa.record_batch([_usual(column) for column in batch.columns], names=batch.schema.names)


def _usual(column: Any) -> Any:
    kind = column.type
    if isinstance(kind, pa.UuidType):
        return pa.array([value and str(value) for value in column.to_pylist()], pa.string())
    if isinstance(kind, pa.BaseExtensionType):
        return _usual(column.storage)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    if pa.types.is_dictionary(kind) and pa.types.is_large_string(kind.value_type):
        return pa.DictionaryArray.from_arrays(column.indices, column.dictionary.cast(pa.string()))
    return column


def _parquet(path: Path, **options: Any) -> Any:
    return pq.ParquetFile(
        path,
        pre_buffer=False,
        buffer_size=_BUFFER,
        coerce_int96_timestamp_unit="us",  # nanoseconds wrap round before 1677 and after 2262
        page_checksum_verification=True,
        **options,
    )


def _coded(file: Any, names: Sequence[str]) -> list[str]:
    """The columns of texts that repeat, by the first rows: what the footer says of pages may end the whole process."""
    texts = [name for name in names if str(file.schema_arrow.field(name).type) in _TEXTS]
    first = next(file.iter_batches(_SAMPLE, columns=texts), None) if texts else None
    if first is None:
        return []
    return [
        name for name in texts if pc.count_distinct(first[name].cast(pa.string())).as_py() * _REPEATED <= len(first)
    ]


def _arrow(path: Path) -> Any:
    file = pa.memory_map(str(path))
    if file.read(6) == b"ARROW1":
        return pa.ipc.open_file(file)
    file.seek(max(file.size() - len(_END_OF_STREAM), 0))
    if file.read() != _END_OF_STREAM:
        raise DataError(f"{path} is no Arrow file, or only the beginning of one; write it again")
    file.seek(0)
    return pa.ipc.open_stream(file)


def _each(reader: Any) -> Iterator[Any]:
    if hasattr(reader, "get_batch"):
        yield from (reader.get_batch(place) for place in range(reader.num_record_batches))
    else:
        yield from reader
