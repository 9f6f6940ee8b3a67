"""Bodies to tables, predictions to bodies."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from model_server import media
from model_server.errors import BadRequest, Violation
from model_server.predictions import Predictions

_ROOTS = ("instances", "dataframe_records")


@dataclass(frozen=True)
class Table:
    """The rows of a request, column by column in the order of the features.

    In CSV every value is text that is still to be read, and an empty one is a null: then `textual` is true.
    """

    columns: Sequence[Sequence[Any]]
    textual: bool


def decode(names: Sequence[str], body: bytes, header: str) -> Table:
    """Reads a body of the content type in *header* as columns *names*; unknown columns are ignored.

    Raises UnsupportedType, BadRequest, or Violation where a row lacks a column.
    """
    kind, parameters = media.content_type(header)
    rows = _of_length(_READERS[kind](names, body, parameters), len(names))
    if not rows:
        raise BadRequest("no_rows", "the body has no rows; send at least one")
    return Table(columns=list(zip(*rows, strict=True)), textual=kind == media.CSV)


def encode(predictions: Predictions, kind: str) -> bytes:
    """Writes *predictions* as a body of type *kind*."""
    match kind:
        case media.CSV:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(predictions.lines())
            return text.getvalue().encode()
        case media.JSON_LINES:
            return b"".join(orjson.dumps(record) + b"\n" for record in predictions.records())
        case _:
            return orjson.dumps({"predictions": predictions.records()})


def _read_json(names: Sequence[str], body: bytes, _: Mapping[str, str]) -> list[Sequence[Any]]:
    content = _parse(body)
    root = next((root for root in _ROOTS if isinstance(content, dict) and root in content), None)
    if root is None or not isinstance(content[root], list):
        raise BadRequest("malformed", 'the body has no list of rows; send {"instances": [{...}, ...]}')
    return [_values(names, row, number) for number, row in enumerate(content[root])]


def _read_json_lines(names: Sequence[str], body: bytes, _: Mapping[str, str]) -> list[Sequence[Any]]:
    lines = [line for line in body.split(b"\n") if line.strip()]
    return [_values(names, _parse(line, number), number) for number, line in enumerate(lines)]


def _read_csv(names: Sequence[str], body: bytes, parameters: Mapping[str, str]) -> list[Sequence[Any]]:
    try:
        text = body.decode("utf-8-sig")
        rows: list[Sequence[Any]] = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadRequest("malformed", f"the body is not CSV in utf-8: {error}") from error
    if rows and _is_header(rows[0], names, parameters.get("header")):
        return _by_header(rows[0], rows[1:], names)
    return rows


def _is_header(row: Sequence[Any], names: Sequence[str], told: str | None) -> bool:
    return told == "present" or (told != "absent" and not set(names).isdisjoint(row))


def _by_header(header: Sequence[Any], rows: list[Sequence[Any]], names: Sequence[str]) -> list[Sequence[Any]]:
    for name in names:
        if header.count(name) != 1:
            problem = "is missing from" if name not in header else "is more than once in"
            raise Violation("column_missing", f"{name} {problem} the header; name each feature once", field=name)
    order = [header.index(name) for name in names]
    return [[row[place] for place in order] for row in _of_length(rows, len(header))]


def _of_length(rows: list[Sequence[Any]], length: int) -> list[Sequence[Any]]:
    for number, row in enumerate(rows):
        if len(row) != length:
            message = f"row {number} has {len(row)} values; expected {length}"
            raise Violation("row_length", message, row=number)
    return rows


def _values(names: Sequence[str], row: Any, number: int) -> Sequence[Any]:
    """The features of one JSON row, an object by name or a list by place."""
    if isinstance(row, dict):
        try:
            return [row[name] for name in names]
        except KeyError as error:
            name = str(error.args[0])
            message = f"row {number} has no {name}; send every feature, null where it is empty"
            raise Violation("column_missing", message, field=name, row=number) from None
    if not isinstance(row, list):
        raise BadRequest("malformed", f"row {number} is neither an object nor a list", row=number)
    return row


def _parse(text: bytes, row: int | None = None) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        what = "the body" if row is None else f"row {row}"
        raise BadRequest("malformed", f"{what} is not JSON: {error}", row=row) from error


_READERS: Mapping[str, Callable[[Sequence[str], bytes, Mapping[str, str]], list[Sequence[Any]]]] = {
    media.JSON: _read_json,
    media.JSON_LINES: _read_json_lines,
    media.CSV: _read_csv,
}
