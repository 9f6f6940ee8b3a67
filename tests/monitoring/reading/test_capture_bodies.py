"""The forms of requests and answers that servers read and write."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model_server import answers, media
from model_server.contract import Finding
from model_server.errors import Violation
from model_server.predictions import Predictions, body
from model_server.schema import Checked
from model_server.scoring import Rows
from model_server.signature import Category, Number, Signature
from monitoring.reading import Capture
from tests.monitoring.reading.events import BINARY, MULTICLASS, REGRESSION, event, write_events
from tests.monitoring.reading.tables import read_events

CSV, JSON, LINES, NPY = media.CSV, media.JSON, media.JSON_LINES, media.NPY


def features(folder: Path, request: Any, kind: str, count: int) -> tuple[list[Any], list[Any]]:
    found, problems = read_events(
        write_events(folder / "a.jsonl", [event(request, [0.5] * count, kind, JSON)]), REGRESSION
    )
    assert not problems
    return found["age"], found["job"]


def outputs(folder: Path, capture: Capture, answer: Any, kind: str, count: int) -> list[tuple[Any, ...]]:
    request = {"instances": [{"age": row, "job": "x"} for row in range(count)]}
    found, problems = read_events(write_events(folder / "a.jsonl", [event(request, answer, JSON, kind)]), capture)
    assert not problems
    assert found["age"] == list(range(count))
    return list(zip(*(found[name] for name in (*capture.scores.values(), "predicted")), strict=True))


ROWS = [{"age": 1, "job": "x"}, {"job": None, "age": 2.5, "other": [1]}]


@pytest.mark.parametrize(
    "request_body",
    [
        {"instances": ROWS},
        {"instances": [[1, "x"], [2.5, None]]},
        {"instances": [{"features": [1, "x"]}, {"features": [2.5, None]}]},
        {"dataframe_records": ROWS},
        {"dataframe_split": {"index": [0, 1], "columns": ["job", "age"], "data": [["x", 1], [None, 2.5]]}},
        {"columns": ["job", "other", "age"], "data": [["x", 0, 1], [None, 0, 2.5]]},
        {"inputs": {"age": [1, 2.5], "job": ["x", None], "other": [0, 0]}},
        {"inputs": {"age": [[1], [2.5]], "job": [["x"], [None]]}},
        {"inputs": ROWS},
        {"age": [1, 2.5], "job": ["x", None]},
        ROWS,
        [[1, "x"], [2.5, None]],
        "\n".join(json.dumps(row) for row in ROWS),
    ],
)
def test_forms_of_json_requests(tmp_path: Path, request_body: Any) -> None:
    assert features(tmp_path, request_body, JSON, 2) == ([1, 2.5], ["x", None])


@pytest.mark.parametrize(
    "request_body", [{"age": 1, "job": "x"}, [1, "x"], {"features": [1, "x"]}, [[1, "x"]], {"inputs": [1, "x"]}]
)
def test_a_single_row_in_json(tmp_path: Path, request_body: Any) -> None:
    assert features(tmp_path, request_body, JSON, 1) == ([1], ["x"])


def test_a_feature_that_a_record_has_not_is_null(tmp_path: Path) -> None:
    assert features(tmp_path, {"instances": [{"age": 1}, {"job": "x"}]}, JSON, 2) == ([1, None], [None, "x"])


def test_no_rows_are_no_problem(tmp_path: Path) -> None:
    assert features(tmp_path, {"instances": []}, JSON, 0) == ([], [])


@pytest.mark.parametrize("kind", [LINES, "application/x-ndjson", "application/jsonlines; charset=utf-8"])
@pytest.mark.parametrize("rows", [ROWS, [[1, "x"], [2.5, None]]])
def test_json_lines_requests(tmp_path: Path, kind: str, rows: list[Any]) -> None:
    lines = "\n".join(json.dumps(row) for row in rows) + "\n"

    assert features(tmp_path, lines, kind, 2) == ([1, 2.5], ["x", None])


@pytest.mark.parametrize(
    "text",
    [
        "1,x\n2.5,\n",
        "1,x\r\n2.5,",
        "\ufeff1,x\n\n2.5,\n",
        '"1","x"\n2.5,""\n',
        "age,job\n1,x\n2.5,\n",
        "job,other,age\nx,0,1\n,0,2.5",
        '"job","age"\r\n"x","1"\r\n"",2.5\r\n',
    ],
)
@pytest.mark.parametrize("kind", [CSV, "text/plain", "text/csv; charset=utf-8"])
def test_csv_requests_with_and_without_a_header(tmp_path: Path, text: str, kind: str) -> None:
    assert features(tmp_path, text, kind, 2) == (["1", "2.5"], ["x", None])


def test_a_content_type_may_say_whether_there_is_a_header(tmp_path: Path) -> None:
    assert features(tmp_path, "age,job\n1,x", "text/csv; header=absent", 2) == (["age", "1"], ["job", "x"])
    assert features(tmp_path, "age,job\n1,x", "text/csv; header=present", 1) == (["1"], ["x"])


def test_binary_requests(tmp_path: Path) -> None:
    table = pa.table({"job": ["x", None], "age": [1, 2.5]})
    parquet, stream, npy = io.BytesIO(), pa.BufferOutputStream(), io.BytesIO()
    pq.write_table(table, parquet)
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    np.save(npy, np.array([[1, 7], [2.5, np.nan]]))

    assert features(tmp_path, parquet.getvalue(), media.PARQUET, 2) == ([1, 2.5], ["x", None])
    assert features(tmp_path, stream.getvalue().to_pybytes(), media.ARROW, 2) == ([1, 2.5], ["x", None])
    assert features(tmp_path, npy.getvalue(), NPY, 2) == ([1, 2.5], [7, None])
    assert features(tmp_path, npy.getvalue(), "application/octet-stream", 2) == ([1, 2.5], [7, None])


def spoken(text: str | None) -> Any:
    """What a field of CSV says: a number where it is one."""
    try:
        return text and json.loads(text)
    except ValueError:
        return text


def signature(capture: Capture) -> Signature:
    inputs = (Number("age"), Category("job", ("x",)))
    match len(capture.scores):
        case 0:
            return Signature("regression", "y", inputs)
        case 1:
            return Signature("binary", "y", inputs, (0, 1))
        case _:
            return Signature("multiclass", "y", inputs, tuple(capture.scores))


@pytest.mark.parametrize(
    ("capture", "scores", "expected"),
    [
        (BINARY, [[0.75, 0.25], [0.5, 0.5], [0.1, 0.9]], [(0.25, 0), (None, None), (0.9, 1)]),
        (
            MULTICLASS,
            [[0.5, 0.25, 0.25], [0, 0, 1], [0.1, 0.1, 0.8]],
            [(0.5, 0.25, 0.25, "a"), (None,) * 4, (0.1, 0.1, 0.8, "c")],
        ),
        (REGRESSION, [1.5, 2.5, -3e20], [(1.5,), (None,), (-3e20,)]),
    ],
)
@pytest.mark.parametrize("kind", [JSON, LINES, CSV, media.PARQUET, media.ARROW, NPY])
def test_answers_of_our_model_server_with_a_row_left_out_and_one_flagged(
    tmp_path: Path, capture: Capture, scores: list[Any], expected: list[tuple[Any, ...]], kind: str
) -> None:
    kept = Predictions(signature(capture), np.array([scores[0], scores[2]]))
    reason = Violation("category", "job is y", field="job", row=1)
    flag = Violation("unseen", "job is x", field="job", row=2)
    checked = Checked(
        Rows(np.empty((2, 1)), np.empty((2, 1))),
        3,
        np.array([0, 2]),
        {1: reason},
        {2: flag},
        [Finding("category_unseen", "flag", 1)],
    )
    if kind in media.TEXTUAL:
        answer = body(answers.fragments(checked, kept, kind, 0), kind)
    else:
        answer = answers.columnar([(checked, kept)], kind)

    found = outputs(tmp_path, capture, answer if kind not in (JSON, CSV) else answer.decode(), kind, 3)

    if kind == CSV:
        found = [tuple(map(spoken, row)) for row in found]
    if kind == NPY and capture.scores:
        expected = [(*row[:-1], None) for row in expected]
    assert found == expected


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"predictions": [0.25, 0.5]}, JSON),
        ({"predictions": [[0.25], [0.5]]}, JSON),
        ({"predictions": [[0.75, 0.25], [0.5, 0.5]]}, JSON),
        ({"predictions": [{"score": 0.25}, {"score": 0.5}]}, JSON),
        ([0.25, 0.5], JSON),
        ([[0.75, 0.25], [0.5, 0.5]], JSON),
        ("[0.25, 0.5]", CSV),
        ("0.25\n0.5\n", LINES),
        ('{"probability": 0.25}\n[0.5]', LINES),
    ],
)
def test_answers_of_other_servers_with_probabilities_alone(tmp_path: Path, answer: Any, kind: str) -> None:
    assert outputs(tmp_path, BINARY, answer, kind, 2) == [(0.25, None), (0.5, None)]


@pytest.mark.parametrize("answer", ["0.25\n0.5\n", "0.25\r\n0.5", "0.25,0.5", "probability\n0.25\n0.5\n"])
@pytest.mark.parametrize("kind", [CSV, "text/plain"])
def test_one_number_a_line_or_all_in_a_line(tmp_path: Path, answer: str, kind: str) -> None:
    assert outputs(tmp_path, BINARY, answer, kind, 2) == [("0.25", None), ("0.5", None)]


@pytest.mark.parametrize("answer", [0.25, [0.25], {"predictions": 0.25}, {"probability": 0.25}, [0.75, 0.25], [[0.25]]])
def test_a_single_answer_in_json(tmp_path: Path, answer: Any) -> None:
    assert outputs(tmp_path, BINARY, answer, JSON, 1) == [(0.25, None)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"predictions": [{"predicted_label": "b"}, {"label": "c"}]},
            [(None, None, None, "b"), (None, None, None, "c")],
        ),
        (["b", None], [(None, None, None, "b"), (None,) * 4]),
        ([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]], [(0.5, 0.25, 0.25, None), (0.1, 0.2, 0.7, None)]),
        (
            [{"probabilities": [0.5, 0.25, 0.25], "prediction": "a"}, {"probabilities": {"c": 1.0}}],
            [(0.5, 0.25, 0.25, "a"), (None, None, 1.0, None)],
        ),
    ],
)
def test_answers_of_other_servers_with_classes(tmp_path: Path, answer: Any, expected: list[Any]) -> None:
    assert outputs(tmp_path, MULTICLASS, answer, JSON, 2) == expected


def test_values_of_other_servers(tmp_path: Path) -> None:
    assert outputs(tmp_path, REGRESSION, {"predictions": [{"score": 1.5}, {"prediction": 2}]}, JSON, 2) == [
        (1.5,),
        (2.0,),
    ]


@pytest.mark.parametrize("answer", ["d", ["d"], {"predictions": ["d"]}, "Internal Server Error"])
def test_a_class_alone_must_be_known(tmp_path: Path, answer: Any) -> None:
    path = write_events(
        tmp_path / "a.jsonl", [event({"age": 1}, answer, JSON, CSV if isinstance(answer, str) else JSON)]
    )

    assert read_events(path, MULTICLASS) == (
        {name: [] for name in MULTICLASS.columns},
        {"an answer is a class that is not known": 1},
    )
