"""The requests that the servers get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROWS = "rows.csv"
BIG_ROWS = 34_864
"""5 MB of CSV."""
HUGE_TIMES = 19
"""100 MB of CSV are so many times that."""


@dataclass(frozen=True)
class Payload:
    """A request's body; one of JSON is only its rows, for each server to be put in its own form."""

    name: str
    content_type: str
    body: bytes
    rows: int


def payloads(folder: Path) -> Mapping[str, Payload]:
    """Requests by name, made of the rows that the model was fitted on."""
    lines = (folder / ROWS).read_bytes().splitlines(keepends=True)
    big = b"".join(lines[place % len(lines)] for place in range(BIG_ROWS))
    found = [
        Payload("one-row CSV", "text/csv", lines[0], 1),
        Payload("one-row JSON", "application/json", b"[[%b]]" % lines[0].strip(), 1),
        Payload("1,000-row CSV", "text/csv", b"".join(lines[:1000]), 1000),
        Payload("5 MB CSV", "text/csv", big, BIG_ROWS),
    ]
    return {payload.name: payload for payload in found}
