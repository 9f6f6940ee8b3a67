from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from monitoring.errors import DataError
from monitoring.reading import Problems, batches, schema
from tests.monitoring.reading.events import BINARY, REGRESSION, event, write_events
from tests.monitoring.reading.tables import read, read_events

GOOD = event("30,clerk", "0.5,1", "text/csv")


def test_an_event_becomes_rows_with_identity_and_time(tmp_path: Path) -> None:
    path = write_events(
        tmp_path / "a.jsonl",
        [
            event("30,clerk", "0.5,1", "text/csv", eventId="one"),
            event("1,x\n2,\n", "0.1,0\n0.2,0\n", "text/csv", eventId="two", inferenceTime="2026-01-02T00:00:00Z"),
            event("3,y", "0.3,0", "text/csv", eventId="three", inferenceId="mine"),
        ],
    )

    assert read_events(path, BINARY) == (
        {
            "age": ["30", "1", "2", "3"],
            "job": ["clerk", "x", None, "y"],
            "p": ["0.5", "0.1", "0.2", "0.3"],
            "predicted": ["1", "0", "0", "0"],
            "id": ["one", "two/0", "two/1", "mine"],
            "at": ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"],
        },
        {},
    )


ANSWER = {"predictions": [{"probability": 0.5, "prediction": 1}], "id": "answered"}
ROW = {"instances": [{"age": 1, "job": "x"}]}


@pytest.mark.parametrize(
    ("captured", "identity"),
    [
        (event(ROW, ANSWER, inferenceId="sent", customAttributes=["inference-id=attribute"]), "sent"),
        (event(ROW, ANSWER, customAttributes=["a=1; inference-id=attribute;b=2"]), "attribute"),
        (event(ROW, ANSWER, customAttributes="inference-id=first;inference-id=last"), "last"),
        (event(ROW, ANSWER, customAttributes=["my-inference-id=another", None]), "answered"),
        (event(ROW, ANSWER), "answered"),
        (event(ROW, ANSWER | {"id": 7}), "e"),
        (event("1,x", "0.5,1", "text/csv"), "e"),
    ],
)
def test_an_event_is_known_by_what_its_sender_its_answer_or_sagemaker_called_it(
    tmp_path: Path, captured: Any, identity: str
) -> None:
    assert read_events(write_events(tmp_path / "a.jsonl", [captured]), BINARY)[0]["id"] == [identity]


def test_rows_of_a_part_of_a_request_are_numbered_as_in_the_whole_of_it(tmp_path: Path) -> None:
    parts = [
        event("1,x\n2,y", "0.5,1\n0.5,1", "text/csv", firstRow=0),
        event("3,z", "0.5,1", "text/csv", firstRow=2),
        event("4,z", "0.5,1", "text/csv", firstRow="3"),
    ]

    assert read_events(write_events(tmp_path / "a.jsonl", parts), BINARY)[0]["id"] == ["e/0", "e/1", "e/2", "e"]


@pytest.mark.parametrize(
    ("request_body", "kind"),
    [
        ({"instances": [{"age": 1, "job": "x", "id": "own"}, {"age": 2, "job": "y"}]}, "application/json"),
        ({"instances": [{"age": 1, "job": "x", "id": "own"}, {"age": 2, "job": "y", "id": ""}]}, "application/json"),
        ({"columns": ["id", "age", "job"], "data": [["own", 1, "x"], [None, 2, "y"]]}, "application/json"),
        ({"inputs": {"age": [1, 2], "job": ["x", "y"], "id": [["own"], None]}}, "application/json"),
        ('{"age": 1, "job": "x", "id": "own"}\n[2, "y"]', "application/jsonlines"),
        ("job,id,age\nx,own,1\ny,,2", "text/csv"),
    ],
)
def test_a_row_that_its_sender_named_is_known_by_that_name(tmp_path: Path, request_body: Any, kind: str) -> None:
    answers = [{"probability": 0.5, "prediction": 1}] * 2
    path = write_events(tmp_path / "a.jsonl", [event(request_body, answers, kind, "application/json"), GOOD])

    found, problems = read_events(path, BINARY)

    assert not problems
    assert found["id"] == ["own", "e/1", "e"]
    assert [str(value) for value in found["age"]] == ["1", "2", "30"]


