"""What an endpoint captured is counted like the same rows in a table."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from local_aws.sagemaker.hosting.capture import Captured, _record
from local_aws.sagemaker.hosting.connections import Response
from tests.monitoring.runs import Workplace, only, table

ROWS = table(600, seed=6, month="2026-01")
FEATURES = ("age", "income", "region")
CONFIG = {"CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]}
WHERE = ("endpoint", "AllTraffic", "role", "s3://bucket/capture", "")


def event(rows: list[dict[str, Any]], kind: str, *, sent: bool = True) -> str:
    """A line as the account on this machine writes it, of a request with some rows."""
    if kind == "text/csv":
        request = "".join(",".join(str(row[name]) for name in FEATURES) + "\n" for row in rows)
        answer = "".join(f"{row['score']!r},{row['prediction']}\n" for row in rows)
    else:
        request = json.dumps({"instances": [{name: row[name] for name in FEATURES} for row in rows]})
        said = [{"probability": row["score"], "prediction": row["prediction"]} for row in rows]
        answer = json.dumps({"predictions": said, "id": rows[0]["id"] if not sent else "of the answer"})
    headers = {"content-type": kind} | ({"x-amzn-sagemaker-inference-id": rows[0]["id"]} if sent else {})
    response = Response(200, {"content-type": kind}, answer.encode())
    at = rows[0]["at"].replace(tzinfo=UTC)
    assert isinstance(at, datetime)
    return json.dumps(_record(Captured(WHERE, at, CONFIG, headers, request.encode(), response))) + "\n"


def numbers(measures: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in measures.items() if isinstance(value, float)}


def captured(path: Path, kind: str, size: int, *, sent: bool = True) -> Path:
    rows = ROWS.to_pylist()
    path.write_text("".join(event(rows[at : at + size], kind, sent=sent) for at in range(0, len(rows), size)))
    return path


@pytest.mark.parametrize("kind", ["text/csv", "application/json"])
@pytest.mark.parametrize("size", [1, 50])
def test_captured_requests_are_counted_like_their_rows(kind: str, size: int, workplace: Workplace) -> None:
    expected = only(workplace.look(ROWS.drop_columns(["label"])))
    done = workplace.profile("captured", [captured(workplace.folder / "events.jsonl", kind, size)])
    assert done.status == 0, done.said
    found = only(workplace.report("captured"))
    assert found["n"] == 600
    for name in FEATURES:
        assert numbers(found["features"][name]) == pytest.approx(numbers(expected["features"][name]))
    assert found["estimated"] == expected["estimated"]


def test_labels_find_captured_rows_by_the_inference_id(workplace: Workplace) -> None:
    workplace.baseline()
    workplace.profile("captured", [captured(workplace.folder / "events.jsonl", "text/csv", 1)])
    labels = workplace.write("labels.parquet", ROWS.select(["id", "label"]))
    workplace.profile("labels", labels=[labels])
    assert only(workplace.report("captured", "labels"))["labels"] == {"n": 600, "coverage": 1.0}


def test_labels_find_captured_rows_by_the_id_that_the_answer_named(workplace: Workplace) -> None:
    workplace.baseline()
    workplace.profile("captured", [captured(workplace.folder / "events.jsonl", "application/json", 1, sent=False)])
    workplace.profile("labels", labels=[workplace.write("labels.parquet", ROWS.select(["id", "label"]))])
    assert only(workplace.report("captured", "labels"))["labels"] == {"n": 600, "coverage": 1.0}


def test_rows_of_one_request_are_told_apart_by_their_place(workplace: Workplace) -> None:
    workplace.baseline()
    workplace.profile("captured", [captured(workplace.folder / "events.jsonl", "application/json", 50)])
    ids = ROWS["id"].to_pylist()
    told = pa.table({"id": [f"{ids[at - at % 50]}/{at % 50}" for at in range(600)], "label": ROWS["label"]})
    workplace.profile("labels", labels=[workplace.write("labels.parquet", told)])
    assert only(workplace.report("captured", "labels"))["labels"]["coverage"] == 1.0


def test_a_capture_file_that_ends_half_way_is_counted_and_told(workplace: Workplace) -> None:
    workplace.baseline()
    path = captured(workplace.folder / "events.jsonl", "application/json", 1)
    path.write_text(path.read_text()[:-100])
    assert workplace.profile("captured", [path]).status == 0
    report = workplace.report("captured")
    assert only(report)["n"] == 599
    assert len(report["problems"]) == 1
    assert report["problems"][0].startswith("1 ")


def test_numbers_are_captured_to_the_last_digit() -> None:
    rows = ROWS.to_pylist()
    told = json.loads(event(rows[:1], "text/csv"))["captureData"]["endpointOutput"]["data"]
    assert np.float64(told.split(",")[0]) == rows[0]["score"]
