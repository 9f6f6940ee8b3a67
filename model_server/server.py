"""uvicorn round the application: one worker, which drains on a signal."""

from __future__ import annotations

import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import cast

import uvicorn

from model_server.asgi import Application
from model_server.bounds import KEEP_ALIVE_SECONDS
from model_server.contract import Contract
from model_server.lane import Lane
from model_server.priority import step_back
from model_server.recording import masking
from model_server.recording.recorder import recorder
from model_server.room import Room, places
from model_server.routes import Batching, Routes
from model_server.settings import Settings
from model_server.watching.counters import Board
from model_server.watching.log import log
from model_server.watching.prometheus import exposition
from model_server.watching.watch import Told, Watch

_DRAIN_SECONDS = 25.0  # SageMaker sends SIGKILL 30 s after SIGTERM
_CLOSE_SECONDS = 3
_TICKS_A_SECOND = 10
_SWITCH_SECONDS = 0.001  # a health check waits no longer for a thread that decodes a large body


class Server(uvicorn.Server):
    """Answers 503 without a model, and again from SIGTERM on, until what it had begun is answered."""

    def __init__(self, settings: Settings, contract: Contract | None, board: Board, place: int, parent: int) -> None:
        batching = Batching(settings.workers, settings.batch_payload_mb)
        told = Told(settings.metrics_namespace, settings.endpoint, settings.metrics_seconds)
        self._routes = Routes(
            contract, batching=batching, accept=settings.accept, metrics=lambda: exposition(board.total())
        )
        sensitive = (settings.model / masking.FILE).exists()
        self._watch = Watch(board.counter(place), told, sensitive=sensitive)
        self._recorder = recorder(settings, board.counter(place)) if contract else None
        self._timeout = settings.timeout
        self._parent = parent
        # As many as cores in each worker: a few large bodies often meet in one of them.
        threads = ThreadPoolExecutor(settings.workers, initializer=step_back)
        room = Room(places())
        self._application = Application(
            self._routes, self._watch.note, settings.largest_body, threads, self._recorder, room
        )
        super().__init__(_config(self._application))
        self._drained_by = float("inf")

    def serve_on(self, listening: socket.socket) -> None:
        """Serves until a signal, or until its parent is gone."""
        sys.setswitchinterval(_SWITCH_SECONDS)
        self.run([listening])
        if self._recorder:
            self._recorder.close()
        self._watch.tell(self._routes.contract, last=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  uvicorn's signature
        """On SIGTERM or SIGINT: from now on nothing new is begun."""
        self._routes.draining = True
        self._drained_by = min(self._drained_by, time.monotonic() + _DRAIN_SECONDS)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop."""
        self._watch.tell(self._routes.contract)
        self._end_if_stuck()
        if not counter % _TICKS_A_SECOND:
            for connection in list(self.server_state.connections):
                cast("Lane", connection).look()
        drained = self._routes.draining and self._application.in_flight == 0
        late = time.monotonic() > self._drained_by
        return await super().on_tick(counter) or drained or late or os.getppid() != self._parent

    def _end_if_stuck(self) -> None:
        since = self._routes.contract.busy_since if self._routes.contract else None
        if since is not None and time.monotonic() - since > self._timeout:
            log({"event": "stuck", "message": f"one request took the model more than {self._timeout:g} s"})
            os._exit(1)  # a thread cannot be stopped; another worker takes this one's place


def _config(application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_CLOSE_SECONDS,
        http=Lane,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
    )
