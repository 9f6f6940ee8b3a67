"""Parquet, Arrow streams and npy: typed columns, batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from model_server import bounds
from model_server.bodies import messages, npy, pages
from model_server.bodies.table import Coded, Column, Table
from model_server.bounds import BATCH_ROWS
from model_server.errors import BadRequest, TooLarge, Violation
from model_server.signature import Number, Signature

_SHOWN = 300
_LONGEST_TEXT = 64 * 1024
"""Of a category, in bytes."""


def read_npy(signature: Signature, body: bytes) -> Iterator[Table]:
    """The rows of a two-dimensional array of numbers, or of a structured one; raises BadRequest or Violation."""
    array = npy.array(body)
    for start in range(0, len(array) if array.ndim else 0, BATCH_ROWS):
        yield _of_array(signature, array, start)


def read_parquet(signature: Signature, body: bytes) -> Iterator[Table]:
    """The rows of a Parquet file; raises BadRequest, TooLarge or Violation."""
    import pyarrow as pa  # noqa: PLC0415  other formats do without
    import pyarrow.parquet as pq  # noqa: PLC0415

    # Texts stay in their dictionary: one long text could stand for any number of rows.
    coded = [feature.name for feature in signature.categories]
    with _malformed("a Parquet file", pa.ArrowException):
        if body.endswith(b"PAR1"):
            _fits("Parquet file", body, pages.unpacked(body, signature.names, BATCH_ROWS))
        file = pq.ParquetFile(pa.BufferReader(body), pre_buffer=False)
        _require(signature, file.schema_arrow)  # pyarrow takes no name for a dictionary that the file does not have
        file = pq.ParquetFile(pa.BufferReader(body), metadata=file.metadata, read_dictionary=coded, pre_buffer=False)
        batches = file.iter_batches(BATCH_ROWS, columns=list(signature.names), use_threads=False)
        for batch in _gathered(batches):
            yield from _tables(signature, batch)


def read_arrow(signature: Signature, body: bytes) -> Iterator[Table]:
    """The rows of an Arrow IPC stream; raises BadRequest, TooLarge or Violation."""
    import pyarrow as pa  # noqa: PLC0415  other formats do without

    with _malformed("an Arrow stream", pa.ArrowException), pa.ipc.open_stream(pa.BufferReader(body)) as stream:
        _require(signature, stream.schema)
        _fits("Arrow stream", body, messages.unpacked(body, len(signature.names)))
        for batch in _gathered(stream):
            yield from _tables(signature, batch)


def _gathered(batches: Iterable[Any]) -> Iterator[Any]:
    """The batches with rows, small ones joined: one of a single row costs nearly as much as one of a thousand."""
    waiting: list[Any] = []
    rows = 0
    for batch in batches:
        batch.validate(full=True)  # offsets, lengths and what texts hold are the caller's word
        if batch.num_rows:
            waiting.append(batch)
            rows += batch.num_rows
        if rows >= BATCH_ROWS:
            yield _joined(waiting)
            waiting, rows = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(batches: Sequence[Any]) -> Any:
    import pyarrow as pa  # noqa: PLC0415  other formats do without

    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


class _malformed:  # noqa: N801  reads as the sentence that it makes
    def __init__(self, what: str, error: type[Exception]) -> None:
        self._what = what
        # pyarrow lets pass what its own Python meets: names that are no UTF-8 are a ValueError.
        self._errors = (error, OSError, ValueError, KeyError, OverflowError, NotImplementedError)

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _where: object) -> None:
        if isinstance(error, self._errors):
            raise BadRequest("malformed", f"the body is not {self._what}: {str(error)[:_SHOWN]}") from error


def _fits(what: str, body: bytes, size: int) -> None:
    allowed = bounds.unpacked(len(body))
    if size > allowed:
        sentence = f"the {what} of {len(body)} bytes unpacks to {size}; at most {allowed} are read, so send fewer rows"
        raise TooLarge("too_large", sentence)


def _require(signature: Signature, schema: Any) -> None:
    """Raises Violation unless each feature has one column, of a type that is read: nothing else is unpacked."""
    _require_names(signature, schema.names)
    for feature in signature.features:
        kind = schema.field(feature.name).type
        is_number = isinstance(feature, Number)
        if not _is_read(kind, is_number=is_number):
            raise _other_type(feature.name, str(kind)[:_SHOWN], is_number=is_number)


def _require_names(signature: Signature, names: Sequence[str]) -> None:
    times = Counter(names)
    for name in signature.names:
        if times[name] != 1:
            raise Violation("column_missing", f"the column {name} is not there once; send every feature", field=name)


def _of_array(signature: Signature, array: np.ndarray, start: int) -> Table:
    if array.dtype.names:
        _require_names(signature, array.dtype.names)
        part = array[start : start + BATCH_ROWS]
        return Table([_numbers(signature, name, part[name]) for name in signature.names], len(part))
    rows = array.reshape(1, -1) if array.ndim == 1 else array
    if rows.ndim != 2 or rows.shape[1] != len(signature.names):
        raise Violation(
            "row_length", f"the array has the shape {array.shape}; expected rows x {len(signature.names)} numbers"
        )
    part = rows[start : start + BATCH_ROWS]
    return Table([_numbers(signature, name, part[:, place]) for place, name in enumerate(signature.names)], len(part))


def _numbers(signature: Signature, name: str, values: np.ndarray) -> Column:
    """Numbers for a number; whole numbers and texts for a category."""
    feature = signature.features[signature.names.index(name)]
    kind = values.dtype.kind
    if values.ndim == 1 and isinstance(feature, Number) and kind in "iuf":
        with np.errstate(invalid="ignore"):  # some NaN of other widths would be told on the log, between its lines
            return values.astype(np.float64)
    if values.ndim == 1 and not isinstance(feature, Number) and kind in "iuSU":
        texts, places = np.unique(npy.texts(name, values), return_inverse=True)
        return Coded(places, texts.tolist())
    raise _other_type(name, str(values.dtype)[:_SHOWN], is_number=isinstance(feature, Number))


def _tables(signature: Signature, batch: Any) -> Iterator[Table]:
    for start in range(0, batch.num_rows, BATCH_ROWS):
        yield _of_batch(signature, batch.slice(start, BATCH_ROWS))


def _of_batch(signature: Signature, batch: Any) -> Table:
    columns = [
        _of_numbers(batch[feature.name])
        if isinstance(feature, Number)
        else _of_texts(feature.name, batch[feature.name])
        for feature in signature.features
    ]
    return Table(columns, batch.num_rows)


def _is_read(kind: Any, *, is_number: bool) -> bool:
    import pyarrow as pa  # noqa: PLC0415  as above

    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    if is_number:
        return _any(kind, types.is_integer, types.is_floating, types.is_decimal, types.is_null)
    texts = (types.is_string, types.is_large_string, types.is_string_view)
    return _any(kind, *texts, types.is_integer, types.is_null)


def _of_numbers(column: Any) -> np.ndarray:
    import pyarrow as pa  # noqa: PLC0415  as above

    numbers = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return numbers.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def _of_texts(name: str, column: Any) -> Coded:
    import pyarrow as pa  # noqa: PLC0415  as above
    from pyarrow import compute  # noqa: PLC0415

    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    indices = column.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    used, places = np.unique(indices, return_inverse=True)
    texts = column.dictionary.take(pa.array(used, mask=used < 0)).cast(pa.string())
    longest = compute.max(compute.binary_length(texts)).as_py() or 0
    if longest > _LONGEST_TEXT:
        sentence = f"{name} has a text of {longest} bytes; at most {_LONGEST_TEXT} are read"
        raise Violation("type", sentence, field=name)
    return Coded(places, texts.fill_null("").to_pylist())


def _any(kind: Any, *checks: Callable[[Any], bool]) -> bool:
    return any(check(kind) for check in checks)


def _other_type(name: str, got: str, *, is_number: bool) -> Violation:
    return Violation("type", f"{name} is {got}; expected {'numbers' if is_number else 'texts'}", field=name)
