"""For the tests of model authors: the whole request path of the server, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from model_server import loading, media
from model_server.asgi import Application
from model_server.contract import INVOCATIONS
from model_server.golden import Golden
from model_server.routes import Response, Routes
from model_server.settings import LARGEST_BODY_MB
from model_server.signature import Signature

_CHUNK = 64 * 1024


class Reply(NamedTuple):
    """What a caller gets; `rows` and `cause` are what the log is told."""

    status: int
    type: str
    body: bytes
    headers: Mapping[str, str]
    rows: int | None = None
    cause: str | None = None


_Promise = tuple[int, str, Reply]
"""The status that is promised, what for, and what came."""


class Client:
    """Sends requests to the model of an unpacked package, as the endpoint would get them."""

    def __init__(self, folder: Path, *, largest_body: int = LARGEST_BODY_MB * 1024 * 1024, accept: str = "") -> None:
        self.folder = folder
        self.routes = Routes(loading.load(folder), accept=accept)
        self._noted: list[Response] = []
        threads = ThreadPoolExecutor(1)
        self._application = Application(
            self.routes, lambda _path, response, _seconds: self._noted.append(response), largest_body, threads
        )

    def ping(self) -> Reply:
        """What the health check gets."""
        return self.request("GET", "/ping")

    def invoke(self, body: bytes | str, content_type: str = media.JSON, accept: str = "*/*", **headers: str) -> Reply:
        """The response to a body of any content type; *headers* are named as `content_encoding` is."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body.encode() if isinstance(body, str) else body
        return self.request("POST", INVOCATIONS, content, {"content-type": content_type, "accept": accept, **named})

    def predict(self, rows: Sequence[Any]) -> list[Any]:
        """The predictions for rows (objects or lists); raises AssertionError with the model's own words if refused."""
        reply = self.invoke(orjson.dumps({"instances": rows}), accept=media.JSON)
        assert reply.status == 200, f"{reply.status}: {reply.body.decode()}"
        return orjson.loads(reply.body)["predictions"]

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """The response to any request."""
        given = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        scope = {"type": "http", "method": method, "path": path, "headers": given}
        parts = [body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)] or [b""]
        arriving = iter(
            {"type": "http.request", "body": part, "more_body": place + 1 < len(parts)}
            for place, part in enumerate(parts)
        )
        sent: list[Mapping[str, Any]] = []

        async def receive() -> Mapping[str, Any]:
            return next(arriving)

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)

        self._noted.clear()
        asyncio.run(self._application(scope, receive, send))
        start, content = sent
        answered = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        noted = self._noted[-1] if self._noted else Response(start["status"], "", b"")
        return Reply(start["status"], answered["content-type"], content["body"], answered, noted.rows, noted.cause)


def broken_promises(client: Client) -> list[str]:
    """What callers of any model with a signature may rely on and this one does not keep, each in a sentence.

    It is healthy, gives its golden answers, writes them in every type, and refuses with a reason what it cannot read.
    """
    promised = [(200, "GET /ping", client.ping()), *_refused(client), *_written(client)]
    broken = [
        f"{what} gets {reply.status} instead of {status}: {reply.body[:500]!r}"
        for status, what, reply in promised
        if reply.status != status
    ]
    return [*broken, *_forgotten(client)]


def _refused(client: Client) -> list[_Promise]:
    signature = Signature.read(client.folder)
    too_long = b"," * len(signature.features) + b"\n"
    broken = 200 if signature.policy.invalid == "quarantine" else 422
    bodies = [
        (400, "no body", b"", media.JSON),
        (400, "half a document", b'{"instances": [', media.JSON),
        (400, "a document without rows", b'{"instances": []}', media.JSON),
        (415, "an unknown content type", b"x", "application/x-unknown"),
        (broken, "a row without features", b'{"instances": [{}]}', media.JSON),
        (broken, "a row that is too long", too_long, media.CSV),
    ]
    replies = [(status, what, client.invoke(body, kind)) for status, what, body, kind in bodies]
    return [*replies, (406, "a wish for an image", client.invoke(b"", media.JSON, "image/png"))]


def _written(client: Client) -> list[_Promise]:
    requests = _golden(client).requests[:1]
    return [
        (200, f"a golden request with the wish for {kind}", client.invoke(request.body, request.content_type, kind))
        for request in requests
        for kind in media.TYPES
    ]


def _forgotten(client: Client) -> list[str]:
    golden = _golden(client)
    replies = [(each, client.invoke(each.body, each.content_type, each.accept)) for each in golden.requests]
    found = [reply.status != 200 or golden.difference(request, reply.body) for request, reply in replies]
    return [f"golden request {place}: {difference}" for place, difference in enumerate(found) if difference]


def _golden(client: Client) -> Golden:
    return Golden.read(client.folder) or Golden(0, ())
