"""The route table, and what is common to every answer; knows nothing of sockets."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import NamedTuple

import orjson

from model_server import media
from model_server.contract import Contract
from model_server.errors import Failed, MethodNotAllowed, NotFound, NotReady, Refused

_QUICK_BYTES = 32 * 1024


class Request(NamedTuple):
    """What of an HTTP request matters here."""

    method: str
    path: str
    content_type: str = ""
    accept: str = ""
    body: bytes = b""


class Response(NamedTuple):
    """A status, a content type and a body; the rest is for the log and never leaves the container."""

    status: int
    type: str
    body: bytes
    rows: int | None = None
    refusal: Refused | None = None
    cause: str | None = None


class Routes:
    """SageMaker's two routes in front of one model.

    Until `contract` is set, and once `draining` is, both answer 503.
    """

    def __init__(self, contract: Contract | None = None) -> None:
        self.contract = contract
        self.draining = False
        self._table: Mapping[str, tuple[str, Callable[[Contract, Request], Response]]] = {
            "/ping": ("GET", self._ping),
            "/invocations": ("POST", self._invocations),
        }

    def handle(self, request: Request) -> Response:
        """The response to *request*, whatever happens."""
        try:
            return self._route(request)(self._ready(), request)
        except Refused as refusal:
            return refused(refusal)
        except Exception:  # noqa: BLE001  whatever the model raises, the caller gets an answer
            failure = Failed("internal", "the model failed on this request; the endpoint's log has the cause")
            return refused(failure)._replace(cause=traceback.format_exc())

    def is_quick(self, request: Request) -> bool:
        """Whether the response takes so little that nothing else is kept waiting while it is made."""
        if request.path != "/invocations":
            return True
        return len(request.body) <= _QUICK_BYTES and (self.contract is None or self.contract.quick)

    def _route(self, request: Request) -> Callable[[Contract, Request], Response]:
        if request.path not in self._table:
            raise NotFound("route", f"there is no {request.path}; the routes are: {', '.join(self._table)}")
        method, route = self._table[request.path]
        if request.method != method:
            raise MethodNotAllowed("method", f"{request.path} does not take {request.method}; send {method}")
        return route

    def _ready(self) -> Contract:
        if self.draining:
            raise NotReady("draining", "this server is about to stop; send the request to another")
        if self.contract is None:
            raise NotReady("starting", "the model is not loaded yet; try again soon")
        return self.contract

    def _ping(self, _contract: Contract, _request: Request) -> Response:
        return Response(200, media.JSON, b'{"status":"healthy"}')

    def _invocations(self, contract: Contract, request: Request) -> Response:
        answer = contract.answer(request.body, request.content_type, request.accept)
        return Response(200, answer.type, answer.body, answer.rows)


def refused(refusal: Refused) -> Response:
    """The response that tells the caller why."""
    return Response(refusal.status, media.JSON, orjson.dumps(refusal.body()), refusal=refusal)
