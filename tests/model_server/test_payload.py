"""However a row is written, the answer is the same."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_server.signature import Number, Signature
from model_server.testing import Client
from tests.model_server.cases import ARROW, CSV, JSON, LINES, PARQUET, arrow, parquet
from tests.pipelines import jobs


def row_of(signature: Signature) -> st.SearchStrategy[dict[str, Any]]:
    def value(feature: Any) -> st.SearchStrategy[Any]:
        if isinstance(feature, Number):
            numbers = st.floats(feature.minimum, feature.maximum, allow_nan=False) | st.integers(0, 10)
            return numbers | st.none() if feature.nullable else numbers
        return st.sampled_from(feature.values)

    return st.tuples(*map(value, signature.features)).map(
        lambda values: dict(zip(signature.names, values, strict=True))
    )


def as_csv(rows: list[dict[str, Any]], *, header: bool) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def same_whatever_the_form(client: Client, rows: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(rows)
    forms: list[tuple[str | bytes, str]] = [
        (json.dumps({"instances": rows}), JSON),
        (json.dumps({"instances": [list(row.values()) for row in rows]}), JSON),
        ("\n".join(json.dumps(row) for row in rows), LINES),
        (as_csv(rows, header=False), CSV),
        (as_csv(rows, header=True), CSV),
        (json.dumps({"inputs": table.to_pydict()}), JSON),
        (parquet(table), PARQUET),
        (arrow(table), ARROW),
    ]
    answers = set()
    for body, content_type in forms:
        for accept in (JSON, LINES, CSV):
            response = client.invoke(body, content_type, accept)
            assert response.status == 200, response.body
            answers.add(tuple(numbers(response.body.decode(), accept)))
    assert len(answers) == 1


def numbers(body: str, kind: str) -> list[tuple[float, int]]:
    if kind == CSV:
        return [(float(line.split(",")[0]), int(line.split(",")[1])) for line in body.splitlines()]
    records = json.loads(body)["predictions"] if kind == JSON else [json.loads(line) for line in body.splitlines()]
    return [(record["probability"], record["prediction"]) for record in records]


@pytest.fixture(scope="module")
def real(release: jobs.Release) -> Client:
    return Client(release.package)


@pytest.fixture(scope="module")
def small(parcels: Path) -> Client:
    return Client(parcels)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_on_the_real_model(real: Client, release: jobs.Release, data: st.DataObject) -> None:
    rows = data.draw(st.lists(row_of(Signature.read(release.package)), min_size=1, max_size=4))
    same_whatever_the_form(real, rows)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_on_a_model_with_nulls(small: Client, parcels: Path, data: st.DataObject) -> None:
    rows = data.draw(st.lists(row_of(Signature.read(parcels)), min_size=1, max_size=4))
    same_whatever_the_form(small, rows)


TEXTS = st.sampled_from(["red", "", " ", "pink", "3", "nan", "inf", "1_0", "1e400", "0x1", "٣", "é", "red ", "-1"])
ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS | st.just([3])
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(ANYTHING, min_size=1, max_size=3), min_size=1, max_size=3))
def test_the_short_way_of_json_refuses_and_answers_as_the_long_one(small: Client, rows: list[list[Any]]) -> None:
    short = small.invoke(json.dumps({"instances": rows}), JSON, LINES)
    long = small.invoke("\n".join(map(json.dumps, rows)), LINES, LINES)
    assert (short.status, short.body) == (long.status, long.body)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=TEXTS | st.floats().map(str) | st.integers().map(str), colour=TEXTS)
def test_csv_read_by_row_by_column_or_the_short_way_is_answered_alike(small: Client, size: str, colour: str) -> None:
    line = f"{size},{colour}\n".encode()
    good = b"3,red\n" * 4000
    short = small.invoke(line, CSV)
    by_row = small.invoke(b'"3",red\n' + line, CSV)
    by_column = small.invoke(good + line, CSV)
    assert short.status == by_row.status == by_column.status
    if short.status == 200:
        assert by_row.body.endswith(short.body)
        assert by_column.body.endswith(short.body)
    else:
        # By columns a number is shown as it was read, not as it was written.
        told = [json.loads(reply.body) for reply in (short, by_row, by_column)]
        assert len({(each["code"], each["field"], each["message"].rpartition("; ")[2]) for each in told}) == 1
        assert [each["row"] for each in told] == [0, 1, 4000]


def test_whole_numbers_are_read_as_the_text_of_a_code(real: Client, release: jobs.Release) -> None:
    features = Signature.read(release.package).features
    texts = {feature.name: 30 if isinstance(feature, Number) else feature.values[-1] for feature in features}
    codes = {name: int(value) for name, value in texts.items()}
    assert real.predict([texts]) == real.predict([codes])
