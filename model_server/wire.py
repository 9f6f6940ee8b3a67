"""One connection, held to bounds: the size of heads, the pace of bodies and answers, and refusals in their turn.

uvicorn's protocol has no bound of its own but for idle connections. What is counted here costs a request of one row
some additions; time is looked at once a second, by the server for all of its connections.
"""

from __future__ import annotations

from typing import Any, cast

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from model_server import media
from model_server.asgi import Application
from model_server.bounds import (
    GUEST_SECONDS,
    HEAD_BYTES,
    HEADERS,
    LINGER_SECONDS,
    PACE,
    PATIENCE_SECONDS,
    PIPELINED,
)
from model_server.errors import BadRequest, HeadTooLarge, Late, NotReady, Refused
from model_server.routes import Response

_FRAMING = (b"content-length", b"transfer-encoding")
UNREADABLE = "(unreadable)"
"""What the log has as the route of a request that could not be read."""


class Wire(HttpToolsProtocol):
    """uvicorn's protocol, which answers what breaks a bound with a sentence, once all before it is answered."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._application = cast("Application", self.app)
        self._unanswered = 0  # requests that are read and begun
        self._refusal: Refused | None = None
        self._lingering = 0
        self._guest = False
        self._age = 0
        # Of the request that is being read; `_quiet` are bytes since its beginning or the last of its body's parts,
        # less those that came together with that.
        self._open = False
        self._in_cycle = False
        self._number = 0
        self._arriving = 0
        self._quiet = 0
        self._body_bytes = 0
        # As it was a second ago.
        self._rested = 0
        self._idle = 0
        self._seen = -1
        self._seconds = 0
        self._unsent = 0
        self._taken = 0
        self._taking_seconds = 0

    def connection_made(self, transport: Any) -> None:
        """A caller is there, whether or not it says anything."""
        super().connection_made(transport)
        self._guest = self._application.room.enter(self, len(self.connections))

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        if self._guest:
            self._application.room.left(self)
        self.pipeline.clear()  # what waits in it refers back to this
        super().connection_lost(exc)

    def leave(self) -> None:
        """Ends a connection that has no place."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Some bytes arrived, of one request or of several."""
        self._unset_keepalive_if_required()
        if len(data) <= HEAD_BYTES:
            self._take(data)
            return
        for start in range(0, len(data), HEAD_BYTES):  # so that what is no body is counted closely enough
            self._take(data[start : start + HEAD_BYTES])

    def _take(self, data: bytes) -> None:
        if self._refusal:
            return
        self._open = True
        self._arriving = len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            self.refuse(_reason(error))
            return
        self._quiet += self._arriving
        if self._open and (self._quiet > HEAD_BYTES or len(self.headers or ()) > HEADERS):
            self.refuse(_head_too_large())
        elif len(self.pipeline) > PIPELINED:
            self.refuse(BadRequest("pipelined", f"more than {PIPELINED} requests wait for an answer; send fewer ahead"))

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]  # no wish for another protocol is granted
            else:
                return

    def begun(self) -> None:
        """A request begins."""
        self._open = True
        self._in_cycle = False
        self._number += 1
        self._quiet = -self._arriving
        self._body_bytes = 0

    def headed(self) -> None:
        """All headers of the request are there; raises HeadTooLarge or NotReady."""
        many = len(self.headers) > HEADERS
        # What began with the bytes at hand is no longer than they are.
        if many or (self._quiet >= 0 and _size(self.url, self.headers) > HEAD_BYTES):
            raise _head_too_large()
        if self._guest and self.url != b"/ping":
            raise _crowded(self._application.room.places)

    def on_headers_complete(self) -> None:
        """The request goes uvicorn's own way; raises BadRequest."""
        # The parser gives no body to a request for another protocol, and would read it as the next request.
        if self.parser.should_upgrade() and any(name in _FRAMING for name, _ in self.headers):
            raise BadRequest(
                "upgrade", "Upgrade asks for another protocol; this server speaks HTTP/1.1, so leave it out"
            )
        super().on_headers_complete()
        if self._guest:
            self.cycle.keep_alive = False
        self._in_cycle = True

    def on_body(self, body: bytes) -> None:
        """A part of a body that goes uvicorn's own way."""
        self._quiet = -self._arriving
        self._body_bytes += len(body)
        super().on_body(body)

    def ended(self) -> None:
        """All of the request is there."""
        self._open = False
        self._quiet = -self._arriving

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._unanswered += 1
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """A request was answered in uvicorn's own way."""
        self._unanswered -= 1
        super().on_response_complete()
        self.answered()

    def answered(self) -> None:
        """What waits for the answers before it is said, when the last of them is."""
        if self._refusal and not self._unanswered and not self._lingering:
            self._say(self._refusal)

    def refuse(self, why: Refused) -> None:
        """Answers the request that is being read with *why*, in its turn, and reads no further."""
        if self._refusal or self.transport.is_closing():
            return
        # Its traceback would keep what has arrived, until cycles are collected.
        why.__traceback__ = why.__cause__ = why.__context__ = None
        self._refusal = why
        if self._in_cycle and self._open and self._told_already():
            self.transport.close()
            return
        self.answered()

    def _told_already(self) -> bool:
        """Takes the request that is being read away from the application; whether that has answered it."""
        cycle = self.cycle
        for waiting in self.pipeline:
            if waiting[0] is cycle:
                self.pipeline.remove(waiting)
                return False
        if cycle.response_started:
            return True
        cycle.disconnected = True
        cycle.message_event.set()
        self._unanswered -= 1
        return False

    def _say(self, why: Refused) -> None:
        self._lingering = 1
        if self.transport.is_closing():
            return
        body = orjson.dumps(why.body())
        head = b"content-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (media.JSON.encode(), len(body))
        self.transport.write(STATUS_LINE[why.status] + head + body)
        self.transport.write_eof()
        self._application.note(UNREADABLE, Response(why.status, media.JSON, body, refusal=why), 0.0)

    def look(self) -> None:
        """Once a second: ends what takes too long."""
        if self._lingering:
            self._lingering += 1
            if self._lingering > LINGER_SECONDS + 1:
                self.transport.abort()
            return
        self._age += 1
        if self._guest and self._age > GUEST_SECONDS:
            self.transport.abort()
            return
        self._look_at_answers()
        self._look_at_rest()
        if self._seen != self._number or not self._open:
            self._seen = self._number if self._open else -1
            self._seconds = 0
        elif not self.flow.read_paused and not (self._in_cycle and self.cycle.waiting_for_100_continue):
            self._seconds += 1
            if self._body_bytes < PACE * (self._seconds - PATIENCE_SECONDS):
                self.refuse(_late(self._seconds))

    def _look_at_rest(self) -> None:
        """Who says nothing has to leave: uvicorn's own timer is never set for one that has not asked, nor in a lane."""
        if self._open or self._unanswered or self._rested != self._number:
            self._rested = self._number
            self._idle = 0
            return
        self._idle += 1
        if self._idle > self.timeout_keep_alive:
            self.transport.close()

    def _look_at_answers(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        self._taken += max(0, self._unsent - unsent)
        self._taking_seconds += 1
        if not unsent or not self._unsent:
            self._taken = self._taking_seconds = 0
        elif self._taken < PACE * (self._taking_seconds - PATIENCE_SECONDS):
            self.transport.abort()
        self._unsent = unsent


def _size(url: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)


def _head_too_large() -> HeadTooLarge:
    sentence = (
        f"the head of the request has more than {HEAD_BYTES} bytes or {HEADERS} headers; send fewer and shorter ones"
    )
    return HeadTooLarge("head_too_large", sentence)


def _crowded(places: int) -> NotReady:
    sentence = f"there are {places} connections already, the most that this worker takes; use fewer, or try again soon"
    return NotReady("crowded", sentence)


def _late(seconds: int) -> Late:
    sentence = (
        f"the request is not complete after {seconds} s; send all of it within {PATIENCE_SECONDS} s, "
        f"or at {PACE} bytes a second"
    )
    return Late("late", sentence)


def _reason(error: httptools.HttpParserError) -> Refused:
    cause = error.__context__
    if isinstance(cause, Refused):
        return cause
    why = error if cause is None or isinstance(cause, httptools.HttpParserError) else "its path is none"
    return BadRequest("malformed", f"the request cannot be read as HTTP: {why}")
