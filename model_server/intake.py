"""The body of a request as it arrives: counted, and inflated where it is compressed."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

from model_server.bounds import GZIP_MEMBERS
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
        arrived = length = 0
        while True:
            arriving = self._message.get("body", b"")
            # Also as it came: gzip has members that hold nothing.
            arrived += len(arriving)
            for part in inflate(arriving, not self._more()):
                length += len(part)
                if max(arrived, length) > self._largest:
                    raise too_large(self._largest, "inflates to more" if length > arrived else "has more")
                if self._keep:
                    self._keep(part)
                yield part
            if not self._more():
                return
            await self._next()

    def _more(self) -> bool:
        return self._message.get("more_body", False)

    async def _next(self) -> None:
        self._message = await self._receive()
        if self._message["type"] == "http.disconnect":
            raise DisconnectedError


def announced(headers: Mapping[bytes, bytes], largest: int) -> None:
    """Raises TooLarge where the length that a request announces is enough to tell."""
    length = headers.get(b"content-length", b"0")
    if int(length) > largest:
        raise too_large(largest, f"has {int(length)} bytes")


def too_large(largest: int, what: str) -> TooLarge:
    """The refusal of a body which *what* says too much of."""
    return TooLarge("too_large", f"the body {what}; at most {largest} are read, so send fewer rows at once")


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
        self._members = 1

    def inflate(self, part: bytes, last: bool) -> Iterator[bytes]:  # noqa: FBT001  as the plain one
        """What *part* holds, in steps of bounded size; raises BadRequest or TooLarge."""
        try:
            while part:
                if self._member.eof:  # a file of several members is one body
                    self._member = zlib.decompressobj(wbits=31)
                    self._members += 1
                    if self._members > GZIP_MEMBERS:
                        raise TooLarge("too_large", f"the body is gzip of more than {GZIP_MEMBERS} members; send fewer")
                yield self._member.decompress(part, _STEP)
                part = self._member.unconsumed_tail or self._member.unused_data
        except zlib.error as error:
            raise BadRequest("malformed", f"the body is not gzip: {error}") from error
        if last and not self._member.eof:
            raise BadRequest("malformed", "the body is gzip that ends too early; send all of it")
