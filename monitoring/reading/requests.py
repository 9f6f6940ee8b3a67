"""The rows of a captured request, in the forms that servers read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from monitoring.reading.bodies import Body, Unreadable
from monitoring.reading.gathering import Plain, Rows
from monitoring.reading.tabular import table

Row = Sequence[Any]

_WIDTH = "a request has a row with another number of values than there are features"
_NAMES = "a request has a row with none of the features"
_FORM = "a request has no rows in a form that is known"


class Requested(NamedTuple):
    """The rows of a request, and the id that its sender gave each of them, if any."""

    rows: Rows
    ids: Sequence[Any] = ()


class Requests:
    """Reads requests; every row has the value of each of *names*, None where there is none.

    Rows whose values have names may have another by the name *row_id*.
    """

    def __init__(self, names: Sequence[str], row_id: str | None = None) -> None:
        self._names = list(names)
        self._set = frozenset(names)
        self._row_id = row_id

    def read(self, body: Body) -> Requested:
        """The rows of a body; raises Unreadable."""
        match body.form:
            case "csv":
                return self._csv(body)
            case "json":
                return self._document(body.document())
            case "lines":
                return self._many(body.document())
            case _:
                names, rows = table(body)
                return self._split(names, rows) if names else self._many(rows)

    def _csv(self, body: Body) -> Requested:
        lines = body.lines()
        rows = body.fields() if lines is None else [line.split(",") for line in lines[:1]]
        if rows and body.header != "absent" and (body.header or not self._set.isdisjoint(rows[0])):
            return self._split(rows[0], body.fields()[1:])
        width = len(self._names)
        if lines is not None:
            if any(line.count(",") != width - 1 for line in lines):
                raise Unreadable(_WIDTH)
            return Requested(Plain(lines))
        if any(len(row) != width for row in rows):
            raise Unreadable(_WIDTH)
        return Requested(rows)

    def _document(self, content: Any) -> Requested:
        match content:
            case {"instances": [*rows]} | {"dataframe_records": [*rows]}:
                return self._many(rows)
            case {"dataframe_split": {"columns": [*names], "data": [*rows]}} | {"columns": [*names], "data": [*rows]}:
                return self._split(names, rows)
            case {"inputs": {**columns}}:
                return self._columns(columns)
            case {"inputs": [*rows]} | [*rows]:
                return self._many(rows if rows and isinstance(rows[0], dict | list) else [rows])
            case {**row} if any(isinstance(row.get(name), list) for name in self._names):
                return self._columns(row)
            case _:
                return self._many([content])

    def _many(self, rows: Sequence[Any]) -> Requested:
        ids = [row.get(self._row_id) if isinstance(row, dict) else None for row in rows] if self._row_id else ()
        return Requested([self._row(row) for row in rows], ids)

    def _row(self, row: Any) -> Row:
        if isinstance(row, dict):
            if not self._set.isdisjoint(row):
                return [row.get(name) for name in self._names]
            row = row.get("features")
            if row is None:
                raise Unreadable(_NAMES)
        return self._listed(row)

    def _listed(self, row: Any) -> Row:
        if not isinstance(row, list):
            raise Unreadable(_FORM)
        if len(row) != len(self._names):
            raise Unreadable(_WIDTH)
        return row

    def _split(self, names: Sequence[Any], rows: Sequence[Any]) -> Requested:
        places = [names.index(name) if name in names else None for name in self._names]
        if all(place is None for place in places):
            raise Unreadable(_NAMES)
        if any(not isinstance(row, list) or len(row) != len(names) for row in rows):
            raise Unreadable("a request has a row with another number of values than it names columns")
        own = names.index(self._row_id) if self._row_id in names else None
        ids = () if own is None else [row[own] for row in rows]
        return Requested([[None if place is None else row[place] for place in places] for row in rows], ids)

    def _columns(self, columns: dict[str, Any]) -> Requested:
        given = [columns.get(name) for name in self._names]
        lists = [column if isinstance(column, list) or column is None else [column] for column in given]
        counts = {len(column) for column in lists if column is not None}
        if not counts:
            raise Unreadable(_NAMES)
        if len(counts) > 1:
            raise Unreadable("a request has columns of different lengths")
        (count,) = counts
        full = [[None] * count if column is None else [_one(value) for value in column] for column in lists]
        own = columns.get(self._row_id) if self._row_id else None
        ids = [_one(value) for value in own] if isinstance(own, list) else [own]
        return Requested(list(zip(*full, strict=True)), ids if len(ids) == count else ())


def _one(value: Any) -> Any:
    """What TensorFlow Serving's clients send as a list of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