def test_numbers_that_name_rows_are_texts(tmp_path: Path) -> None:
    rows = {"instances": [{"age": 1, "job": "x", "id": 7}]}

    assert read_events(write_events(tmp_path / "a.jsonl", [event(rows, ANSWER)]), BINARY)[0]["id"] == ["7"]


def test_only_the_columns_that_are_asked_for_are_made(tmp_path: Path) -> None:
    path = write_events(tmp_path / "a.jsonl", [GOOD])

    assert read(path, ["job", "other", "id"], capture=BINARY) == {"job": ["clerk"], "other": [None], "id": ["e"]}
    assert [batch.num_rows for batch in batches([path], [], capture=BINARY)] == [1]
    assert schema([path], capture=BINARY).names == ["age", "job", "p", "predicted", "id", "at"]


def test_captured_events_are_known_by_their_content(tmp_path: Path) -> None:
    write_events(tmp_path / "1", [GOOD])
    write_events(tmp_path / "2.jsonl", [{"age": 31, "note": '{"captureData": {}}'}])
    write_events(tmp_path / "3.gz", [GOOD])
    (tmp_path / "3.gz").write_bytes(gzip.compress((tmp_path / "3.gz").read_bytes()))

    found = [batch.to_pydict() for batch in batches([tmp_path], ["age"], capture=BINARY)]

    assert found == [{"age": ["30"]}, {"age": [31]}, {"age": ["30"]}]
    with pytest.raises(DataError, match="holds captured events; say which columns their bodies have"):
        read(tmp_path / "1", ["age"])


def test_values_of_json_keep_their_type_and_mixed_ones_become_text(tmp_path: Path) -> None:
    numbers = [
        event({"instances": [{"age": 30, "job": None}]}, {"predictions": [{"probability": 0.5, "prediction": 1}]})
    ]
    path = write_events(tmp_path / "a.jsonl", numbers)
    mixed = write_events(tmp_path / "b.jsonl", [*numbers, GOOD])

    assert read_events(path, BINARY)[0] | {"id": [], "at": []} == {
        "age": [30],
        "job": [None],
        "p": [0.5],
        "predicted": [1],
        "id": [],
        "at": [],
    }
    assert read_events(mixed, BINARY)[0]["age"] == ["30", "30"]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (event("1,x\n2,y\n3,z", "0.5,1\n0.5,1", "text/csv"), "an answer has another number of rows than its request"),
        (event("1,x,2", "0.5,1", "text/csv"), "a request has a row with another number of values"),
        (
            event("1,x\n1,2,3\n4", "0.5,1\n0.5,1\n0.5,1", "text/csv"),
            "a request has a row with another number of values",
        ),
        (
            event("1,x", {"code": "invalid", "message": "age is x"}, "text/csv", "application/json"),
            "an answer is an error",
        ),
        (event("1,x", {"error": "it broke"}, "text/csv", "application/json"), "an answer is an error"),
        (event("1,x", "Internal Server Error", "text/csv", "text/plain"), "an answer has a score that is no number"),
        (event("1,x", "<html>503, sorry</html>", "text/csv", "text/html"), "an answer has a score that is no number"),
        (event({"age": 1}, '{"predictions": [', "application/json"), "a body says that it is JSON and is not"),
        (event({"other": 1}, [0.5]), "a request has a row with none of the features"),
        (event("hello", [0.5]), "a body says that it is JSON and is not"),
        (event([["a", {}]], [{"x": 1}]), "an answer has no predictions in a form that is known"),
        (event(b"\xff\xfe", "0.5", "text/plain"), "a body is no UTF-8 text"),
        (event("x", "0.5", "application/x-npy"), "a body says that it is npy and is not"),
        (event("x", "0.5", "application/x-parquet"), "a body says that it is parquet and is not"),
        (event('1,"x', "0.5", "text/csv"), "a body says that it is CSV and is not"),
        ({"captureData": {"endpointInput": {"data": "?", "encoding": "BASE64"}}}, "a body says that it is BASE64"),
        (
            {"captureData": {"endpointOutput": GOOD["captureData"]["endpointOutput"]}},
            "an event has a side without data",
        ),
        ({"captureData": {"endpointInput": {"data": None}}}, "an event has a side without data"),
        ({"captureData": []}, "a line is no captured event"),
        ({"age": 1}, "a line is no captured event"),
        ([1], "a line is no captured event"),
    ],
)
def test_an_event_that_cannot_be_read_is_counted_and_the_others_are_read(
    tmp_path: Path, bad: object, told: str
) -> None:
    path = write_events(tmp_path / "a.jsonl", [GOOD, bad, GOOD, bad])
    problems = Problems()

    assert read(path, ["age"], capture=BINARY, problems=problems) == {"age": ["30", "30"]}

    ((sentence, count),) = problems.counts.items()
    assert told in sentence
    assert count == problems.total == 2
    assert problems.examples == {sentence: [f"{path}, line 2", f"{path}, line 4"]}


