"""A request with its answer as lines of the log, in the format of SageMaker's Data Capture."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

LONGEST_LINE = 4096
"""In bytes, with its end: a pipe keeps so much together, whichever processes write to it.

It is also less than the 16 KB at which Docker cuts lines, and the 256 KB at which CloudWatch Logs does.
"""
_ROOM = 3900
"""For a slice of a record, beside the members that say which slice it is."""
_ENCODINGS = {"text/csv": "CSV", "application/json": "JSON"}


class Seen(NamedTuple):
    """A request that was answered, and when, in seconds since 1970; `masked` is the id of the key that hides values."""

    id: str
    attributes: str
    content_type: str
    body: bytes
    answer_type: str
    answer: bytes
    at: float
    masked: str = ""

    def size(self) -> int:
        """The bytes of both bodies."""
        return len(self.body) + len(self.answer)


def lines(seen: Seen, event: str) -> list[bytes]:
    """The record in one line, or numbered parts of it in several; *event* is its own id."""
    record = orjson.dumps(_record(seen, event))
    if len(record) < LONGEST_LINE:
        return [record + b"\n"]
    slices = list(_slices(record.decode()))
    parts = len(slices)
    return [
        orjson.dumps({"record": event, "part": place, "parts": parts, "data": data}) + b"\n"
        for place, data in enumerate(slices, 1)
    ]


def _record(seen: Seen, event: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"eventId": event, "inferenceId": seen.id}
    if seen.attributes:
        metadata["customAttributes"] = [seen.attributes]
    if seen.masked:
        metadata["masked"] = seen.masked
    metadata["inferenceTime"] = f"{datetime.fromtimestamp(seen.at, UTC):%Y-%m-%dT%H:%M:%SZ}"
    data = {
        "endpointInput": _side("INPUT", seen.content_type, seen.body),
        "endpointOutput": _side("OUTPUT", seen.answer_type, seen.answer),
    }
    return {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}


def _side(mode: str, content_type: str, body: bytes) -> dict[str, str]:
    encoding = _ENCODINGS.get(content_type.partition(";")[0].strip().lower(), "BASE64")
    try:
        data = body.decode() if encoding != "BASE64" else base64.b64encode(body).decode()
    except UnicodeDecodeError:
        encoding, data = "BASE64", base64.b64encode(body).decode()
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


def _slices(text: str) -> Iterator[str]:
    """The text in slices that have room in a line, written as JSON once more."""
    start, size = 0, _ROOM
    while start < len(text):
        piece = text[start : start + size]
        length = len(orjson.dumps(piece)) - 2
        fitting = size * _ROOM // length
        if length > _ROOM:
            size = max(1, min(fitting, size - 1))
            continue
        yield piece
        start += size
        size = min(_ROOM, max(1, fitting))
