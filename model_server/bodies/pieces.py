"""Cuts a body that still arrives into pieces that can be read by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from model_server.bounds import LINE_BYTES
from model_server.errors import TooLarge

SIZE = 256 * 1024
"""Of a piece, in bytes: some milliseconds of work, so that pieces of one body keep every core busy."""


class Lines:
    """Cuts at ends of lines; in CSV not at those within quotes."""

    def __init__(self, *, quoted: bool) -> None:
        self._quoted = quoted
        self._rest = bytearray()
        # How far no end was found, and whether a quote is open there: nothing is searched twice.
        self._searched = 0
        self._open = False

    def cut(self, more: bytes, *, last: bool) -> Iterator[bytes]:
        """The pieces that are complete with *more*; raises TooLarge where one line is."""
        self._rest += more
        while len(self._rest) >= SIZE and (end := self._end()):
            _short(end)
            yield bytes(self._rest[:end])
            del self._rest[:end]
            self._searched = 0
            self._open = False
        _short(len(self._rest))
        if last and self._rest:
            yield bytes(self._rest)
            self._rest.clear()

    def _end(self) -> int:
        """After the last line that ends within a piece's size, else the first beyond it; 0 where none does yet."""
        if not self._searched:
            end = self._rest.rfind(b"\n", 0, SIZE) + 1
            self._advance(end or SIZE)
            if end and not self._open:
                return end
        while end := self._rest.find(b"\n", self._searched) + 1:
            self._advance(end)
            if not self._open:
                return end
        self._advance(len(self._rest))
        return 0

    def _advance(self, to: int) -> None:
        if self._quoted and self._rest.count(b'"', self._searched, to) % 2:
            self._open = not self._open
        self._searched = to


def _short(length: int) -> None:
    if length > LINE_BYTES:
        raise TooLarge(
            "too_large", f"a line, or what quotes make one, has more than {LINE_BYTES} bytes; send shorter rows"
        )


class Whole:
    """One piece, when all of it is there; *refusal* is for one of more than *largest* bytes."""

    def __init__(self, largest: float = float("inf"), refusal: str = "") -> None:
        self._parts: list[bytes] = []
        self._length = 0
        self._largest = largest
        self._refusal = refusal

    def cut(self, more: bytes, *, last: bool) -> Iterator[bytes]:
        """The body, with its last part; raises TooLarge."""
        self._parts.append(more)
        self._length += len(more)
        if self._length > self._largest:
            raise TooLarge("too_large", self._refusal)
        if last:
            yield b"".join(self._parts)
            self._parts.clear()