def test_a_last_line_that_is_half_written_is_counted(tmp_path: Path) -> None:
    whole = json.dumps(GOOD)

    for end in range(1, len(whole) - 1, 3):
        path = write_events(tmp_path / "a.jsonl", [GOOD, GOOD], whole[:end])
        found, problems = read_events(path, BINARY)
        assert found["age"] == ["30", "30"]
        assert problems == {"a line is no JSON": 1}


def test_a_file_of_nothing_but_a_half_written_line_is_known_too(tmp_path: Path) -> None:
    path = write_events(tmp_path / "a.jsonl", [], json.dumps(GOOD)[:60])

    assert read_events(path, BINARY)[1] == {"a line is no JSON": 1}


def test_without_a_counter_the_first_such_event_is_the_end(tmp_path: Path) -> None:
    path = write_events(tmp_path / "a.jsonl", [GOOD, [1]])

    with pytest.raises(DataError, match=r"a\.jsonl, line 2: a line is no captured event"):
        read(path, ["age"], capture=BINARY)


def test_where_only_requests_are_captured_features_are_read_and_their_answers_missed(tmp_path: Path) -> None:
    alone = {**GOOD, "captureData": {"endpointInput": GOOD["captureData"]["endpointInput"]}}
    path = write_events(tmp_path / "a.jsonl", [alone])
    problems = Problems()

    (batch,) = batches([path], BINARY.columns, capture=BINARY, problems=problems)

    assert batch.schema.names == ["age", "job", "id", "at"]
    assert list(problems) == [f"an event has no answer, only features: 1 times, as in {path}, line 1"]


@pytest.mark.parametrize("metadata", [None, [], {}, {"eventId": None}, {"inferenceTime": 5}])
def test_an_event_without_identity_or_time_is_read(tmp_path: Path, metadata: object) -> None:
    path = write_events(
        tmp_path / "a.jsonl", [{**GOOD, "eventMetadata": metadata}, {**GOOD, "eventMetadata": metadata}]
    )

    found, problems = read_events(path, BINARY)

    assert found["age"] == ["30", "30"]
    assert found["id"] == [None, None]
    assert not problems


def test_csv_and_other_bodies_of_one_file_keep_their_order(tmp_path: Path) -> None:
    forms = ["0,a", "1,b\n2,c", '3,"d"', "age,job\n4,e", "5,f"]
    path = write_events(
        tmp_path / "a.jsonl",
        [
            event(body, "1\n2" if "\n2" in body else "1", "text/csv", eventId=str(place))
            for place, body in enumerate(forms)
        ],
    )

    found, problems = read_events(path, REGRESSION)

    assert not problems
    assert found["age"] == ["0", "1", "2", "3", "4", "5"]
    assert found["job"] == list("abcdef")
    assert found["id"] == ["0", "1/0", "1/1", "2", "3", "4"]


def test_a_large_file_has_all_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("w") as file:
        for number in range(30_000):
            file.write(json.dumps(event(f"{number},x", "0.5,1", "text/csv", eventId=f"e{number}")) + "\n")

    found, problems = read_events(path, BINARY)

    assert path.stat().st_size > 2 * 4 * 1024 * 1024
    assert found["age"] == [str(number) for number in range(30_000)]
    assert found["id"] == [f"e{number}" for number in range(30_000)]
    assert not problems
