"""The route table, and what is common to every answer; knows nothing of sockets."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import orjson

from model_server import media, openapi
from model_server.contract import INVOCATIONS, Answer, Contract, Finding, Request
from model_server.errors import Failed, MethodNotAllowed, NotFound, NotReady, Refused


class Response(NamedTuple):
    """A status, a content type and a body; the rest is for log and metrics, and never leaves the container."""

    status: int
    type: str
    body: bytes
    rows: int | None = None
    findings: Sequence[Finding] = ()
    refusal: Refused | None = None
    cause: str | None = None
    frames: str | None = None
    """The cause without the messages of its exceptions."""


class Batching(NamedTuple):
    """What `/execution-parameters` tells batch transform: how many requests at once, and how large, in MB."""

    concurrent: int = 1
    payload_mb: int = 6


_ONE = Batching()


class Routes:
    """SageMaker's routes, and two for whoever watches, in front of one model.

    Until `contract` is set, and once `draining` is, `/ping` and `/invocations` answer 503.
    """

    def __init__(
        self,
        contract: Contract | None = None,
        *,
        batching: Batching = _ONE,
        accept: str = "",
        metrics: Callable[[], bytes] = bytes,
    ) -> None:
        self.contract = contract
        self.draining = False
        self._batching = batching
        self._accept = accept
        self._metrics = metrics
        self._table: Mapping[str, tuple[str, Callable[[Request], Response]]] = {
            INVOCATIONS: ("POST", self._invocations),
            "/ping": ("GET", self._ping),
            "/execution-parameters": ("GET", self._execution_parameters),
            "/openapi.json": ("GET", self._openapi),
            "/metrics": ("GET", self._exposition),
        }

    def handle(self, request: Request) -> Response:
        """The response to *request*, whatever happens."""
        try:
            return self.route(request.method, request.path)(request)
        except Exception as error:  # noqa: BLE001  whatever the model raises, the caller gets an answer
            return response_to(error)

    def handle_many(self, requests: Sequence[Request]) -> list[Response]:
        """The responses to invocations that came together."""
        try:
            answers = self.ready().answer_many([self.defaulted(request) for request in requests])
        except Exception as error:  # noqa: BLE001  as above
            return [response_to(error)] * len(requests)
        return [response_to(answer) if isinstance(answer, Exception) else answered(answer) for answer in answers]

    def route(self, method: str, path: str) -> Callable[[Request], Response]:
        """What answers *path*; raises NotFound or MethodNotAllowed."""
        if path not in self._table:
            raise NotFound("route", f"there is no {path}; the routes are: {', '.join(self._table)}")
        allowed, route = self._table[path]
        if method != allowed:
            raise MethodNotAllowed("method", f"{path} does not take {method}; send {allowed}")
        return route

    def ready(self) -> Contract:
        """The model; raises NotReady."""
        if self.draining:
            raise NotReady("draining", "this server is about to stop; send the request to another")
        if self.contract is None:
            raise NotReady("starting", "the model is not loaded yet; try again soon")
        return self.contract

    def defaulted(self, request: Request) -> Request:
        """The request of a caller without a wish, with the wish that SageMaker was configured with."""
        return request._replace(accept=self._accept) if self._accept and request.accept in ("", "*/*") else request

    def _invocations(self, request: Request) -> Response:
        return answered(self.ready().answer(self.defaulted(request)))

    def _ping(self, _request: Request) -> Response:
        self.ready()
        return Response(200, media.JSON, b'{"status":"healthy"}')

    def _execution_parameters(self, _request: Request) -> Response:
        parameters = {
            "MaxConcurrentTransforms": self._batching.concurrent,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": self._batching.payload_mb,
        }
        return Response(200, media.JSON, orjson.dumps(parameters))

    def _openapi(self, _request: Request) -> Response:
        return Response(200, media.JSON, orjson.dumps(openapi.document(self.ready().describe())))

    def _exposition(self, _request: Request) -> Response:
        return Response(200, "text/plain; version=0.0.4; charset=utf-8", self._metrics())


def answered(answer: Answer) -> Response:
    """The response that brings an answer."""
    return Response(200, answer.type, answer.body, answer.rows, answer.findings)


def response_to(error: Exception) -> Response:
    """The response that tells the caller why; only what is the caller's business."""
    if isinstance(error, Refused):
        # What it says is enough. Its traceback would keep the request's frames, which refer back to it, until they are
        # collected: measured as 40 MB more in a worker that refuses one request in a hundred.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        return Response(error.status, media.JSON, orjson.dumps(error.body()), refusal=error)
    failure = Failed("internal", "the model failed on this request; the endpoint's log has the cause")
    cause = "".join(traceback.format_exception(error))
    body = orjson.dumps(failure.body())
    return Response(failure.status, media.JSON, body, refusal=failure, cause=cause, frames=_frames(error))


def _frames(error: BaseException) -> str:
    """Where an exception, and those that it came of, were raised, the last one last."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    told = "".join([*traceback.format_tb(error.__traceback__), type(error).__name__])
    return f"{_frames(before)}\n{told}" if before else told
