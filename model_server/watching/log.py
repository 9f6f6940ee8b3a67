"""One JSON line for each thing that happened."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

_ATOMIC = 4096
"""In bytes: a pipe keeps what is written at once together up to this size, whoever else writes."""
_LONGEST_CAUSE = 3000


def log(members: Mapping[str, Any]) -> None:
    """Writes one line to standard output, without the members that are None."""
    write([members])


def write(lines: Iterable[Mapping[str, Any]]) -> None:
    """Writes several lines at once."""
    now = time.time()
    buffer = b""
    for members in lines:
        line = orjson.dumps({"time": now, **{name: value for name, value in members.items() if value is not None}})
        if len(buffer) + len(line) >= _ATOMIC and buffer:
            put(buffer)
            buffer = b""
        buffer += line + b"\n"
    if buffer:
        put(buffer)


def shortened(cause: str | None) -> str | None:
    """The end of a traceback, which says most."""
    return cause and cause[-_LONGEST_CAUSE:]


def put(content: bytes) -> None:
    """Writes lines as they are; at most 4096 bytes, or those of other processes may come between."""
    file = sys.stdout.fileno()
    while content:
        content = content[os.write(file, content) :]
