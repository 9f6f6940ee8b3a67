"""Between the HTTP server and the routes: reads the body, writes the response, logs."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from model_server.errors import TooLarge
from model_server.routes import Request, Response, Routes, refused

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Application:
    """The ASGI application; `in_flight` counts the requests that are not answered yet."""

    def __init__(self, routes: Routes, largest_body: int) -> None:
        self.in_flight = 0
        self._routes = routes
        self._largest = largest_body

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        started = time.perf_counter()
        self.in_flight += 1
        try:
            response = await self._respond(scope, receive)
            await _write(response, send)
        except _DisconnectedError:
            return
        finally:
            self.in_flight -= 1
        if scope["path"] != "/ping":
            log(_line(scope, response, time.perf_counter() - started))

    async def _respond(self, scope: Mapping[str, Any], receive: Receive) -> Response:
        headers = dict(scope["headers"])
        try:
            body = await self._body(receive)
        except TooLarge as refusal:
            return refused(refusal)
        request = Request(
            scope["method"],
            scope["path"],
            headers.get(b"content-type", b"").decode("latin-1"),
            headers.get(b"accept", b"").decode("latin-1"),
            body,
        )
        if self._routes.is_quick(request):
            return self._routes.handle(request)
        return await asyncio.get_running_loop().run_in_executor(None, self._routes.handle, request)

    async def _body(self, receive: Receive) -> bytes:
        """All of the body; one that is too large is read to its end and dropped, so that its sender gets the answer."""
        parts: list[bytes] = []
        length = 0
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _DisconnectedError
            part = message.get("body", b"")
            length += len(part)
            if length <= self._largest:
                parts.append(part)
            more = message.get("more_body", False)
        if length > self._largest:
            message = f"the body has {length} bytes; at most {self._largest} are read, so send fewer rows at once"
            raise TooLarge("too_large", message)
        return b"".join(parts)


class _DisconnectedError(Exception):
    """The caller went away before its request was complete."""


async def _write(response: Response, send: Send) -> None:
    headers = [
        (b"content-type", response.type.encode("latin-1")),
        (b"content-length", str(len(response.body)).encode()),
    ]
    if response.status == 503:  # the connection of a server that is about to go is of no more use
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def _line(scope: Mapping[str, Any], response: Response, seconds: float) -> dict[str, Any]:
    # Neither the message nor the body: both may hold what a row says about a person.
    return {
        "route": scope["path"],
        "status": response.status,
        "milliseconds": round(seconds * 1000, 3),
        "rows": response.rows,
        "code": response.refusal and response.refusal.code,
        "field": response.refusal and response.refusal.field,
        "cause": response.cause,
    }


def log(members: Mapping[str, Any]) -> None:
    """Writes one JSON line to standard output, without the members that are None."""
    line = {"time": time.time(), **{name: value for name, value in members.items() if value is not None}}
    sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    sys.stdout.buffer.flush()
