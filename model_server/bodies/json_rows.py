"""JSON and JSON Lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from model_server.bodies.table import Table, of_rows
from model_server.errors import BadRequest, TooLarge, Violation

LARGEST = 25 * 1024 * 1024
"""In bytes; parsed JSON takes ten times its size, and unlike lines it can't be read piece by piece."""

_EXAMPLE = 'send {"instances": [{...}, ...]}'

Row = Sequence[Any] | Violation


def read(names: Sequence[str], body: bytes) -> Table:
    """The rows of a document in one of the usual forms; raises BadRequest, TooLarge, or Violation.

    Those are `instances` and `dataframe_records` (a list of rows), `dataframe_split` (`columns` and `data`), `inputs`
    (a list for each column), a list of rows without a name, and one row by itself. A row is an object, a list, or an
    object with its list under `features`; columns that the model does not read are ignored.
    """
    if len(body) > LARGEST:
        raise TooLarge(
            "too_large", f"a JSON body may have {LARGEST} bytes, this has {len(body)}; send JSON Lines or CSV instead"
        )
    return _table(names, _parse(body))


def read_lines(names: Sequence[str], body: bytes) -> Table:
    """The rows of JSON Lines; raises BadRequest."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    return of_rows([_row(names, _parse(line, number), number) for number, line in enumerate(lines)], len(names))


def _table(names: Sequence[str], content: Any) -> Table:
    match content:
        case {"instances": [*rows]} | {"dataframe_records": [*rows]}:
            return _of(names, rows)
        case {"dataframe_split": {"columns": [*columns], "data": [*rows]}}:
            return _split(names, columns, rows)
        case {"inputs": {**columns}}:
            return _columns(names, columns)
        case [*rows]:
            return _of(names, rows if isinstance(rows[0] if rows else None, dict | list) else [rows] if rows else [])
        case {**row} if not set(names).isdisjoint(row) or isinstance(row.get("features"), list):
            return _of(names, [row])
        case _:
            raise BadRequest("malformed", f"the body has no list of rows; {_EXAMPLE}")


def _of(names: Sequence[str], rows: list[Any]) -> Table:
    return of_rows([_row(names, row, number) for number, row in enumerate(rows)], len(names))


def _row(names: Sequence[str], row: Any, number: int) -> Row:
    """The features of one row, an object by name or a list by place."""
    if isinstance(row, dict):
        try:
            return [row[name] for name in names]
        except KeyError as error:
            if isinstance(row.get("features"), list):
                return row["features"]
            name = str(error.args[0])
            sentence = f"it has no {name}; send every feature, null where it is empty"
            return Violation("column_missing", sentence, field=name, row=number)
    if not isinstance(row, list):
        raise BadRequest("malformed", f"row {number} is neither an object nor a list; {_EXAMPLE}", row=number)
    return row


def _split(names: Sequence[str], columns: list[Any], rows: list[Any]) -> Table:
    for name in names:
        if columns.count(name) != 1:
            raise _without(name, "columns")
    order = [columns.index(name) for name in names]
    table = of_rows([_row(columns, row, number) for number, row in enumerate(rows)], len(columns))
    return Table([table.columns[place] for place in order], table.count, misshapen=table.misshapen)


def _columns(names: Sequence[str], columns: dict[str, Any]) -> Table:
    chosen = []
    for name in names:
        if name not in columns:
            raise _without(name, "inputs")
        values = columns[name]
        chosen.append(values if isinstance(values, list) else [values])
    # A column of one-element lists is what TensorFlow Serving's clients send.
    flat = [
        [value[0] if isinstance(value, list) and len(value) == 1 else value for value in values] for values in chosen
    ]
    lengths = {len(values) for values in flat}
    if len(lengths) > 1:
        raise BadRequest("malformed", f"the columns of inputs have {_several(lengths)} values; send equally many")
    return Table(flat, lengths.pop())


def _several(lengths: set[int]) -> str:
    return " and ".join(map(str, sorted(lengths)))


def _without(name: str, where: str) -> Violation:
    return Violation("column_missing", f"{name} is not once in {where}; name each feature once", field=name)


def _parse(text: bytes, row: int | None = None) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        what = "the body" if row is None else f"row {row}"
        raise BadRequest("malformed", f"{what} is not JSON: {error}", row=row) from error
