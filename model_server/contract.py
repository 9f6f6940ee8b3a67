"""What passes between the HTTP adapter, the routes and a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from model_server.times import Times

INVOCATIONS = "/invocations"
"""The route that asks for predictions."""
QUICK_BYTES = 32 * 1024
"""The largest body that is answered at once, without a thread of its own."""


class Request(NamedTuple):
    """What of an HTTP request matters here; without an `id` its answer has none either."""

    method: str
    path: str
    content_type: str = ""
    accept: str = ""
    body: bytes = b""
    id: str = ""


class Finding(NamedTuple):
    """What broke the schema in answered rows: the violation's code, what was done with the rows, and how many."""

    code: str
    action: str
    rows: int


class Answer(NamedTuple):
    """A body, its content type, and how many rows it answers (None where only the model's own code knows)."""

    type: str
    body: bytes
    rows: int | None = None
    findings: Sequence[Finding] = ()


class Exchange(Protocol):
    """One large request: its pieces are answered while it still arrives, each by itself and on any thread.

    `part` and `finish` raise Refused for the caller's faults; what `part` returns goes to `finish`, in order. `settled`
    says of such a part that `finish` will raise, whatever follows.
    """

    def pieces(self, more: bytes, *, last: bool) -> Iterable[Any]: ...

    def part(self, piece: Any) -> Any: ...

    def settled(self, part: Any) -> bool: ...

    def finish(self, parts: Sequence[Any]) -> Answer: ...


class Contract(Protocol):
    """Answers the bytes of requests with the bytes of responses; raises Refused for the caller's faults.

    `quick` says that small requests are answered in well under a millisecond, so that they need no thread of their own:
    `answer_many` answers those that came together, and returns for each its answer, or the exception that it met.
    `exchange` is for a request whose body still arrives.
    `describe` is the OpenAPI schema of requests and answers, by content type; None where only the model's code knows.
    `busy_since` is when the model's own code began what it is at (by the monotonic clock, in seconds); None at rest.
    """

    quick: bool
    times: Times
    busy_since: float | None

    def answer(self, request: Request) -> Answer: ...

    def answer_many(self, requests: Sequence[Request]) -> list[Answer | Exception]: ...

    def exchange(self, request: Request) -> Exchange: ...

    def describe(self) -> dict[str, Any] | None: ...


def one_by_one(answer: Callable[[Request], Answer], requests: Sequence[Request]) -> list[Answer | Exception]:
    """Each request's answer, or the exception that it met."""
    return [_caught(answer, request) for request in requests]


def _caught(answer: Callable[[Request], Answer], request: Request) -> Answer | Exception:
    try:
        return answer(request)
    except Exception as error:  # noqa: BLE001  whoever asked for many gets the others' answers
        return error


def gather(exchange: Exchange, body: bytes) -> Answer:
    """The answer to a body that is already here; raises Refused."""
    return exchange.finish([exchange.part(piece) for piece in exchange.pieces(body, last=True)])
