"""The lines of a file, some at a time: a file may be larger than the memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

SIZE = 512 * 1024
"""Of a block, in bytes."""
SHOWN = 1000
"""Bytes that are kept of a line that is too long."""
MARK = b"\xef\xbb\xbf"
"""What spreadsheets put before the first line of a file; it is no part of the line."""


class Block(NamedTuple):
    """Whole lines with their ends, of which the last one of a file may have none."""

    content: bytes

    @property
    def lines(self) -> list[bytes]:
        """Each line with its end; a line ends with a newline, and with nothing else."""
        parts = self.content.split(b"\n")
        return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


class TooLong(NamedTuple):
    """A line that is longer than one request may be; only its beginning was kept."""

    head: bytes
    length: int


def blocks(file: BinaryIO, longest: int) -> Iterator[Block | TooLong]:
    """All lines of *file*; none that is longer than *longest* bytes is held in memory."""
    rest = _begin(file)
    while True:
        chunk = file.read(SIZE)
        rest += chunk
        if (first := _first(rest)) > longest or (not first and len(rest) > longest):
            too_long, rest = _skip(file, rest)
            yield too_long
            continue
        end = rest.rfind(b"\n") + 1 if chunk else len(rest)
        if end:
            yield Block(rest[:end])
            rest = rest[end:]
        if not chunk:
            return


def _begin(file: BinaryIO) -> bytes:
    start = file.read(len(MARK))
    return b"" if start == MARK else start


def _first(content: bytes) -> int:
    """The length of the first line; 0 while its end has not come."""
    return content.find(b"\n") + 1


def _skip(file: BinaryIO, rest: bytes) -> tuple[TooLong, bytes]:
    """The first line of *rest*, read to its end, and what follows it."""
    head, length = rest[:SHOWN], 0
    while not (end := _first(rest)):
        length += len(rest)
        rest = file.read(SIZE)
        if not rest:
            return TooLong(head, length), b""
    return TooLong(head, length + end), rest[end:]
