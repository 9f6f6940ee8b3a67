"""The body of a request as it arrives: counted, and inflated where it is compressed."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

from model_server.errors import BadRequest, TooLarge, UnsupportedType

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

_STEP = 256 * 1024
"""How much of a compressed body is inflated at once, in bytes."""


class DisconnectedError(Exception):
    """The caller went away before its request was complete."""


class Intake:
    """Reads one body of at most *largest* bytes, of which *first* has arrived already; *keep* gets each part too."""

    def __init__(
        self,
        receive: Receive,
        first: Mapping[str, Any],
        encoding: str,
        largest: int,
        keep: Callable[[bytes], None] | None = None,
    ) -> None:
        self._receive = receive
        self._message = first
        self._encoding = encoding
        self._largest = largest
        self._keep = keep

    async def parts(self) -> AsyncIterator[bytes]:
        """The body's parts; raises TooLarge, BadRequest, UnsupportedType or DisconnectedError."""
        inflate = _inflater(self._encoding)
        length = 0
        while True:
            for part in inflate(self._message.get("body", b""), not self._more()):
                length += len(part)
                if length > self._largest:
                    raise await self._too_large(length)
                if self._keep:
                    self._keep(part)
                yield part
            if not self._more():
                return
            await self._next()

    async def drop(self) -> int:
        """Reads the rest to its end, so that its sender gets the answer; its length in bytes."""
        length = 0
        while self._more():
            await self._next()
            length += len(self._message.get("body", b""))
        return length

    def _more(self) -> bool:
        return self._message.get("more_body", False)

    async def _next(self) -> None:
        self._message = await self._receive()
        if self._message["type"] == "http.disconnect":
            raise DisconnectedError

    async def _too_large(self, length: int) -> TooLarge:
        has = f"has {length + await self.drop()} bytes" if self._encoding in _PLAIN else "inflates to more"
        return TooLarge("too_large", f"the body {has}; at most {self._largest} are read, so send fewer rows at once")


_PLAIN = ("", "identity")


def _inflater(encoding: str) -> Callable[[bytes, bool], Iterator[bytes]]:
    match encoding.strip().lower():
        case "" | "identity":
            return lambda part, _last: iter([part])
        case "gzip" | "x-gzip":
            return _Gzip().inflate
        case _:
            raise UnsupportedType(
                "content_encoding", f"Content-Encoding is {encoding!r}; send gzip, or the body as it is"
            )


class _Gzip:
    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)

    def inflate(self, part: bytes, last: bool) -> Iterator[bytes]:  # noqa: FBT001  as the plain one
        """What *part* holds, in steps of bounded size; raises BadRequest."""
        try:
            while part:
                if self._member.eof:  # a file of several members is one body
                    self._member = zlib.decompressobj(wbits=31)
                yield self._member.decompress(part, _STEP)
                part = self._member.unconsumed_tail or self._member.unused_data
        except zlib.error as error:
            raise BadRequest("malformed", f"the body is not gzip: {error}") from error
        if last and not self._member.eof:
            raise BadRequest("malformed", "the body is gzip that ends too early; send all of it")
