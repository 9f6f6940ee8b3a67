"""Golden requests: what a released model answered when it was measured, and must answer wherever it runs."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model_server import media

FILE = "golden.json"


@dataclass(frozen=True)
class GoldenRequest:
    """A request and its answer, as text."""

    content_type: str
    accept: str
    body: str
    answer: str


@dataclass(frozen=True)
class Golden:
    """The golden requests of a package, and how far a number may be from the stored one.

    The tolerance is in proportion to the stored number, or to `scale` where that is more: a sum of a regression's trees
    in 32 bits is as exact as its largest terms, not as its result near zero.
    """

    tolerance: float
    requests: tuple[GoldenRequest, ...]
    scale: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """The content of `golden.json`."""
        return asdict(self)

    @classmethod
    def read(cls, folder: Path) -> Golden | None:
        """The `golden.json` of an unpacked package; None where a package has none yet."""
        file = folder / FILE
        if not file.exists():
            return None
        content = json.loads(file.read_bytes())
        requests = tuple(GoldenRequest(**request) for request in content["requests"])
        return cls(content["tolerance"], requests, content.get("scale", 1.0))

    def difference(self, request: GoldenRequest, answer: bytes) -> str | None:
        """What in *answer* is not as stored, in a sentence; None when all is."""
        stored = _parse(request.accept, request.answer)
        got = _parse(request.accept, answer.decode())
        if isinstance(got, dict) and isinstance(stored, dict) and "id" not in stored:
            got.pop("id", None)  # each answer has another
        return self._difference(stored, got, "the answer")

    def _difference(self, stored: Any, got: Any, where: str) -> str | None:
        if isinstance(stored, dict) and isinstance(got, dict) and stored.keys() == got.keys():
            return self._any_difference([(stored[key], got[key], f"{where}.{key}") for key in stored])
        if isinstance(stored, list) and isinstance(got, list) and len(stored) == len(got):
            pairs = enumerate(zip(stored, got, strict=True))
            return self._any_difference([(one, other, f"{where}[{place}]") for place, (one, other) in pairs])
        if isinstance(stored, float) and isinstance(got, float | int):
            same = abs(stored - got) <= self.tolerance * max(self.scale, abs(stored))
        else:
            same = stored == got
        return None if same else f"{where} is {got!r}; stored is {stored!r}, within {self.tolerance:g}"

    def _any_difference(self, pairs: Sequence[tuple[Any, Any, str]]) -> str | None:
        found = (self._difference(stored, got, where) for stored, got, where in pairs)
        return next((difference for difference in found if difference), None)


def _parse(kind: str, text: str) -> Any:
    match kind:
        case media.CSV:
            return [[_number(field) for field in line] for line in csv.reader(text.splitlines())]
        case media.JSON_LINES:
            return [json.loads(line) for line in text.splitlines()]
        case _:
            return json.loads(text)


def _number(field: str) -> float | str:
    try:
        return float(field)
    except ValueError:
        return field
