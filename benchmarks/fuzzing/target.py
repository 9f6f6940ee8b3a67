"""One bad body after the other through the server's own decoders, checks and model, without a socket."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from pathlib import Path
from random import Random

from benchmarks.fuzzing.rows import valid
from model_server import loading, media
from model_server.contract import INVOCATIONS, QUICK_BYTES, Contract, Request, gather
from model_server.errors import Refused
from model_server.routes import Response, Routes, answered, response_to

SLOW_SECONDS = 1.0
_WARM = 50
_ACCEPTED = ("*/*", *media.TYPES, "application/json; partial=true")


class Target:
    """The model in *package*; keeps what is answered with 5xx or slowly in *found*."""

    def __init__(self, package: Path, found: Path) -> None:
        self._contract: Contract = loading.load(package)
        self._routes = Routes(self._contract)
        self._found = found
        # The first use of a library takes a second, which is nobody's fault.
        for number, kind in enumerate(media.TYPES * _WARM):
            self._asked(kind, valid(kind, Random(number)), Random(number))
        self.statuses: Counter[str] = Counter()
        self.slowest = 0.0

    def ask(self, kind: str, body: bytes, random: Random) -> Response:
        """What one body is answered, by the short way or piece by piece."""
        started = time.process_time()
        response = self._asked(kind, body, random)
        seconds = time.process_time() - started
        self.slowest = max(self.slowest, seconds)
        self.statuses[str(response.status)] += 1
        if response.status >= 500 or seconds > SLOW_SECONDS:
            self._keep(
                kind, body, f"{response.status} after {seconds:.3f} s: {response.cause or response.body[:500]!r}"
            )
        return response

    def _asked(self, kind: str, body: bytes, random: Random) -> Response:
        request = Request("POST", INVOCATIONS, kind, random.choice(_ACCEPTED), id="0")
        if len(body) <= QUICK_BYTES and random.random() < 0.5:
            (response,) = self._routes.handle_many([request._replace(body=body)])
            return response
        return self._by_pieces(request, body, random)

    def _by_pieces(self, request: Request, body: bytes, random: Random) -> Response:
        try:
            exchange = self._contract.exchange(request)
            cut = random.randint(0, len(body))
            if random.random() < 0.5:
                return answered(gather(exchange, body))
            pieces = [*exchange.pieces(body[:cut], last=False), *exchange.pieces(body[cut:], last=True)]
            return answered(exchange.finish([exchange.part(piece) for piece in pieces]))
        except Refused as error:
            return response_to(error)
        except Exception as error:  # noqa: BLE001  that is what is looked for
            return response_to(error)

    def _keep(self, kind: str, body: bytes, why: str) -> None:
        name = f"{kind.rpartition('/')[2]}-{hashlib.sha256(body).hexdigest()[:16]}"
        self._found.mkdir(parents=True, exist_ok=True)
        (self._found / f"{name}.bin").write_bytes(body)
        (self._found / f"{name}.txt").write_text(why)
