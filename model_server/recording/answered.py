"""An answer reduced to its numbers and classes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from model_server import media
from model_server.signature import Signature

_MEMBERS = {"predictions", "prediction", "probability", "probabilities", "predicted_label", "label", "score"}


def cleaned(signature: Signature, content_type: str, body: bytes) -> tuple[str, bytes]:
    """The type and body of an answer of which nothing is left but what a model says; raises ValueError."""
    kind, _ = media.content_type(content_type)
    classes = {str(label) for label in signature.classes}
    match kind:
        case media.JSON:
            return kind, orjson.dumps(_clean(orjson.loads(body), classes))
        case media.JSON_LINES:
            lines = [orjson.loads(line) for line in body.splitlines() if line.strip()]
            return kind, b"".join(orjson.dumps(_clean(line, classes)) + b"\n" for line in lines)
        case media.CSV:
            for row in csv.reader(io.StringIO(body.decode(), newline=""), strict=True):
                for field in row:
                    _known(field, classes)
            return kind, body
        case media.NPY:
            array = np.lib.format.read_array(io.BytesIO(body), allow_pickle=False)
            if array.dtype.kind not in "fiub":
                raise ValueError("an array of an answer has other values than numbers")
            return kind, body
        case _:
            return kind, _columns(signature, classes, kind, body)


def _clean(value: Any, classes: set[str]) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return _known(value, classes)
        case list():
            return [_clean(each, classes) for each in value]
        case dict():
            return {"error": {}} if "error" in value else _members(value, classes)
    raise ValueError("an answer has a value of no known type")


def _members(value: Mapping[str, Any], classes: set[str]) -> dict[str, Any]:
    kept = {name: each for name, each in value.items() if name in _MEMBERS or name in classes}
    return {name: _clean(each, classes) for name, each in kept.items()}


def _known(text: str, classes: set[str]) -> str:
    """A text that is a class or a number."""
    if text and text not in classes:
        float(text)
    return text


def _columns(signature: Signature, classes: set[str], kind: str, body: bytes) -> bytes:
    import pyarrow as pa  # noqa: PLC0415  other formats do without
    import pyarrow.parquet as pq  # noqa: PLC0415

    from model_server.answers import of_table  # noqa: PLC0415

    buffer = pa.BufferReader(body)
    table = pq.read_table(buffer) if kind == media.PARQUET else pa.ipc.open_stream(buffer).read_all()
    table = table.select([name for name in signature.outputs if name in table.column_names])
    for column in table.columns:
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            for text in column.unique().drop_null().to_pylist():
                _known(str(text), classes | {"True", "False"})
    return of_table(table, kind)
