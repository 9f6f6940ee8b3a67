"""The rows of a captured request, in the forms that servers read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitoring.reading.bodies import Body, Unreadable
from monitoring.reading.gathering import Plain, Rows
from monitoring.reading.tabular import table

Row = Sequence[Any]

_WIDTH = "a request has a row with another number of values than there are features"
_NAMES = "a request has a row with none of the features"
_FORM = "a request has no rows in a form that is known"


class Requests:
    """Reads requests; every row has the value of each of *names*, None where there is none."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._set = frozenset(names)

    def rows(self, body: Body) -> Rows:
        """The rows of a body; raises Unreadable."""
        match body.form:
            case "csv":
                return self._csv(body)
            case "json":
                return self._document(body.document())
            case "lines":
                return [self._row(row) for row in body.document()]
            case _:
                names, rows = table(body)
                return self._split(names, rows) if names else [self._listed(row) for row in rows]

    def _csv(self, body: Body) -> Rows:
        lines = body.lines()
        rows = body.fields() if lines is None else [line.split(",") for line in lines[:1]]
        if rows and body.header != "absent" and (body.header or not self._set.isdisjoint(rows[0])):
            return self._split(rows[0], body.fields()[1:])
        width = len(self._names)
        if lines is not None:
            if any(line.count(",") != width - 1 for line in lines):
                raise Unreadable(_WIDTH)
            return Plain(lines)
        if any(len(row) != width for row in rows):
            raise Unreadable(_WIDTH)
        return rows

    def _document(self, content: Any) -> Sequence[Row]:
        match content:
            case {"instances": [*rows]} | {"dataframe_records": [*rows]}:
                return [self._row(row) for row in rows]
            case {"dataframe_split": {"columns": [*names], "data": [*rows]}} | {"columns": [*names], "data": [*rows]}:
                return self._split(names, rows)
            case {"inputs": {**columns}}:
                return self._columns(columns)
            case {"inputs": [*rows]} | [*rows]:
                return [self._row(row) for row in (rows if rows and isinstance(rows[0], dict | list) else [rows])]
            case {**row} if any(isinstance(row.get(name), list) for name in self._names):
                return self._columns(row)
            case _:
                return [self._row(content)]

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

    def _split(self, names: Sequence[Any], rows: Sequence[Any]) -> Sequence[Row]:
        places = [names.index(name) if name in names else None for name in self._names]
        if all(place is None for place in places):
            raise Unreadable(_NAMES)
        if any(not isinstance(row, list) or len(row) != len(names) for row in rows):
            raise Unreadable("a request has a row with another number of values than it names columns")
        return [[None if place is None else row[place] for place in places] for row in rows]

    def _columns(self, columns: dict[str, Any]) -> Sequence[Row]:
        given = [columns.get(name) for name in self._names]
        lists = [column if isinstance(column, list) or column is None else [column] for column in given]
        counts = {len(column) for column in lists if column is not None}
        if not counts:
            raise Unreadable(_NAMES)
        if len(counts) > 1:
            raise Unreadable("a request has columns of different lengths")
        (count,) = counts
        full = [[None] * count if column is None else [_one(value) for value in column] for column in lists]
        return list(zip(*full, strict=True))


def _one(value: Any) -> Any:
    """What TensorFlow Serving's clients send as a list of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
