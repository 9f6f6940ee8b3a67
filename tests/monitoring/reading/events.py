"""Captured events as SageMaker writes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from monitoring.reading import Capture

BINARY = Capture(("age", "job"), {"1": "p"}, "predicted", "id", "at")
MULTICLASS = Capture(("age", "job"), {"a": "p_a", "b": "p_b", "c": "p_c"}, "predicted", "id", "at")
REGRESSION = Capture(("age", "job"), {}, "predicted", "id", "at")

_ENCODINGS = {"text/csv": "CSV", "application/json": "JSON"}


def side(body: str | bytes, kind: str) -> dict[str, str]:
    """One side of an event; what is neither CSV nor JSON is kept as BASE64."""
    encoding = _ENCODINGS.get(kind.partition(";")[0], "BASE64")
    if encoding == "BASE64":
        body = base64.b64encode(body if isinstance(body, bytes) else body.encode()).decode()
    assert isinstance(body, str)
    return {"observedContentType": kind, "mode": "INPUT", "data": body, "encoding": encoding}


def event(
    request: Any, answer: Any, kind: str = "application/json", answered: str | None = None, **metadata: Any
) -> dict[str, Any]:
    """An event; bodies that are no text become JSON."""
    texts = [body if isinstance(body, str | bytes) else json.dumps(body) for body in (request, answer)]
    return {
        "captureData": {"endpointInput": side(texts[0], kind), "endpointOutput": side(texts[1], answered or kind)},
        "eventMetadata": {"eventId": "e", "inferenceTime": "2026-01-01T00:00:00Z", **metadata},
        "eventVersion": "0",
    }


def write_events(path: Path, events: Iterable[Any], rest: str = "") -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in events) + rest)
    return path
