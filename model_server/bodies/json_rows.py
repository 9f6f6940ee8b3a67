"""JSON and JSON Lines."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from model_server.bodies.pieces import Whole
from model_server.bodies.table import Table, batches, of_rows, sliced
from model_server.bounds import JSON_ALONE_BYTES, JSON_BYTES
from model_server.errors import BadRequest, Violation

_EXAMPLE = 'send {"instances": [{...}, ...]}'

Row = Sequence[Any] | Violation


def read(names: Sequence[str], body: bytes) -> Iterator[Table]:
    """The rows of a document in one of the usual forms; raises BadRequest or Violation.

    Those are `instances` and `dataframe_records` (a list of rows), `dataframe_split` (`columns` and `data`), `inputs`
    (a list for each column), a list of rows without a name, and one row by itself. A row is an object, a list, or an
    object with its list under `features`; columns that the model does not read are ignored.
    """
    return _tables(names, _parse(body))


def document() -> Whole:
    """Collects a document; raises TooLarge as soon as it is."""
    return Whole(JSON_BYTES, f"a JSON body has at most {JSON_BYTES} bytes; send JSON Lines or CSV instead")


def read_lines(names: Sequence[str], body: bytes) -> Iterator[Table]:
    """The rows of JSON Lines; raises BadRequest."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    for start, batch in batches(lines):
        rows = [_row(names, _parse(line, start + place), start, place) for place, line in enumerate(batch)]
        yield of_rows(rows, len(names))


def _tables(names: Sequence[str], content: Any) -> Iterator[Table]:
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


def _of(names: Sequence[str], rows: list[Any], places: Sequence[int] | None = None) -> Iterator[Table]:
    for start, batch in batches(rows):
        yield of_rows([_row(names, row, start, place) for place, row in enumerate(batch)], len(names), places=places)


def _row(names: Sequence[str], row: Any, start: int, place: int) -> Row:
    """The features of one row, an object by name or a list by place; it is at *place* of a table from *start* on."""
    if isinstance(row, dict):
        try:
            return [row[name] for name in names]
        except KeyError as error:
            if isinstance(row.get("features"), list):
                return row["features"]
            name = str(error.args[0])
            sentence = f"it has no {name}; send every feature, null where it is empty"
            return Violation("column_missing", sentence, field=name, row=place)
    if not isinstance(row, list):
        number = start + place
        raise BadRequest("malformed", f"row {number} is neither an object nor a list; {_EXAMPLE}", row=number)
    return row


def _split(names: Sequence[str], columns: list[Any], rows: list[Any]) -> Iterator[Table]:
    strange = next((type(name).__name__ for name in columns if not isinstance(name, str)), None)
    if strange:
        raise BadRequest("malformed", f"columns has a value of type {strange}; expected names")
    times = Counter(columns)
    for name in names:
        if times[name] != 1:
            raise _without(name, "columns")
    at = {name: place for place, name in enumerate(columns)}
    return _of(columns, rows, [at[name] for name in names])


def _columns(names: Sequence[str], columns: dict[str, Any]) -> Iterator[Table]:
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
    return sliced(Table(flat, lengths.pop()))


def _several(lengths: set[int]) -> str:
    return " and ".join(map(str, sorted(lengths)))


def _without(name: str, where: str) -> Violation:
    return Violation("column_missing", f"{name} is not once in {where}; name each feature once", field=name)


def _loaded(text: bytes) -> Any:
    if len(text) < JSON_ALONE_BYTES or not gc.isenabled():
        return orjson.loads(text)
    # Collections while millions of lists are made look through all of them again and again: four fifths of the time.
    gc.disable()
    try:
        return orjson.loads(text)
    finally:
        gc.enable()


def _parse(text: bytes, row: int | None = None) -> Any:
    try:
        return _loaded(text)
    except orjson.JSONDecodeError as error:
        what = "the body" if row is None else f"row {row}"
        raise BadRequest("malformed", f"{what} is not JSON: {error}", row=row) from error
