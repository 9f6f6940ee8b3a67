"""Between the HTTP server and the routes: small requests that came together go together, large ones by pieces."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any

from model_server.contract import INVOCATIONS, QUICK_BYTES, Request
from model_server.errors import TooLarge
from model_server.identity import ATTRIBUTES, INFERENCE_ID, Ids, attributes
from model_server.intake import DisconnectedError, Intake, Receive, announced
from model_server.recording.recorder import Copy, Recorder
from model_server.room import Room
from model_server.routes import Response, Routes, answered, response_to
from model_server.together import Together

Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_LARGE_BODIES = 4
"""So many are read at the same time; the others wait unread, so that memory stays bounded."""
_PIECES_AHEAD = 4


class Application:
    """The ASGI application; `in_flight` counts the requests that are not answered yet."""

    def __init__(
        self,
        routes: Routes,
        note: Callable[[str, Response, float], None],
        largest_body: int,
        threads: Executor,
        recorder: Recorder | None = None,
        room: Room | None = None,
    ) -> None:
        self.in_flight = 0
        self.note = note
        self.ids = Ids()
        self.recorder = recorder
        self.room = room or Room()
        self.together = Together(routes)
        self._routes = routes
        self._largest = largest_body
        self._threads = threads
        self._large_bodies = asyncio.Semaphore(_LARGE_BODIES)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        self.in_flight += 1
        headers = dict(scope["headers"])
        path = scope["path"]
        identity = self.ids.of(headers) if path == INVOCATIONS else ""
        copy = Copy() if identity and self.recorder and self.recorder.chosen() else None
        try:
            request = Request(
                scope["method"],
                path,
                headers.get(b"content-type", b"").decode("latin-1"),
                headers.get(b"accept", b"").decode("latin-1"),
                id=identity,
            )
            response = await self._respond(request, headers, receive, copy)
            await _write(response, headers, identity, send)
        except DisconnectedError:
            return
        finally:
            self.in_flight -= 1
        if copy and self.recorder:
            self.recorder.offer(identity, headers, request.content_type, copy.body(), response)
        if path != "/ping":
            self.note(path, response, time.perf_counter() - started)

    async def _respond(
        self, request: Request, headers: Mapping[bytes, bytes], receive: Receive, copy: Copy | None
    ) -> Response:
        if request.path != INVOCATIONS or request.method != "POST":
            return self._routes.handle(request)
        try:
            announced(headers, self._largest)
        except TooLarge as error:
            return response_to(error)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        body = message["body"]
        keep = copy.keep if copy else None
        small = not message["more_body"] and len(body) <= QUICK_BYTES
        if small and b"content-encoding" not in headers and self.is_quick():
            if keep:
                keep(body)
            future = asyncio.get_running_loop().create_future()
            self.together.submit(request._replace(body=body), partial(_resolve, future))
            return await future
        encoding = headers.get(b"content-encoding", b"").decode("latin-1")
        return await self._by_pieces(request, Intake(receive, message, encoding, self._largest, keep))

    def is_quick(self) -> bool:
        """Whether small requests are answered at once."""
        return self._routes.contract is None or self._routes.contract.quick

    async def _by_pieces(self, request: Request, intake: Intake) -> Response:
        async with self._large_bodies:
            try:
                return await self._exchange(self._routes.defaulted(request), intake)
            except DisconnectedError:
                raise
            # What still comes of the body is dropped by the protocol as it arrives, so that nobody waits for it.
            except Exception as error:  # noqa: BLE001  whatever happened, the caller gets an answer
                return response_to(error)

    async def _exchange(self, request: Request, intake: Intake) -> Response:
        exchange = self._routes.ready().exchange(request)
        run = asyncio.get_running_loop().run_in_executor
        running: deque[asyncio.Future[Any]] = deque()
        parts: list[Any] = []

        async def take(pieces: Sequence[Any], ahead: int) -> None:
            running.extend(run(self._threads, exchange.part, piece) for piece in pieces)
            while len(running) > ahead:
                part = await running.popleft()
                parts.append(part)
                if exchange.settled(part):
                    exchange.finish(parts)  # raises: no later row changes the answer

        try:
            async for more in intake.parts():
                await take(list(exchange.pieces(more, last=False)), _PIECES_AHEAD)
            await take(list(exchange.pieces(b"", last=True)), 0)
        finally:
            for future in running:
                future.cancel()
        return answered(await run(self._threads, exchange.finish, parts))


def _resolve(future: asyncio.Future[Response], response: Response) -> None:
    if not future.done():  # its caller may have gone away
        future.set_result(response)


async def _write(response: Response, asked: Mapping[bytes, bytes], identity: str, send: Send) -> None:
    headers = [
        (b"content-type", response.type.encode("latin-1")),
        (b"content-length", b"%d" % len(response.body)),
    ]
    if identity:
        headers.append((ATTRIBUTES, attributes(asked, identity)))
    headers += [(name, asked[name]) for name in (INFERENCE_ID,) if name in asked]
    # That of a server that is about to go is of no more use; nor is one whose caller waits for leave to send a body.
    if response.status == 503 or (response.status >= 400 and b"expect" in asked):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
