"""Answers with what is wrong in them: rows left out, rows flagged."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from model_server import media
from model_server.errors import Violation
from model_server.predictions import Predictions
from model_server.schema import Checked

if TYPE_CHECKING:
    import pyarrow as pa


def fragments(checked: Checked, predictions: Predictions, kind: str, start: int) -> Iterable[bytes]:
    """Each row's part of a textual body of type *kind*, errors and flags in their places.

    `start` is the number of the table's first row in the request. CSV has no room for reasons: a row that is left out
    has empty fields, a flagged one its answer.
    """
    written = predictions.fragments(kind)
    if not checked.findings:
        return written
    scored = range(checked.count) if checked.places is None else checked.places.tolist()
    by_row = dict(zip(scored, written, strict=True))
    if kind == media.CSV:
        empty = b"," * (len(predictions.signature.outputs) - 1)
        return [by_row.get(row, empty) for row in range(checked.count)]
    return [_object(by_row.get(row), row, checked, start) for row in range(checked.count)]


def _object(fragment: bytes | None, row: int, checked: Checked, start: int) -> bytes:
    if fragment is None:
        return orjson.dumps({"error": checked.left_out[row].moved(start).body()})
    if row not in checked.flagged:
        return fragment
    return fragment[:-1] + b',"flags":' + orjson.dumps([checked.flagged[row].moved(start).body()]) + b"}"


def columnar(tables: Sequence[tuple[Checked, Predictions]], kind: str) -> bytes:
    """All rows as a body of type *kind*: nulls (in npy NaN) where a row is left out, and its reason beside them.

    An npy body has the numbers alone: rows x probabilities, or rows x values.
    """
    offsets = np.cumsum([0, *(checked.count for checked, _ in tables)]).tolist()
    numbers = np.vstack([_spread(checked, predictions.numbers()) for checked, predictions in tables])
    if kind == media.NPY:
        file = io.BytesIO()
        np.save(file, numbers)
        return file.getvalue()
    values = [value for checked, predictions in tables for value in _values(checked, predictions)]
    reasons = [
        reason for (checked, _), start in zip(tables, offsets, strict=False) for reason in _reasons(checked, start)
    ]
    signature = tables[0][1].signature
    return _arrow(signature.outputs, numbers, values if signature.classes else None, reasons, kind)


def _spread(checked: Checked, numbers: np.ndarray) -> np.ndarray:
    if checked.places is None:
        return numbers.astype(np.float64)
    spread = np.full((checked.count, numbers.shape[1]), np.nan)
    spread[checked.places] = numbers
    return spread


def _values(checked: Checked, predictions: Predictions) -> list[Any]:
    if checked.places is None:
        return predictions.values()
    values: list[Any] = [None] * checked.count
    for place, value in zip(checked.places.tolist(), predictions.values(), strict=True):
        values[place] = value
    return values


def _reasons(checked: Checked, start: int) -> list[str | None]:
    found = {**checked.flagged, **checked.left_out}
    return [_reason(found.get(row), start) for row in range(checked.count)]


def _reason(violation: Violation | None, start: int) -> str | None:
    return None if violation is None else orjson.dumps(violation.moved(start).body()).decode()


def _arrow(
    names: Sequence[str], numbers: np.ndarray, values: list[Any] | None, reasons: list[str | None], kind: str
) -> bytes:
    import pyarrow as pa  # noqa: PLC0415  other formats do without

    columns = [pa.array(column, from_pandas=True) for column in numbers.T]
    if values is not None:
        columns.append(pa.array(values))
    names = list(names)
    if any(reasons):
        columns.append(pa.array(reasons, pa.string()))
        names.append("violation")
    return of_table(pa.table(columns, names=names), kind)


def of_table(table: pa.Table, kind: str) -> bytes:
    """A table as Parquet or as an Arrow stream, whichever content type *kind* is."""
    import pyarrow as pa  # noqa: PLC0415  other formats do without

    sink = pa.BufferOutputStream()
    if kind == media.PARQUET:
        import pyarrow.parquet as pq  # noqa: PLC0415

        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
    return sink.getvalue().to_pybytes()
