"""Lines in blocks, and the JSON in a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from monitoring.errors import DataError
from monitoring.reading.kinds import Source

BLOCK = 4 * 1024 * 1024
_LONGEST = 256 * 1024 * 1024
"""Line, in bytes."""
_DEEPEST = 200
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')
"""A whole text, in which a bracket is none, or a bracket."""


class Block(NamedTuple):
    """Some complete lines, and the number of the first."""

    first: int
    text: bytes

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Each that is not empty, with its number."""
        for number, line in enumerate(self.text.split(b"\n"), self.first):
            if line.strip():
                yield number, line


def blocks(source: Source) -> Iterator[Block]:
    """All lines of a file."""
    first = 1
    rest = bytearray()
    with source.open() as file:
        rest += file.read(BLOCK).removeprefix(b"\xef\xbb\xbf")
        while more := file.read(BLOCK):
            if end := rest.rfind(b"\n") + 1:
                block = Block(first, bytes(rest[:end]))
                yield block
                first += block.text.count(b"\n")
                del rest[:end]
            if len(rest) > _LONGEST:
                raise DataError(f"{source.path}, line {first}: it has more than {_LONGEST} bytes; write shorter lines")
            rest += more
    if rest:
        yield Block(first, bytes(rest))


def parse(text: bytes | str) -> Any:
    """What a JSON text says; raises ValueError.

    NaN and Infinity, which are no JSON but often written, are numbers.
    """
    if _too_deep(text):
        raise ValueError("it is nested too deep")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _lenient(text)


def _too_deep(text: bytes | str) -> bool:
    """Whether brackets stand in each other deeper than every reader and writer of JSON follows them."""
    written = text.encode(errors="replace") if isinstance(text, str) else text
    if written.count(b"[") + written.count(b"{") <= _DEEPEST:
        return False
    depth = 0
    for found in _BRACKETS.finditer(written):
        depth += (found[0] in (b"[", b"{")) - (found[0] in (b"]", b"}"))
        if depth > _DEEPEST:
            return True
    return False


def _lenient(text: bytes | str) -> Any:
    try:
        value = json.loads(text.decode() if isinstance(text, bytes) else text)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise ValueError("it is no UTF-8 text") from error
    except UnicodeEncodeError as error:
        raise ValueError("it has half of a surrogate pair") from error
    return value


def plain(value: Any) -> str:
    """A value as JSON writes it, a text as it is."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
