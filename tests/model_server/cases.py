"""The server's contract with its callers as data: what each request to the parcels model gets.

The model reads `size`, from 0 to 10 or null, and `colour`: red, green or blue.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"
NPY, PARQUET, ARROW = "application/x-npy", "application/vnd.apache.parquet", "application/vnd.apache.arrow.stream"
TYPES = (JSON, LINES, CSV, NPY, PARQUET, ARROW)
AMONG = "expected one of: red, green, blue"
RANGE = "expected a number of at least 0 and of at most 10"
SEND = 'send {"instances": [{...}, ...]}'


class Case(NamedTuple):
    """A request, the status that it gets, and the rows that are answered or the whole message."""

    body: bytes
    content_type: str
    status: int
    told: int | str
    accept: str = JSON
    headers: dict[str, str] = {}  # noqa: RUF012  never written to


def instances(*rows: Any) -> bytes:
    return json.dumps({"instances": rows}).encode()


def table(**columns: Any) -> pa.Table:
    return pa.table({"size": [3.0, None], "colour": ["red", "blue"]} | columns)


def parquet(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows, sink)
    return sink.getvalue()


def arrow(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return sink.getvalue()


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def structured(size: float = 3, colour: str = "red") -> bytes:
    return npy(np.array([(size, colour)], dtype=[("size", "f4"), ("colour", "U5")]))


GOOD = instances({"size": 3, "colour": "red"})
ONE = {
    JSON: GOOD,
    LINES: b'{"size": 3, "colour": "red"}',
    CSV: b"3,red\n",
    NPY: structured(),
    PARQUET: parquet(table().slice(0, 1)),
    ARROW: arrow(table().slice(0, 1)),
}


def answered() -> Iterator[Case]:
    """Requests that get their predictions."""
    for content_type, body in ONE.items():
        yield from (Case(body, content_type, 200, 1, accept) for accept in TYPES)
        yield Case(body, content_type, 200, 1, "*/*")
        yield Case(gzip.compress(body), content_type, 200, 1, headers={"content_encoding": "gzip"})
    yield from (Case(body, JSON, 200, rows) for body, rows in _DOCUMENTS)
    yield from (Case(body, CSV, 200, rows) for body, rows in _CSV)
    yield from (Case(body, LINES, 200, rows) for body, rows in _LINES)
    yield from (Case(body, kind, 200, rows) for kind, body, rows in _COLUMNAR)
    yield from (Case(ONE[kind], header, 200, 1) for kind, header in _HEADERS)
    yield Case(GOOD, JSON, 200, 1, headers={"content_encoding": "identity"})
    yield Case(gzip.compress(b"3,red\n") + gzip.compress(b"4,red\n"), CSV, 200, 2, headers={"content_encoding": "gzip"})
    yield Case(b"3,red\n" * 50_000, CSV, 200, 50_000)
    yield Case(b'{"size": 3, "colour": "red"}\n' * 20_000, LINES, 200, 20_000)
    yield Case(instances(*[[3, "red"]] * 20_000), JSON, 200, 20_000)
    yield Case(b'size,colour\n3,"red"\n' + b"4,green\n" * 50_000, CSV, 200, 50_001)


_DOCUMENTS: list[tuple[bytes, int]] = [
    (instances([3, "red"], [4.5, "blue"]), 2),
    (instances({"colour": "red", "size": 3, "id": "unknown columns are ignored"}), 1),
    (instances({"size": 3, "colour": "red"}, [4, "blue"]), 2),
    (instances({"size": None, "colour": "red"}), 1),
    (instances({"size": 0, "colour": "red"}, {"size": 10, "colour": "red"}), 2),
    (instances({"features": [3, "red"]}), 1),
    (instances({"features": ["more", "columns"], "size": 3, "colour": "red"}), 1),
    (b'{"instances": [[3, "red"]], "more": "is ignored"}', 1),
    (b'{"dataframe_records": [{"size": 3, "colour": "red"}]}', 1),
    (b'{"dataframe_split": {"columns": ["colour", "id", "size"], "data": [["red", 7, 3], ["blue", 8, null]]}}', 2),
    (b'{"inputs": {"size": [3, null], "colour": ["red", "blue"]}}', 2),
    (b'{"inputs": {"size": [[3], [4]], "colour": [["red"], ["blue"]]}}', 2),
    (b'{"inputs": {"size": 3, "colour": "red"}}', 1),
    (b'[{"size": 3, "colour": "red"}, {"size": 4, "colour": "red"}]', 2),
    (b'[[3, "red"], [4, "blue"]]', 2),
    (b'[3, "red"]', 1),
    (b'{"size": 3, "colour": "red"}', 1),
    (b'{"features": [3, "red"]}', 1),
    (b' {"instances" : [ [ 3 , "red" ] ] } \n', 1),
    (b'{"instances": [[1e-300, "red"]]}', 1),
    (b'{"instances": [[3, "r\\u0065d"]]}', 1),
]
_CSV: list[tuple[bytes, int]] = [
    (b"3,red", 1),
    (b"3,red\r\n4,blue\r\n", 2),
    (b"size,colour\n3,red\n", 1),
    (b"colour,size\nred,3\nblue,4\n", 2),
    (b"id,colour,size\n7,red,3\n", 1),
    (b"id,colour,size,id\n7,red,3,8\n", 1),
    (b"\xef\xbb\xbfsize,colour\n3,red\n", 1),
    (b"\xef\xbb\xbf3,red\n", 1),
    (b'"size","colour"\n3,red\n', 1),
    (b",red\n", 1),
    (b'"",red\n', 1),
    (b'"3","red"\n', 1),
    (b"3,red\n\n\n4,red\n", 2),
    (b"\n3,red\n", 1),
    (b"1e0,red\n.5,red\n+2.,red\n", 3),
    (b" 3 ,red\n", 1),
    (b"-0,red\n", 1),
    (b"0003,red\n", 1),
]
_LINES: list[tuple[bytes, int]] = [
    (b'{"size": 3, "colour": "red"}\n{"size": 4, "colour": "blue"}', 2),
    (b'{"size": 3, "colour": "red"}\r\n\n[4, "blue"]\n', 2),
    (b'{"features": [3, "red"]}\n', 1),
    (b'{"features": ["more", "columns"], "size": 3, "colour": "red"}\n', 1),
    (b'[null, "red"]\n', 1),
]
_COLUMNAR: list[tuple[str, bytes, int]] = [
    (NPY, structured(float("nan")), 1),
    (PARQUET, parquet(table()), 2),
    (PARQUET, parquet(table(more=[1, 2])), 2),
    (PARQUET, parquet(table(size=pa.array([3, None], pa.int8()))), 2),
    (PARQUET, parquet(table(colour=pa.array(["red", "red"]).dictionary_encode())), 2),
    (ARROW, arrow(table()), 2),
    (ARROW, arrow(table(size=pa.nulls(2))), 2),
    (ARROW, arrow(table(colour=pa.array(["red", "blue"], pa.large_string()))), 2),
    (ARROW, arrow(table(size=pa.array([3, 4], pa.decimal128(5, 2)))), 2),
]
_HEADERS = [
    (JSON, "Application/JSON; charset=UTF-8"),
    (JSON, "application/json;charset=us-ascii"),
    (LINES, "application/x-ndjson"),
    (LINES, "application/jsonl"),
    (LINES, "application/x-jsonlines"),
    (CSV, "text/csv; charset=utf-8"),
    (CSV, "text/csv; header=absent"),
    (CSV, "application/csv"),
    (PARQUET, "application/x-parquet"),
    (ARROW, "application/x-apache-arrow-stream"),
]


def refused() -> Iterator[Case]:
    """Requests that get a reason."""
    for kind in TYPES:
        told = _EMPTY.get(kind, "the body has no rows; send at least one")
        yield Case(b"", kind, 400, told)
    yield from (Case(body, JSON, 400, told) for body, told in _MALFORMED)
    yield from (Case(body, kind, 400, told) for kind, body, told in _UNREADABLE)
    yield from (Case(GOOD, kind, 415, told) for kind, told in _UNKNOWN_TYPES)
    yield from (Case(GOOD, JSON, 406, told, accept) for accept, told in _UNACCEPTABLE)
    yield Case(GOOD, JSON, 400, "q is 'high' in Accept; write a number from 0 to 1", "text/csv;q=high")
    yield from (Case(body, JSON, 422, told) for body, told in _BROKEN_DOCUMENTS)
    yield from (Case(body, CSV, 422, told) for body, told in _BROKEN_CSV)
    yield from (Case(body, kind, 422, told) for kind, body, told in _BROKEN_COLUMNS)
    yield Case(b"size,colour\n3,red\n", "text/csv; header=absent", 422, "row 0: size is 'size'; expected a number")
    yield Case(b"3,red\n4,red\n", "text/csv; header=present", 422, _not_in_header("size"))
    for encoding, body, status, told in _ENCODED:
        yield Case(body, CSV, status, told, headers={"content_encoding": encoding})
    yield Case(b"3,red\n" * 60_000 + b"3,pink\n", CSV, 422, f"row 60000: colour is 'pink'; {AMONG}")
    yield Case(b"3,red\n" * 60_000 + b"3\n", CSV, 422, "row 60000: it has 1 values; expected 2")
    yield Case(LINE * 30_000 + b"[11, 1]", LINES, 422, f"row 30000: size is 11; {RANGE}")


def _not_in_header(name: str) -> str:
    return f"{name} is missing from the header; name each feature once"


LINE = b'{"size": 3, "colour": "red"}\n'
_EMPTY = {
    JSON: "the body is not JSON: Input is a zero-length, empty document: line 1 column 1 (char 0)",
    NPY: "the body is not an npy file: EOF: reading magic string, expected 8 bytes got 0",
    PARQUET: "the body is not a Parquet file: Parquet file size is 0 bytes",
    ARROW: "the body is not an Arrow stream: Tried reading schema message, was null or length 0",
}
_NO_ROWS = f"the body has no list of rows; {SEND}"
_MALFORMED: list[tuple[bytes, str]] = [
    (b"{", "the body is not JSON: unexpected end of data: line 1 column 2 (char 1)"),
    (b"3", _NO_ROWS),
    (b"null", _NO_ROWS),
    (b'"3,red"', _NO_ROWS),
    (b"{}", _NO_ROWS),
    (b'{"instances": {}}', _NO_ROWS),
    (b'{"instances": null}', _NO_ROWS),
    (b'{"inputs": [[3, "red"]]}', _NO_ROWS),
    (b'{"dataframe_split": {"data": []}}', _NO_ROWS),
    (b'{"instances": []}', "the body has no rows; send at least one"),
    (b"[]", "the body has no rows; send at least one"),
    (b'{"inputs": {"size": [], "colour": []}}', "the body has no rows; send at least one"),
    (b'{"instances": [3]}', f"row 0 is neither an object nor a list; {SEND}"),
    (b'{"instances": [[3, "red"], "4,red"]}', f"row 1 is neither an object nor a list; {SEND}"),
    (
        b'{"inputs": {"size": [3], "colour": ["red", "red"]}}',
        "the columns of inputs have 1 and 2 values; send equally many",
    ),
    (
        b'{"instances": [[NaN, "red"]]}',
        "the body is not JSON: unexpected character, expected a JSON value: line 1 column 17 (char 16)",
    ),
    (
        b'{"instances": [[3, "r\xe9d"]]}',
        "the body is not JSON: str is not valid UTF-8: surrogates not allowed: line 1 column 1 (char 0)",
    ),
    (
        b'{"instances": [[3, "red"],]}',
        "the body is not JSON: trailing comma is not allowed: line 1 column 26 (char 25)",
    ),
]
_UNREADABLE: list[tuple[str, bytes, str]] = [
    (LINES, LINE + b"{", "row 1 is not JSON: unexpected end of data: line 1 column 2 (char 1)"),
    (LINES, b"3\n", f"row 0 is neither an object nor a list; {SEND}"),
    (LINES, b"\n\n", "the body has no rows; send at least one"),
    (CSV, b"size,colour\n", "the body has no rows; send at least one"),
    (CSV, b"\n\r\n", "the body has no rows; send at least one"),
    (CSV, b'3,"red\n', "the body is not CSV in utf-8: unexpected end of data"),
    (CSV, b'3,"red"d\n', "the body is not CSV in utf-8: ',' expected after '\"'"),
    (
        CSV,
        b"3,r\xe9d\n",
        "the body is not CSV in utf-8: 'utf-8' codec can't decode byte 0xe9 in position 3: invalid continuation byte",
    ),
    (NPY, b"3,red\n", "the body is not an npy file: EOF: reading magic string, expected 8 bytes got 6"),
    (
        NPY,
        npy(np.array([{}], object)),
        "the body is not an npy file: Object arrays cannot be loaded when allow_pickle=False",
    ),
    (NPY, npy(np.empty((0, 2))), "the body has no rows; send at least one"),
    (NPY, npy(3.0), "the body has no rows; send at least one"),
    (PARQUET, parquet(table().slice(0, 0)), "the body has no rows; send at least one"),
    (ARROW, arrow(table().slice(0, 0)), "the body has no rows; send at least one"),
]
_READ = f"send one of: {', '.join(TYPES)}"
_UNKNOWN_TYPES = [
    ("", f"Content-Type is missing; {_READ}"),
    ("application/octet-stream", f"Content-Type is 'application/octet-stream'; {_READ}"),
    ("application/json, text/csv", f"Content-Type is 'application/json, text/csv'; {_READ}"),
    ("json", f"Content-Type is 'json'; {_READ}"),
    ("application/x-recordio-protobuf", f"Content-Type is 'application/x-recordio-protobuf'; {_READ}"),
    ("text/csv; charset=latin-1", "charset is 'latin-1'; send the body in utf-8"),
    ("application/json; charset=utf-16", "charset is 'utf-16'; send the body in utf-8"),
]
_ANSWERS = f"this model answers in: {', '.join(TYPES)}"
_UNACCEPTABLE = [
    (accept, f"Accept is {accept!r}; {_ANSWERS}")
    for accept in ("image/png", "text/html", "text/csv;q=0", "application/json;q=0")
]
_BROKEN_DOCUMENTS: list[tuple[bytes, str]] = [
    (instances({"colour": "red"}), "row 0: it has no size; send every feature, null where it is empty"),
    (instances([3, "red"], {"size": 3}), "row 1: it has no colour; send every feature, null where it is empty"),
    (instances([3]), "row 0: it has 1 values; expected 2"),
    (instances([]), "row 0: it has 0 values; expected 2"),
    (instances([3, "red"], [3, "red", 1]), "row 1: it has 3 values; expected 2"),
    (instances({"features": [3]}), "row 0: it has 1 values; expected 2"),
    (b"[3]", "row 0: it has 1 values; expected 2"),
    (b'{"inputs": {"size": [3]}}', "colour is not once in inputs; name each feature once"),
    (
        b'{"dataframe_split": {"columns": ["size"], "data": [[3]]}}',
        "colour is not once in columns; name each feature once",
    ),
    (b'{"dataframe_split": {"columns": ["size", "colour"], "data": [[3]]}}', "row 0: it has 1 values; expected 2"),
    (instances({"size": "3", "colour": "red"}), "row 0: size is '3'; expected a number"),
    (instances({"size": "", "colour": "red"}), "row 0: size is ''; expected a number"),
    (instances({"size": True, "colour": "red"}), "row 0: size is True; expected a number"),
    (instances({"size": [3], "colour": "red"}), "row 0: size is [3]; expected a number"),
    (instances({"size": {}, "colour": "red"}), "row 0: size is {}; expected a number"),
    (instances({"size": 3, "colour": 1.5}), "row 0: colour is 1.5; expected a text"),
    (instances({"size": 3, "colour": True}), "row 0: colour is True; expected a text"),
    (instances({"size": 3, "colour": {"a": 1}}), "row 0: colour is {'a': 1}; expected a text"),
    (instances({"size": 3, "colour": ["red"]}), "row 0: colour is ['red']; expected a text"),
    (instances({"size": 3, "colour": None}), "row 0: colour is empty; the model needs it in every row"),
    (instances({"size": 3, "colour": ""}), "row 0: colour is empty; the model needs it in every row"),
    (instances({"size": 3, "colour": "pink"}), f"row 0: colour is 'pink'; {AMONG}"),
    (instances({"size": 3, "colour": "Red"}), f"row 0: colour is 'Red'; {AMONG}"),
    (instances({"size": 3, "colour": "red "}), f"row 0: colour is 'red '; {AMONG}"),
    (instances({"size": 3, "colour": 7}), f"row 0: colour is 7; {AMONG}"),
    (instances({"size": 3, "colour": "x" * 500}), f"row 0: colour is '{'x' * 79}...; {AMONG}"),
    (instances([3, "red"], [10.001, "red"]), f"row 1: size is 10.001; {RANGE}"),
    (instances([-1e-300, "red"]), f"row 0: size is -1e-300; {RANGE}"),
    (instances([1e300, "red"]), f"row 0: size is 1e+300; {RANGE}"),
    # The first row that breaks it, whichever column that is; in a row the first column.
    (instances([3, "red"], [3, "pink"], [99, "red"]), f"row 1: colour is 'pink'; {AMONG}"),
    (instances([99, "pink"]), f"row 0: size is 99; {RANGE}"),
    (instances([3, "pink"], [3]), f"row 0: colour is 'pink'; {AMONG}"),
    (instances([3, "red"], [3], ["x", "red"]), "row 1: it has 1 values; expected 2"),
]
_BROKEN_CSV: list[tuple[bytes, str]] = [
    (b"3\n", "row 0: it has 1 values; expected 2"),
    (b"3,red\n4\n", "row 1: it has 1 values; expected 2"),
    (b"3,red,4\n", "row 0: it has 3 values; expected 2"),
    (b"3;red\n", "row 0: it has 1 values; expected 2"),
    (b"size,color\n3,red\n", _not_in_header("colour")),
    (b"size,colour,size\n3,red,4\n", "size is more than once in the header; name each feature once"),
    (b"size,colour\n3,red\n4,red,5\n", "row 1: it has 3 values; expected 2"),
    (b"big,red\n", "row 0: size is 'big'; expected a number"),
    (b"nan,red\n", "row 0: size is 'nan'; expected a number"),
    (b"NaN,red\n", "row 0: size is 'NaN'; expected a number"),
    (b"null,red\n", "row 0: size is 'null'; expected a number"),
    (b"inf,red\n", "row 0: size is 'inf'; expected a number"),
    (b"-Infinity,red\n", "row 0: size is '-Infinity'; expected a number"),
    (b"1_0,red\n", "row 0: size is '1_0'; expected a number"),
    (b"0x1,red\n", "row 0: size is '0x1'; expected a number"),
    ("٣,red\n".encode(), "row 0: size is '٣'; expected a number"),
    (b" ,red\n", "row 0: size is ' '; expected a number"),
    (b"3 4,red\n", "row 0: size is '3 4'; expected a number"),
    (b"3,red\n4-5,red\n", "row 1: size is '4-5'; expected a number"),
    (b"3,\n", "row 0: colour is empty; the model needs it in every row"),
    (b"3,red\n3, red\n", f"row 1: colour is ' red'; {AMONG}"),
    (b"1e400,red\n", f"row 0: size is '1e400'; {RANGE}"),
    (b"11,red\n", f"row 0: size is '11'; {RANGE}"),
    (b"-1,red\n", f"row 0: size is '-1'; {RANGE}"),
    ("3,rot\u00e9\n".encode(), f"row 0: colour is 'roté'; {AMONG}"),
]
_BROKEN_COLUMNS: list[tuple[str, bytes, str]] = [
    (NPY, npy(np.ones((1, 3))), "the array has the shape (1, 3); expected rows x 2 numbers"),
    (NPY, npy(np.ones((1, 2, 2))), "the array has the shape (1, 2, 2); expected rows x 2 numbers"),
    (NPY, npy(np.ones((1, 2))), "colour is float64; expected texts"),
    (NPY, npy(np.ones((1, 2), int)), f"row 0: colour is '1'; {AMONG}"),
    (NPY, structured(colour="pink"), f"row 0: colour is 'pink'; {AMONG}"),
    (NPY, structured(11), f"row 0: size is 11; {RANGE}"),
    (NPY, structured(float("inf")), f"row 0: size is inf; {RANGE}"),
    (PARQUET, parquet(table().drop_columns("size")), "the column size is not there once; send every feature"),
    (PARQUET, parquet(table().drop_columns("colour")), "the column colour is not there once; send every feature"),
    (PARQUET, parquet(table(colour=["red", "pink"])), f"row 1: colour is 'pink'; {AMONG}"),
    (PARQUET, parquet(table(colour=["red", None])), "row 1: colour is empty; the model needs it in every row"),
    (PARQUET, parquet(table(size=["3", "4"])), "size is string; expected numbers"),
    (PARQUET, parquet(table(size=[True, False])), "size is bool; expected numbers"),
    (ARROW, arrow(table(colour=[1.5, 2.5])), "colour is double; expected texts"),
    (ARROW, arrow(table(size=[3, 11])), f"row 1: size is 11; {RANGE}"),
    (ARROW, arrow(table(colour=[1, 2])), f"row 0: colour is '1'; {AMONG}"),
]
_ENCODED: list[tuple[str, bytes, int, str]] = [
    ("br", b"3,red\n", 415, "Content-Encoding is 'br'; send gzip, or the body as it is"),
    ("gzip, gzip", b"3,red\n", 415, "Content-Encoding is 'gzip, gzip'; send gzip, or the body as it is"),
    ("gzip", b"3,red\n", 400, "the body is not gzip: Error -3 while decompressing data: incorrect header check"),
    ("gzip", gzip.compress(b"3,red\n")[:-4], 400, "the body is gzip that ends too early; send all of it"),
    ("gzip", b"", 400, "the body is gzip that ends too early; send all of it"),
    ("gzip", gzip.compress(b"3,pink\n"), 422, f"row 0: colour is 'pink'; {AMONG}"),
    (
        "gzip",
        gzip.compress(b"\n" * (9 << 20)),
        413,
        f"the body inflates to more; at most {8 << 20} are read, so send fewer rows at once",
    ),
]
