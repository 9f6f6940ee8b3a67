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
from monitoring.reading.gathering import Gathered, Rows
from monitoring.reading.kinds import Source
from monitoring.reading.lines import blocks, parse, plain
from monitoring.reading.masked import Masks
from monitoring.reading.problems import Problems
from monitoring.reading.requests import Requests
from monitoring.reading.values import column

_EVENT = re.compile(rb'"captureData"\s*:')  # within a text the quotes would be escaped
_NAMED = re.compile(r"(?:^|;)\s*inference-id=([^;]+)")
_ROWS = 16_384


@dataclass(frozen=True)
class Capture:
    """How captured bodies become columns.

    `inputs` are the features in the order of a CSV request without header; `scores` names a column for each class (one
    for a binary model, none for a regression), the others a column each, where it is wanted. Records with masked values
    are rows only to who has their `masks`.
    """

    inputs: tuple[str, ...]
    scores: Mapping[str, str] = field(default_factory=dict)
    prediction: str | None = None
    row_id: str | None = None
    timestamp: str | None = None
    masks: Masks | None = None

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
        self._requests = Requests(capture.inputs, capture.row_id)
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
        requests, own = self._requests.read(body(data.get("endpointInput")))
        if (masked := metadata.get("masked")) is not None:
            requests = self._unmasked(masked, requests)
        answered = data.get("endpointOutput") is not None
        said = None
        if answered:
            answers, said = self._answers.read(body(data["endpointOutput"]), len(requests))
            self._given += answers
        else:
            self._given += [self._answers.none] * len(requests)
        self._gathered.add(requests)
        self._times += [metadata.get("inferenceTime")] * len(requests)
        self._ids += _ids(metadata, said, own, len(requests))
        return None if answered else "an event has no answer, only features"

    def _unmasked(self, identity: Any, rows: Rows) -> Rows:
        if self._capture.masks is None:
            raise Unreadable("a record is masked, and only who has the package's masks can count it")
        return self._capture.masks.read(identity, self._capture.inputs, rows)

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


def _ids(metadata: Mapping[str, Any], said: str | None, own: Sequence[Any], count: int) -> Sequence[str | None]:
    """The id of each row: its sender's own, else that of the event, and where it has several rows, the row's number."""
    identity = metadata.get("inferenceId") or _attribute(metadata) or said or metadata.get("eventId")
    first = metadata.get("firstRow")
    numbered = isinstance(first, int) or count > 1
    if identity is None or not numbered:
        ids = [identity] * count
    else:
        start = first if isinstance(first, int) else 0
        ids = [f"{identity}/{row}" for row in range(start, start + count)]
    if own:
        return [each if mine in (None, "") else plain(mine) for each, mine in zip(ids, own, strict=True)]
    return ids


def _attribute(metadata: Mapping[str, Any]) -> str | None:
    """The id that our model server reads from custom attributes, and writes into them."""
    given = metadata.get("customAttributes")
    texts = given if isinstance(given, list) else [given]
    found = [name for text in texts if isinstance(text, str) for name in _NAMED.findall(text)]
    return found[-1].strip() if found else None


def _event(line: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        event = parse(line)
    except ValueError as error:
        raise Unreadable("a line is no JSON") from error
    if not isinstance(event, dict) or not isinstance(data := event.get("captureData"), dict):
        raise Unreadable("a line is no captured event")
    metadata = event.get("eventMetadata")
    return data, metadata if isinstance(metadata, dict) else {}
