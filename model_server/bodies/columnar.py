"""Parquet, Arrow streams and npy: typed columns, batch by batch."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from model_server.bodies.table import Coded, Column, Table
from model_server.errors import BadRequest, TooLarge, Violation
from model_server.signature import Number, Signature

_BATCH_ROWS = 16_384
_LARGEST_INFLATED = 1024 * 1024 * 1024
"""Of a Parquet file's data, in bytes; its row groups are inflated one at a time."""


def read_npy(signature: Signature, body: bytes) -> Iterator[Table]:
    """The rows of a two-dimensional array of numbers, or of a structured one; raises BadRequest or Violation."""
    try:
        array = np.lib.format.read_array(io.BytesIO(body), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise BadRequest("malformed", f"the body is not an npy file: {error}") from error
    for start in range(0, len(array) if array.ndim else 0, _BATCH_ROWS):
        yield _of_array(signature, array, start)


def read_parquet(signature: Signature, body: bytes) -> Iterator[Table]:
    """The rows of a Parquet file; raises BadRequest, TooLarge or Violation."""
    import pyarrow as pa  # noqa: PLC0415  other formats do without
    import pyarrow.parquet as pq  # noqa: PLC0415

    with _malformed("a Parquet file", pa.ArrowException, OSError):
        file = pq.ParquetFile(pa.BufferReader(body))
        groups = [file.metadata.row_group(place) for place in range(file.num_row_groups)]
        if sum(group.total_byte_size for group in groups) > _LARGEST_INFLATED:
            raise TooLarge("too_large", f"the Parquet file holds more than {_LARGEST_INFLATED} bytes; send fewer rows")
        _require(signature, file.schema_arrow.names)
        for batch in file.iter_batches(_BATCH_ROWS, columns=list(signature.names), use_threads=False):
            yield _of_batch(signature, batch)


def read_arrow(signature: Signature, body: bytes) -> Iterator[Table]:
    """The rows of an Arrow IPC stream; raises BadRequest or Violation."""
    import pyarrow as pa  # noqa: PLC0415  other formats do without

    with _malformed("an Arrow stream", pa.ArrowException, OSError), pa.ipc.open_stream(pa.BufferReader(body)) as stream:
        _require(signature, stream.schema.names)
        for batch in stream:
            batch.validate()  # offsets and lengths are the caller's word
            for start in range(0, batch.num_rows, _BATCH_ROWS):
                yield _of_batch(signature, batch.slice(start, _BATCH_ROWS))


class _malformed:  # noqa: N801  reads as the sentence that it makes
    def __init__(self, what: str, *errors: type[Exception]) -> None:
        self._what = what
        self._errors = errors

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _where: object) -> None:
        if isinstance(error, self._errors):
            raise BadRequest("malformed", f"the body is not {self._what}: {error}") from error


def _require(signature: Signature, names: Sequence[str]) -> None:
    for name in signature.names:
        if names.count(name) != 1:
            raise Violation("column_missing", f"the column {name} is not there once; send every feature", field=name)


def _of_array(signature: Signature, array: np.ndarray, start: int) -> Table:
    if array.dtype.names:
        _require(signature, array.dtype.names)
        part = array[start : start + _BATCH_ROWS]
        return Table([_numbers(signature, name, part[name]) for name in signature.names], len(part))
    rows = array.reshape(1, -1) if array.ndim == 1 else array
    if rows.ndim != 2 or rows.shape[1] != len(signature.names):
        raise Violation(
            "row_length", f"the array has the shape {array.shape}; expected rows x {len(signature.names)} numbers"
        )
    part = rows[start : start + _BATCH_ROWS]
    return Table([_numbers(signature, name, part[:, place]) for place, name in enumerate(signature.names)], len(part))


def _numbers(signature: Signature, name: str, values: np.ndarray) -> Column:
    """Numbers for a number; whole numbers and texts for a category."""
    feature = signature.features[signature.names.index(name)]
    kind = values.dtype.kind
    if isinstance(feature, Number) and kind in "iuf":
        return values.astype(np.float64)
    if not isinstance(feature, Number) and kind in "iuSU":
        texts, places = np.unique(values.astype(str), return_inverse=True)
        return Coded(places, texts.tolist())
    raise _other_type(name, str(values.dtype), is_number=isinstance(feature, Number))


def _of_batch(signature: Signature, batch: Any) -> Table:
    columns = [
        _arrow(feature.name, batch[feature.name], is_number=isinstance(feature, Number))
        for feature in signature.features
    ]
    return Table(columns, batch.num_rows)


def _arrow(name: str, column: Any, *, is_number: bool) -> Column:
    import pyarrow as pa  # noqa: PLC0415  as above

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if is_number and (_any(kind, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)):
        return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    if not is_number and _any(
        kind,
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_integer,
        pa.types.is_null,
    ):
        coded = column.cast(pa.string()).fill_null("").dictionary_encode()
        return Coded(coded.indices.to_numpy(zero_copy_only=False), coded.dictionary.to_pylist())
    raise _other_type(name, str(kind), is_number=is_number)


def _any(kind: Any, *checks: Callable[[Any], bool]) -> bool:
    return any(check(kind) for check in checks)


def _other_type(name: str, got: str, *, is_number: bool) -> Violation:
    return Violation("type", f"{name} is {got}; expected {'numbers' if is_number else 'texts'}", field=name)
