"""CSV: what is well formed is read column by column, anything else row by row, where the cause can be told."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from model_server.bodies.table import Coded, Column, Table, batches, of_rows, sliced
from model_server.errors import BadRequest, Violation
from model_server.signature import Number, Signature

_LARGE = 16 * 1024
"""In bytes; below it, reading by columns costs more than it saves."""

_MOST_COLUMNS = 1000
"""That the model does not read."""

Header = Sequence[str] | None


def header(names: Sequence[str], body: bytes, parameters: Mapping[str, str]) -> tuple[Header, bytes]:
    """The names in the first line, if that is a header, and the lines after it; raises BadRequest or Violation.

    The parameter `header` of the content type says `present` or `absent`; without it a line that holds any feature's
    name is one.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    first, _, rest = body.lstrip(b"\r\n").partition(b"\n")
    told = parameters.get("header")
    names_given = (_rows(first) or [[]])[0]
    if told == "absent" or (told != "present" and set(names).isdisjoint(names_given)):
        return None, body
    times = Counter(names_given)
    for name in names:
        if times[name] != 1:
            problem = "is more than once in" if times[name] else "is missing from"
            raise Violation("column_missing", f"{name} {problem} the header; name each feature once", field=name)
    return names_given, rest


def read(signature: Signature, body: bytes, header: Header) -> Table:
    """The rows of a body without its header; raises BadRequest."""
    return _by_column(signature, body, header) or _of(signature.names, _rows(body), header)


def tables(signature: Signature, body: bytes, header: Header) -> Iterator[Table]:
    """The same by BATCH_ROWS."""
    by_column = _by_column(signature, body, header)
    if by_column:
        yield from sliced(by_column)
        return
    for _, rows in batches(_rows(body)):
        yield _of(signature.names, rows, header)


def _of(names: Sequence[str], rows: Sequence[list[str]], header: Header) -> Table:
    if not header:
        return of_rows(rows, len(names), textual=True)
    at = {name: place for place, name in enumerate(header)}
    return of_rows(rows, len(header), textual=True, places=[at[name] for name in names])


def _rows(body: bytes) -> list[list[str]]:
    try:
        return [row for row in csv.reader(io.StringIO(body.decode(), newline=""), strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadRequest("malformed", f"the body is not CSV in utf-8: {error}") from error


def _by_column(signature: Signature, body: bytes, header: Header) -> Table | None:
    """None where some value is not what its feature says: then the other way finds out which."""
    # The file's own mark is off by now; a further one belongs to the first value, and pyarrow would take it off too.
    if len(body) < _LARGE or body.startswith(codecs.BOM_UTF8):
        return None
    import pyarrow as pa  # noqa: PLC0415  small requests do without
    from pyarrow import csv as arrow_csv  # noqa: PLC0415

    given = header or signature.names
    # A line of nothing but an empty field is a row to one reader and none to the other; and of columns that the model
    # does not read, each would cost more than its bytes.
    if len(given) == 1 or len(set(given)) != len(given) or len(given) > _MOST_COLUMNS + len(signature.names):
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
