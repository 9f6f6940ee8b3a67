"""A short way through uvicorn for small invocations: no task, no ASGI messages, one write.

It takes a request only when the connection is at rest and all of it is sure to be small; anything else, or any doubt,
goes uvicorn's own way, which this class extends. Measured: half of the processor's time for a request of one row.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from model_server.contract import INVOCATIONS, QUICK_BYTES, Request
from model_server.identity import ATTRIBUTES, INFERENCE_ID, attributes
from model_server.routes import Response
from model_server.wire import Wire

Headers = Mapping[bytes, bytes]

_ROUTE = INVOCATIONS.encode()


class Lane(Wire):
    """uvicorn's protocol of one connection; its application is ours."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._small: Headers | None = None
        self._body = b""
        self._began = 0.0
        self._last_used = 0.0

    def on_message_begin(self) -> None:
        """The parser met a request; what ASGI wants to know of it is gathered only if ASGI is to answer it."""
        self.begun()
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """The parser has all headers."""
        self.headed()
        self._small = self._if_small()
        if self._small is None:
            url, headers, expect = self.url, self.headers, self.expect_100_continue
            super().on_message_begin()
            self.url, self.expect_100_continue = url, expect
            self.headers += headers
            super().on_headers_complete()
        else:
            self._body = b""
            self._began = time.perf_counter()

    def on_body(self, body: bytes) -> None:
        """The parser has a part of the body."""
        if self._small is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """The parser has all of the request."""
        self.ended()
        if self._small is None:
            super().on_message_complete()
            return
        headers, self._small = self._small, None
        request = Request(
            "POST",
            INVOCATIONS,
            headers.get(b"content-type", b"").decode("latin-1"),
            headers.get(b"accept", b"").decode("latin-1"),
            self._body,
            self._application.ids.of(headers),
        )
        self._application.in_flight += 1
        self._unanswered += 1
        self._application.together.submit(request, partial(self._answer, headers, request, self._began))

    def _if_small(self) -> Headers | None:
        parser = self.parser
        headers = dict(self.headers)
        length = headers.get(b"content-length", b"")
        small = (
            self.url == _ROUTE
            and parser.get_method() == b"POST"
            and 0 < len(length) <= 5
            and int(length) <= QUICK_BYTES
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and parser.get_http_version() == "1.1"
            and b"content-encoding" not in headers
            and b"transfer-encoding" not in headers
            and not self.expect_100_continue
        )
        resting = self.cycle is None or self.cycle.response_complete
        if small and resting and not self.pipeline and not self.flow.write_paused and self._application.is_quick():
            return headers
        return None

    def _answer(self, headers: Headers, request: Request, began: float, response: Response) -> None:
        self._application.in_flight -= 1
        self._unanswered -= 1
        if self.transport.is_closing():
            return
        length = b"%d\r\n" % len(response.body)
        identity = b"%b: %b\r\n" % (ATTRIBUTES, attributes(headers, request.id))
        echoed = b"%b: %b\r\n" % (INFERENCE_ID, headers[INFERENCE_ID]) if INFERENCE_ID in headers else b""
        closing = b"connection: close\r\n" if response.status == 503 else b""
        head = _head(response.status, response.type)
        self.transport.write(b"".join((head, length, identity, echoed, closing, b"\r\n", response.body)))
        if closing:
            self.transport.close()
        self.answered()
        recorder = self._application.recorder
        if recorder and recorder.chosen():
            recorder.offer(request.id, headers, request.content_type, request.body, response)
        self._application.note(INVOCATIONS, response, time.perf_counter() - began)

    # A timer that is set anew for each request costs more than one that looks, when it is due, whether it is.

    def _unset_keepalive_if_required(self) -> None:
        self._last_used = time.monotonic()

    def timeout_keep_alive_handler(self) -> None:
        """Closes the connection if nothing came for long enough; else looks again when that may be so."""
        idle = time.monotonic() - self._last_used
        if idle >= self.timeout_keep_alive and (self.cycle is None or self.cycle.response_complete):
            super().timeout_keep_alive_handler()
        else:
            self._look_again(max(1.0, self.timeout_keep_alive - idle))

    def on_response_complete(self) -> None:
        """A request was answered in uvicorn's own way."""
        self._forget_timer()
        super().on_response_complete()

    def connection_made(self, transport: Any) -> None:
        """A caller is there."""
        super().connection_made(transport)
        self._last_used = time.monotonic()
        self._look_again(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        super().connection_lost(exc)
        self._forget_timer()

    def _look_again(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _forget_timer(self) -> None:
        if self.timeout_keep_alive_task:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None


@lru_cache(maxsize=64)
def _head(status: int, content_type: str) -> bytes:
    return STATUS_LINE[status] + b"content-type: " + content_type.encode("latin-1") + b"\r\ncontent-length: "
