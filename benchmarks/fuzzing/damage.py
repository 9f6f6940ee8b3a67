"""Bad bodies: valid ones with damage that knows what it damages, and ones that were never meant well."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import pyarrow as pa

from benchmarks.fuzzing import rows
from model_server import media

TOKENS: dict[str, list[bytes]] = {
    media.JSON: [
        *(
            b"null",
            b"NaN",
            b"1e400",
            b"-1e-400",
            b"9" * 400,
            b'"\\ud800"',
            b"[[[[",
            b"]]]]",
            b"{}",
            b"[]",
            b'"',
            b"\\u0000",
        ),
        *(
            b'"features":',
            b'"instances":',
            b'"inputs":',
            b'"columns":',
            b"true",
            b"[" * 1100,
            b'{"a":' * 300,
            b"18446744073709551616",
        ),
    ],
    media.CSV: [
        *(b'"', b"\r", b"\r\n", b"\n", b",", b",,,,", b"\0", b"nan", b"inf", b"1_0", b"0x1", b"\xef\xbb\xbf", b"\xff"),
        *(b"size", b"colour", b"9" * 400, b"1e400", b'""', b'"\n', b"," * 500, b"x" * 140_000),
    ],
}
TOKENS[media.JSON_LINES] = [*TOKENS[media.JSON], b"\n", b"\r", b"\n\n"]
_POOL = 400
_NUMBERS = (0, 1, -1, 2**7, 2**15, 2**31 - 1, -(2**31), 2**32 - 1, 2**40, 2**62, 2**63 - 1, -(2**63))
_DESCRIPTIONS: list[Any] = [
    *("<f8", ">f8", "<f2", "<c16", "|O", "|V0", "|S0", "<U0", "<U5", "|b1", "<M8[ns]", "<f16", "x", 3, None, [], [[]]),
    *(
        [("size", "<f8"), ("colour", "<U5")],
        [("size", "<f8", (2,)), ("colour", "<U5")],
        [("size", "<f8"), ("colour", "|S0")],
    ),
    *(
        [("size", "|S0"), ("colour", "|S0")],
        [("size", [("a", "<f8")]), ("colour", "<U1")],
        [("size", "<f8"), ("size", "<f8")],
    ),
]
_SHAPES: list[Any] = [
    (),
    (0,),
    (1,),
    (2, 2),
    (1, 2),
    (2**40,),
    (2**62, 2),
    (2**63, 2**63),
    (-1, 2),
    (1.5,),
    (True, 2),
    [2, 2],
    None,
]


def bad(kind: str, random: Random) -> bytes:
    """A body of *kind* that is probably bad."""
    if random.random() < 0.1:
        return _STRANGE[kind](random)
    body = random.choice(_pool(kind)) if random.random() < 0.9 else _STRANGE[kind](random)
    for _ in range(random.choice([1, 1, 1, 2, 4, 16])):
        body = random.choice(_WAYS)(kind, random, body)
    return body


@cache
def _pool(kind: str) -> list[bytes]:
    """Valid bodies to begin with: writing one takes longer than damaging it."""
    return [rows.valid(kind, Random(number)) for number in range(_POOL)]


def damaged(kind: str, random: Random, body: bytes) -> bytes:
    """A body with one more wound."""
    return random.choice(_WAYS)(kind, random, body)


def _flip(_kind: str, random: Random, body: bytes) -> bytes:
    if not body:
        return b"\0"
    at = random.randrange(len(body))
    return body[:at] + bytes([body[at] ^ (1 << random.randrange(8))]) + body[at + 1 :]


def _cut(_kind: str, random: Random, body: bytes) -> bytes:
    start, end = sorted((random.randint(0, len(body)), random.randint(0, len(body))))
    return random.choice([body[:start], body[start:], body[:start] + body[end:], body[:end] + body[start:]])


def _splice(kind: str, random: Random, body: bytes) -> bytes:
    other = random.choice(_pool(kind if random.random() < 0.9 else random.choice(media.TYPES)))
    return body[: random.randint(0, len(body))] + other[random.randint(0, len(other)) :]


def _number(_kind: str, random: Random, body: bytes) -> bytes:
    size, form = random.choice([(1, "B"), (2, "<H"), (4, "<I"), (8, "<Q"), (4, ">I")])
    at = random.randint(0, max(0, len(body) - size))
    value = random.choice(_NUMBERS) if random.random() < 0.7 else random.randrange(256)
    return body[:at] + struct.pack(form, value % (1 << (8 * size))) + body[at + size :]


def _token(kind: str, random: Random, body: bytes) -> bytes:
    at = random.randint(0, len(body))
    token = random.choice(TOKENS[kind]) if kind in TOKENS else random.randbytes(random.randint(1, 9))
    return body[:at] + token + body[at + random.choice([0, 0, 1, 4]) :]


_WAYS: tuple[Callable[[str, Random, bytes], bytes], ...] = (_flip, _cut, _splice, _number, _number, _token, _token)


def _strange_value(random: Random, depth: int = 0) -> Any:
    simple = [None, True, -0.0, 1e308, 2**63, 2**64 - 1, "", "red", "\0", "nan", "x" * 500, 3, [], {}]
    if depth > 3 or random.random() < 0.6:
        return random.choice(simple)
    values = [_strange_value(random, depth + 1) for _ in range(random.randint(0, 3))]
    names = random.sample(["size", "colour", "features", "columns", "data", "instances", ""], len(values))
    return random.choice([values, dict(zip(names, values, strict=True))])


def _strange_json(random: Random) -> bytes:
    value = _strange_value(random)
    if random.random() < 0.1:
        return b'{"instances":[{"size":' + b"[" * 1000 + b"]" * 1000 + b',"colour":"red"}]}'
    forms = [
        value,
        {"instances": value},
        {"instances": [[value, _strange_value(random)]]},
        {"instances": [{"size": value, "colour": _strange_value(random)}]},
        {"inputs": {"size": value, "colour": _strange_value(random)}},
        {"dataframe_split": {"columns": ["size", "colour", value], "data": [{"size": 3, "colour": "red"}]}},
        {"dataframe_split": {"columns": value, "data": _strange_value(random)}},
    ]
    return json.dumps(random.choice(forms)).encode()


def _strange_lines(random: Random) -> bytes:
    return b"\n".join(json.dumps(_strange_value(random)).encode() for _ in range(random.randint(0, 5)))


def _strange_csv(random: Random) -> bytes:
    return b"".join(random.choice([*TOKENS[media.CSV], b"3", b"red"]) for _ in range(random.randint(0, 12)))


def _strange_npy(random: Random) -> bytes:
    header: Any = {
        "descr": random.choice(_DESCRIPTIONS),
        "fortran_order": random.choice([True, False, None, 3]),
        "shape": random.choice(_SHAPES),
    }
    if random.random() < 0.1:
        header.pop(random.choice(list(header)))
    text = repr(header).encode()
    if random.random() < 0.1:
        text = random.choice(
            [b"(" * 9000, b"{" * 500, b"-" * 9000 + b"1", b"{'descr':" * 900, b"'" * 3, b"[0]*9999999"]
        )
    major = random.choice([1, 2, 3, 0, 255])
    length = struct.pack("<H" if major == 1 else "<I", random.choice([len(text), len(text), 65535, 0]))
    return b"\x93NUMPY" + bytes([major, 0]) + length + text + random.randbytes(random.choice([0, 8, 32, 56]))


def strange_table(random: Random) -> pa.Table:
    """Columns by the names of the features, of types that are none of theirs."""
    count = random.randint(0, 4)
    return pa.table({name: _strange_column(random, count) for name in ("size", "colour")})


def _strange_column(random: Random, count: int) -> Any:
    integers = pa.array(list(range(count)), pa.int32())
    texts = pa.array(["red", "x", "", "blue"][:count], pa.string())
    columns = [
        *(
            pa.nulls(count),
            integers,
            texts,
            texts.cast(pa.large_string()),
            texts.cast(pa.binary()),
            integers.cast(pa.bool_()),
        ),
        *(
            integers.cast(pa.decimal128(20, 3)),
            integers.cast(pa.date32()),
            texts.dictionary_encode(),
            integers.dictionary_encode(),
        ),
        *(pa.array([[1, 2]] * count), pa.array([{"a": 1}] * count), pa.array([b"abcd"] * count, pa.binary(4))),
        *(
            pa.array([float("inf")] * count),
            pa.array([None] * count, pa.float64()),
            pa.array([2**63] * count, pa.uint64()),
        ),
    ]
    return random.choice(columns)


_STRANGE: dict[str, Callable[[Random], bytes]] = {
    media.JSON: _strange_json,
    media.JSON_LINES: _strange_lines,
    media.CSV: _strange_csv,
    media.NPY: _strange_npy,
    media.PARQUET: lambda random: rows.parquet(strange_table(random), random),
    media.ARROW: lambda random: rows.arrow(strange_table(random), random),
}
