"""What the routes ask of a model."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Answer(NamedTuple):
    """A body, its content type, and how many rows it answers (None where only the model's own code knows)."""

    type: str
    body: bytes
    rows: int | None


class Contract(Protocol):
    """Answers the bytes of a request with the bytes of a response; raises Refused for the caller's faults.

    `quick` says that a small request is answered in well under a millisecond, so that it needs no thread of its own.
    """

    quick: bool

    def answer(self, body: bytes, content_type: str, accept: str) -> Answer: ...
