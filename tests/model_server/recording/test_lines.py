from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_server.recording.lines import LONGEST_LINE, Seen, lines

SEEN = Seen("id", "a=1", "text/csv", b"3,red\n", "application/json", b'{"predictions":[]}', 1_800_000_000.5)


def joined(written: list[bytes]) -> dict[str, Any]:
    parts = [json.loads(line) for line in written]
    if "captureData" in parts[0]:
        assert len(parts) == 1
        return parts[0]
    assert {(each["record"], each["parts"]) for each in parts} == {("event", len(parts))}
    assert [each["part"] for each in parts] == list(range(1, len(parts) + 1))
    return json.loads("".join(each["data"] for each in parts))


def test_a_small_record_is_a_line_as_data_capture_writes_it() -> None:
    (line,) = lines(SEEN, "event")
    assert json.loads(line) == {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv",
                "mode": "INPUT",
                "data": "3,red\n",
                "encoding": "CSV",
            },
            "endpointOutput": {
                "observedContentType": "application/json",
                "mode": "OUTPUT",
                "data": '{"predictions":[]}',
                "encoding": "JSON",
            },
        },
        "eventMetadata": {
            "eventId": "event",
            "inferenceId": "id",
            "customAttributes": ["a=1"],
            "inferenceTime": "2027-01-15T08:00:00Z",
        },
        "eventVersion": "0",
    }
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/x-npy", b"\x93NUMPY\xff"), ("text/csv; charset=utf-8", b"r\xe9d"), ("", b"text")],
)
def test_what_is_no_text_is_in_base64(kind: str, body: bytes) -> None:
    (line,) = lines(SEEN._replace(content_type=kind, body=body, attributes=""), "event")
    record = json.loads(line)
    assert record["captureData"]["endpointInput"]["encoding"] == "BASE64"
    assert base64.b64decode(record["captureData"]["endpointInput"]["data"]) == body
    assert "customAttributes" not in record["eventMetadata"]


@given(text=st.text(), times=st.integers(1, 3000))
def test_a_large_record_is_in_parts_that_no_pipe_tears(text: str, times: int) -> None:
    written = lines(SEEN._replace(body=(text * times).encode()), "event")
    assert max(map(len, written)) <= LONGEST_LINE
    assert all(line.count(b"\n") == 1 for line in written)
    record = joined(written)
    assert record["captureData"]["endpointInput"]["data"] == text * times


@pytest.mark.parametrize("body", [b"x" * 6_000_000, b'"' * 300_000, "\U0001f600".encode() * 100_000, b"\x01" * 100_000])
def test_parts_are_nearly_full_whatever_has_to_be_escaped(body: bytes) -> None:
    written = lines(SEEN._replace(body=body), "event")
    assert joined(written)["captureData"]["endpointInput"]["data"] == body.decode()
    assert sum(map(len, written)) / len(written) > 0.85 * LONGEST_LINE
