"""What a reply may be held to, each as a few words and a function that says what is wrong."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from model_server import media
from model_server.signature import Signature
from pipelines.stages.verifying.asking import Reply

_MEMBERS = {
    "binary": {"probability", "prediction"},
    "multiclass": {"probabilities", "prediction"},
    "regression": {"prediction"},
}


class Outcome(NamedTuple):
    """What is promised, and what in a reply with the right status is not so (None if all is)."""

    told: str
    statuses: range
    wrong: Callable[[bytes], str | None] = lambda _: None

    def difference(self, reply: Reply) -> str | None:
        """Why *reply* is not what was promised."""
        if reply.status not in self.statuses:
            return f"got {told(reply)}"
        try:
            return self.wrong(reply.body)
        except (ValueError, KeyError, TypeError, IndexError, pa.ArrowException) as error:
            return f"got an answer that cannot be read ({type(error).__name__}: {error}): {reply.text!r}"


def told(reply: Reply, *, quiet: bool = False) -> str:
    """A reply in a few words: its status, and of a refusal the message, or *quiet* what quotes no value: the code."""
    if reply.status == 200:
        return "200"
    try:
        message = json.loads(reply.body)["code" if quiet else "message"]
    except (ValueError, KeyError, TypeError):
        message = "" if quiet else reply.text
    return ": ".join(filter(None, (str(reply.status or reply.failure), message[:300])))


def refused(status: int) -> Outcome:
    """Refused with *status* and a reason for programs and people."""

    def wrong(body: bytes) -> str | None:
        missing = {"code", "message"} - json.loads(body).keys()
        return f"got a refusal without {' and '.join(sorted(missing))}" if missing else None

    return Outcome(f"refused with {status}", range(status, status + 1), wrong)


def refused_somehow() -> Outcome:
    """Refused as the caller's fault; what a model's own code says beyond that is its author's."""
    return Outcome("refused with 4xx", range(400, 500))


def not_failed() -> Outcome:
    """Answered or refused: a model's own code decides."""
    return Outcome("answered or refused", range(200, 500))


def marked(mark: str, words: str) -> Outcome:
    """A single JSON row that is answered with the member *mark*."""

    def wrong(body: bytes) -> str | None:
        (row,) = json.loads(body)["predictions"]
        return None if mark in row else f"got an answer without {mark}: {body[:300].decode(errors='replace')}"

    return Outcome(words, range(200, 201), wrong)


def answered(signature: Signature, kind: str, rows: int) -> Outcome:
    """*rows* answers in content type *kind*, of the shape that the model's task has."""

    def wrong(body: bytes) -> str | None:
        shape = _SHAPES[kind](signature, body)
        return None if shape == rows else f"got {shape} answers of the right shape"

    return Outcome(f"{rows} answer{'s' if rows > 1 else ''}", range(200, 201), wrong)


def _json(signature: Signature, body: bytes) -> int:
    return _objects(signature, json.loads(body)["predictions"])


def _lines(signature: Signature, body: bytes) -> int:
    return _objects(signature, [json.loads(line) for line in body.splitlines()])


def _objects(signature: Signature, rows: list[Any]) -> int:
    return sum(_MEMBERS[signature.task] <= row.keys() and "error" not in row for row in rows)


def _csv(signature: Signature, body: bytes) -> int:
    lines = list(csv.reader(body.decode().splitlines()))
    return sum(len(line) == len(signature.outputs) and all(line) for line in lines)


def _npy(signature: Signature, body: bytes) -> int:
    numbers = np.load(io.BytesIO(body), allow_pickle=False)
    width = len(signature.classes) if signature.task == "multiclass" else 1
    return len(numbers) if numbers.shape[1:] == (width,) and np.isfinite(numbers).all() else 0


def _table(signature: Signature, table: pa.Table) -> int:
    return len(table) if tuple(table.column_names[: len(signature.outputs)]) == signature.outputs else 0


_SHAPES: dict[str, Callable[[Signature, bytes], int]] = {
    media.JSON: _json,
    media.JSON_LINES: _lines,
    media.CSV: _csv,
    media.NPY: _npy,
    media.PARQUET: lambda signature, body: _table(signature, pq.read_table(io.BytesIO(body))),
    media.ARROW: lambda signature, body: _table(signature, pa.ipc.open_stream(body).read_all()),
}
