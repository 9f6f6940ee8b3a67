"""What a batch saw and said, as Data Capture writes it: monitoring reads it like the requests of an endpoint."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

from model_server.recording.masking import Masker, UnmaskableError
from pipelines.batch.objects import Json, Objects
from pipelines.container import StepError

ROWS = 1000
"""Of one event."""
SIZE = 16 * 1024 * 1024
"""Of one object, in characters, from which the next event begins another."""
FORMAT, DOCUMENT = "text/csv", "application/json"


class Answered(NamedTuple):
    """An object of a run: its accepted rows, and where their answers are."""

    name: str
    rows: str
    answers: str


class Recorder:
    """Writes the events of one run below a prefix; what is there already stays, so that nothing is counted twice."""

    def __init__(self, objects: Objects, prefix: str, run: str, at: datetime, mask: Masker | None = None) -> None:
        self._objects = objects
        self._begin = f"{prefix}{at:%Y/%m/%d/%H}/{run}"
        self._run = run
        self._mask = mask
        self._at = f"{at:%Y-%m-%dT%H:%M:%SZ}"

    def record(self, answered: Iterable[Answered]) -> None:
        """Writes the rows of some objects with their answers, in this order."""
        number, lines, size = 0, list[str](), 0
        for each in answered:
            for line in self._events(each):
                lines.append(line)
                size += len(line)
                if size >= SIZE:
                    self._write(number, lines)
                    number, lines, size = number + 1, [], 0
        if lines:
            self._write(number, lines)

    def _masked(self, mask: Masker, rows: bytes) -> bytes:
        try:
            return mask.request(f"{FORMAT}; header=absent", rows)
        except UnmaskableError as error:
            raise StepError(
                f"run {self._run}: accepted rows cannot be masked, so they are not recorded; let nobody change objects "
                "of a run on its way, and start the run again"
            ) from error

    def _write(self, number: int, lines: list[str]) -> None:
        self._objects.put_first(f"{self._begin}-{number}.jsonl", "".join(lines).encode())

    def _events(self, each: Answered) -> Iterator[str]:
        rows, answers = self._objects.lines(each.rows), self._objects.lines(each.answers)
        first = 0
        while given := list(islice(rows, ROWS)):
            said = list(islice(answers, ROWS))
            yield json.dumps(self._event(each.name, first, b"".join(given), b"".join(said))) + "\n"
            first += len(given)

    def _event(self, name: str, first: int, rows: bytes, answers: bytes) -> Json:
        identity = f"{self._run}/{name}"
        given, masked = _side("INPUT", FORMAT, rows), {}
        if self._mask:
            given, masked = _side("INPUT", DOCUMENT, self._masked(self._mask, rows)), {"masked": self._mask.id}
        return {
            "captureData": {"endpointInput": given, "endpointOutput": _side("OUTPUT", FORMAT, answers)},
            "eventMetadata": {
                "eventId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._begin}/{name}/{first}")),
                "inferenceId": identity,
                "inferenceTime": self._at,
                "firstRow": first,
                **masked,
            },
            "eventVersion": "0",
        }


def _side(mode: str, kind: str, content: bytes) -> dict[str, str]:
    encoding = "JSON" if kind == DOCUMENT else "CSV"
    return {"observedContentType": kind, "mode": mode, "data": content.decode(errors="replace"), "encoding": encoding}


def moment(text: str) -> datetime:
    """A time in ISO 8601, which is UTC where it does not say."""
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
