"""SageMaker Data Capture: each line an event with a request, its answer, and when and how they were sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from monitoring.errors import DataError
from monitoring.reading.answers import Answers
from monitoring.reading.bodies import Unreadable, body
from monitoring.reading.gathering import Gathered
from monitoring.reading.kinds import Source
from monitoring.reading.lines import blocks, parse
from monitoring.reading.problems import Problems
from monitoring.reading.requests import Requests
from monitoring.reading.values import column

_EVENT = re.compile(rb'"captureData"\s*:')  # within a text the quotes would be escaped
_ROWS = 16_384


@dataclass(frozen=True)
class Capture:
    """How captured bodies become columns.

    `inputs` are the features in the order of a CSV request without header; `scores` names a column for each class (one
    for a binary model, none for a regression), the others a column each, where it is wanted.
    """

    inputs: tuple[str, ...]
    scores: Mapping[str, str] = field(default_factory=dict)
    prediction: str | None = None
    row_id: str | None = None
    timestamp: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is made, each once."""
        single = (self.prediction, self.row_id, self.timestamp)
        return tuple(dict.fromkeys((*self.inputs, *self.scores.values(), *(name for name in single if name))))


def is_capture(source: Source) -> bool:
    """Whether the file's beginning has a captured event."""
    return _EVENT.search(source.head) is not None


def batches(source: Source, columns: Sequence[str], capture: Capture | None, problems: Problems) -> Iterator[Any]:
    """The rows of the events that can be read; the others are counted.

    Scores and predictions are absent from a batch in which no answer has any.
    """
    if capture is None:
        raise DataError(f"{source.path} holds captured events; say which columns their bodies have")
    rows = _Rows(capture, columns)
    for block in blocks(source):
        for number, line in block.lines():
            try:
                lacking = rows.add(line)
            except Unreadable as error:
                lacking = str(error)
            if lacking:
                problems.add(lacking, source.path, number)
            if len(rows) >= _ROWS:
                yield rows.batch()
        yield rows.batch()


class _Rows:
    """Rows on their way to a batch."""

    def __init__(self, capture: Capture, columns: Sequence[str]) -> None:
        self._capture = capture
        self._columns = list(dict.fromkeys(columns))
        self._requests = Requests(capture.inputs)
        self._answers = Answers(list(capture.scores))
        self._gathered = Gathered(len(capture.inputs))
        self._given: list[Any] = []
        self._ids: list[str | None] = []
        self._times: list[str | None] = []

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, line: bytes) -> str | None:
        """The rows of an event, and what they are without, if anything; raises Unreadable."""
        data, metadata = _event(line)
        requests = self._requests.rows(body(data.get("endpointInput")))
        answered = data.get("endpointOutput") is not None
        if answered:
            self._given += self._answers.rows(body(data["endpointOutput"]), len(requests))
        else:
            self._given += [self._answers.none] * len(requests)
        self._gathered.add(requests)
        self._times += [metadata.get("inferenceTime")] * len(requests)
        identity = metadata.get("inferenceId") or metadata.get("eventId")
        if len(requests) == 1 or identity is None:
            self._ids += [identity] * len(requests)
        else:
            self._ids += [f"{identity}/{row}" for row in range(len(requests))]
        return None if answered else "an event has no answer, only features"

    def batch(self) -> Any:
        """All rows until now, which are then forgotten."""
        capture = self._capture
        count = len(self)
        outputs = zip((*capture.scores.values(), capture.prediction), zip(*self._given, strict=True), strict=False)
        made: dict[str | None, Any] = dict(zip(capture.inputs, self._gathered.columns(), strict=False))
        made |= {name: column(values) for name, values in outputs if any(value is not None for value in values)}
        made |= {capture.row_id: column(self._ids), capture.timestamp: column(self._times)}
        chosen = [name for name in self._columns if name in made]
        arrays = [made[name] for name in chosen] or [pa.nulls(count)]
        self._given, self._ids, self._times = [], [], []
        return pa.record_batch(arrays, names=chosen or [""]).select(chosen)


def _event(line: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        event = parse(line)
    except ValueError as error:
        raise Unreadable("a line is no JSON") from error
    if not isinstance(event, dict) or not isinstance(data := event.get("captureData"), dict):
        raise Unreadable("a line is no captured event")
    metadata = event.get("eventMetadata")
    return data, metadata if isinstance(metadata, dict) else {}
