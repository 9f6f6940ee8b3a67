"""Bodies as attacks: whatever comes, a decoder answers it or refuses it with a sentence, within its bounds."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzzing import bombs, damage, rows
from model_server import bounds, media
from model_server.bodies.columnar import read_arrow, read_parquet
from model_server.bodies.table import Table
from model_server.signature import Signature
from model_server.testing import Client, Reply
from tests.model_server.cases import npy, parquet

CORPUS = Path(__file__).with_name("corpus")
KINDS = {
    "json": media.JSON,
    "jsonlines": media.JSON_LINES,
    "csv": media.CSV,
    "npy": media.NPY,
    "parquet": media.PARQUET,
    "arrow": media.ARROW,
}
PARTIAL = "application/json; partial=true"


@pytest.fixture(scope="module")
def client(parcels: Path) -> Client:
    return Client(parcels)


def sound(reply: Reply) -> None:
    """It is an answer, or a refusal that says why."""
    assert reply.status < 500, reply.cause
    if reply.status != 200:
        assert {"code", "message"} <= json.loads(reply.body).keys()


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.bin")), ids=lambda file: file.stem)
@pytest.mark.parametrize("accept", ["*/*", PARTIAL])
def test_what_once_failed_is_refused(client: Client, file: Path, accept: str) -> None:
    sound(client.invoke(file.read_bytes(), KINDS[file.name.partition("-")[0]], accept))


@pytest.mark.parametrize("kind", media.TYPES)
def test_bodies_to_damage_are_answered_whole(client: Client, kind: str) -> None:
    assert {client.invoke(rows.valid(kind, Random(seed)), kind).status for seed in range(40)} == {200}


@pytest.mark.parametrize("kind", media.TYPES)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), accept=st.sampled_from(["*/*", PARTIAL, media.NPY]))
def test_a_bad_body_is_answered_or_refused_with_a_reason(client: Client, kind: str, seed: int, accept: str) -> None:
    sound(client.invoke(damage.bad(kind, Random(seed)), kind, accept))


@pytest.mark.parametrize("kind", media.TYPES)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
def test_bytes_of_no_meaning_are_refused(client: Client, kind: str, body: bytes) -> None:
    sound(client.invoke(body, kind))


BOMBS = {bomb.name: bomb for bomb in bombs.bombs()}
QUICK = (
    "JSON 1,000 lists deep",
    "26 MB of JSON",
    "one line of CSV, 99 MB of commas",
    "npy of 2^62 rows",
    "npy of 2^40 rows of nothing",
    "npy with a header 9,000 brackets deep",
    "Parquet, one long text for 100,000 rows",
    "Parquet, a page's header with 2^60 doubles",
    "Parquet, 8 million pages of nothing",
    "Parquet, texts by prefix",
    "Parquet that lies about a page's size",
    "Arrow, 2^40 rows of nulls",
    "Arrow, one long text for a million rows",
)


@pytest.mark.parametrize("name", QUICK)
def test_a_bomb_is_refused(client: Client, name: str) -> None:
    bomb = BOMBS[name]
    reply = client.invoke(bomb.make(), bomb.kind, bomb.accept)
    sound(reply)
    assert reply.status in bomb.right


def test_a_line_of_more_than_its_bytes_is_refused_however_it_comes(client: Client) -> None:
    line = b"x" * (bounds.LINE_BYTES + 1)
    bodies = [(media.CSV, line), (media.CSV, b'"' + line[2:] + b"\n\n"), (media.JSON_LINES, b"3," + line)]
    for kind, body in bodies:
        reply = client.invoke(b"3,red\n" * 60_000 + body if kind == media.CSV else body, kind)
        assert reply.status == 413
        assert json.loads(reply.body)["message"].startswith("a line, or what quotes make one, has more than 4194304")


def test_gzip_that_inflates_to_nothing_is_counted_as_it_came(parcels: Path) -> None:
    client = Client(parcels, largest_body=1000)
    reply = client.invoke(gzip.compress(b"") * 100, media.CSV, content_encoding="gzip")
    assert (reply.status, json.loads(reply.body)["code"]) == (413, "too_large")


def test_gzip_of_too_many_members_is_refused(client: Client) -> None:
    few, many = (gzip.compress(b"") * count + gzip.compress(b"3,red\n") for count in (3999, 4000))
    assert client.invoke(few, media.CSV, content_encoding="gzip").status == 200
    reply = client.invoke(many, media.CSV, content_encoding="gzip")
    assert (reply.status, json.loads(reply.body)["code"]) == (413, "too_large")


def test_answers_of_more_than_their_bytes_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model_server.exchange.ANSWER_BYTES", 100_000)
    for body, accept in ((b"3,red\n" * 20_000, media.JSON), (b"1\n" * 20_000, PARTIAL)):
        reply = client.invoke(body, media.CSV, accept)
        assert reply.status == 413
        assert json.loads(reply.body)["message"].startswith("the answers to this body have more than 100000 bytes")


def nulls(count: int) -> pa.Table:
    return pa.table({"size": pa.nulls(count, pa.float64()), "colour": pa.array(["red"]).take(pa.array([0] * count))})


@pytest.mark.parametrize(("write", "kind"), [(parquet, media.PARQUET), (bombs._arrow, media.ARROW)])
def test_rows_of_nothing_are_counted_as_what_they_unpack_to(
    client: Client, monkeypatch: pytest.MonkeyPatch, write: Callable[..., bytes], kind: str
) -> None:
    body = write(nulls(20_000)) if kind == media.PARQUET else write(nulls(20_000), "zstd")
    assert client.invoke(body, kind).status == 200
    monkeypatch.setattr("model_server.bounds.UNPACKED_LEAST", 1000)
    monkeypatch.setattr("model_server.bounds.UNPACKED_TIMES", 1)
    reply = client.invoke(body, kind)
    assert reply.status == 413
    assert "unpacks to" in json.loads(reply.body)["message"]


@pytest.mark.parametrize(("body", "read"), [(bombs._groups, read_parquet), (partial(bombs._batches, 1), read_arrow)])
def test_small_groups_and_batches_are_read_together(
    parcels: Path, body: Callable[[int], bytes], read: Callable[[Signature, bytes], Iterator[Table]]
) -> None:
    tables = list(read(Signature.read(parcels), body(20_000 if read is read_arrow else 1000)))
    assert [table.count for table in tables] == ([16_384, 3616] if read is read_arrow else [1000])


def test_texts_of_arrow_that_lie_outside_of_their_buffer_are_refused(client: Client) -> None:
    table = pa.table({"size": [3.0] * 4, "colour": ["red", "blue", "red", "green"]})
    honest = bombs._arrow(table, None)
    offsets = struct.pack("<5i", 0, 3, 7, 10, 15)
    assert offsets in honest
    lying = honest.replace(offsets, struct.pack("<5i", 0, 3, 1 << 30, 10, 15))
    assert client.invoke(honest, media.ARROW).status == 200
    assert client.invoke(lying, media.ARROW).status == 400


@pytest.mark.parametrize("text", ["\ud800", "\U00010fff"], ids=["surrogate", "beyond"])
def test_texts_of_npy_that_are_none_are_refused(client: Client, text: str) -> None:
    kind = [("size", "<f8"), ("colour", "<U5")]
    body = npy(np.array([(3.0, "red")], kind))
    code = struct.pack("<I", 0xD800 if text == "\ud800" else 0x7FFFFFFF)
    reply = client.invoke(body.replace(struct.pack("<I", ord("r")), code), media.NPY)
    assert (reply.status, json.loads(reply.body)["code"]) == (400, "malformed")


def test_a_long_value_is_shown_in_short_without_being_written_out(client: Client) -> None:
    values: Mapping[str, object] = {"size": ["x" * 10_000] * 1000, "colour": "red"}
    reply = client.invoke(json.dumps({"instances": [values]}))
    assert reply.status == 422
    assert len(reply.body) < 300


def test_a_bomb_of_gzip_stops_at_the_largest_body(parcels: Path) -> None:
    client = Client(parcels, largest_body=1 << 20)
    packer = zlib.compressobj(9, wbits=31)
    bomb = packer.compress(b"3,red\n" * (1 << 20)) + packer.flush()
    reply = client.invoke(bomb, media.CSV, content_encoding="gzip")
    assert (reply.status, len(bomb) < 1 << 16) == (413, True)
