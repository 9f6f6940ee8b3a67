"""CSV: what is well formed is read column by column, anything else row by row, where the cause can be told."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from model_server.bodies.table import Coded, Column, Table, of_rows
from model_server.errors import BadRequest, Violation
from model_server.signature import Number, Signature

_LARGE = 16 * 1024
"""In bytes; below it, reading by columns costs more than it saves."""

Header = Sequence[str] | None


def header(names: Sequence[str], body: bytes, parameters: Mapping[str, str]) -> tuple[Header, bytes]:
    """The names in the first line, if that is a header, and the lines after it; raises BadRequest or Violation.

    The parameter `header` of the content type says `present` or `absent`; without it a line that holds any feature's
    name is one.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    first, _, rest = body.lstrip(b"\r\n").partition(b"\n")
    told = parameters.get("header")
    (names_given,) = _rows(first) or [[]]
    if told == "absent" or (told != "present" and set(names).isdisjoint(names_given)):
        return None, body
    for name in names:
        if names_given.count(name) != 1:
            problem = "is missing from" if name not in names_given else "is more than once in"
            raise Violation("column_missing", f"{name} {problem} the header; name each feature once", field=name)
    return names_given, rest


def read(signature: Signature, body: bytes, header: Header) -> Table:
    """The rows of a body without its header; raises BadRequest."""
    by_column = _by_column(signature, body, header) if len(body) >= _LARGE else None
    return by_column or _by_row(signature.names, body, header)


def _by_row(names: Sequence[str], body: bytes, header: Header) -> Table:
    table = of_rows(_rows(body), len(header or names), textual=True)
    if not header:
        return table
    return Table(
        [table.columns[header.index(name)] for name in names], table.count, textual=True, misshapen=table.misshapen
    )


def _rows(body: bytes) -> list[list[str]]:
    try:
        return [row for row in csv.reader(io.StringIO(body.decode(), newline=""), strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadRequest("malformed", f"the body is not CSV in utf-8: {error}") from error


def _by_column(signature: Signature, body: bytes, header: Header) -> Table | None:
    """None where some value is not what its feature says: then the other way finds out which."""
    import pyarrow as pa  # noqa: PLC0415  small requests do without
    from pyarrow import csv as arrow_csv  # noqa: PLC0415

    given = header or signature.names
    # A line of nothing but an empty field is a row to one reader and none to the other.
    if len(given) == 1 or len(set(given)) != len(given):
        return None
    types = {
        feature.name: pa.float64() if isinstance(feature, Number) else pa.dictionary(pa.int32(), pa.string())
        for feature in signature.features
    }
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(body),
            arrow_csv.ReadOptions(column_names=list(given), use_threads=False, block_size=len(body) + 1),
            arrow_csv.ParseOptions(newlines_in_values=True),
            arrow_csv.ConvertOptions(
                check_utf8=True, column_types=types, null_values=[""], include_columns=list(signature.names)
            ),
        )
    except pa.ArrowInvalid:
        return None
    columns = [column for name in signature.names if (column := _column(table[name])) is not None]
    return Table(columns, len(table)) if len(columns) == len(signature.names) else None


def _column(chunked: Any) -> Column | None:
    import numpy as np  # noqa: PLC0415  as above

    column = chunked.combine_chunks()
    if hasattr(column, "indices"):
        return Coded(column.indices.to_numpy(zero_copy_only=False), column.dictionary.to_pylist())
    numbers = column.to_numpy(zero_copy_only=False)
    # Null is NaN here, but so is "nan": the other reader refuses that text, as it does "inf".
    return numbers if np.isfinite(numbers).sum() == len(numbers) - column.null_count else None
