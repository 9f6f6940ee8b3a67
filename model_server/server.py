"""uvicorn round the application: starts at once, drains on a signal."""

from __future__ import annotations

import time
from pathlib import Path
from types import FrameType

import uvicorn

from model_server.asgi import Application, log
from model_server.routes import Routes
from model_server.settings import Settings

_DRAIN_SECONDS = 25.0  # SageMaker sends SIGKILL 30 s after SIGTERM
_CLOSE_SECONDS = 3
_KEEP_ALIVE_SECONDS = 75  # longer than a router keeps an idle connection, so that ours is not the side that closes it


class Server(uvicorn.Server):
    """Answers 503 while the model is loading, and again from SIGTERM on, until what it had begun is answered."""

    def __init__(self, settings: Settings) -> None:
        self._routes = Routes()
        self._application = Application(self._routes, settings.largest_body)
        config = uvicorn.Config(
            self._application,
            host=settings.host,
            port=settings.port,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_CLOSE_SECONDS,
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
        )
        super().__init__(config)
        self.failed = False
        self._drained_by = float("inf")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  uvicorn's signature
        """On SIGTERM or SIGINT: from now on nothing new is begun."""
        self._routes.draining = True
        self._drained_by = min(self._drained_by, time.monotonic() + _DRAIN_SECONDS)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop."""
        drained = self._routes.draining and self._application.in_flight == 0
        return await super().on_tick(counter) or drained or time.monotonic() > self._drained_by

    def load(self, folder: Path) -> None:
        """Loads the model; one that cannot be served ends the server, so that SageMaker reports it at once."""
        started = time.perf_counter()
        try:
            # NumPy and ONNX Runtime take longer to import than SageMaker gives a container to listen.
            from model_server import loading  # noqa: PLC0415

            self._routes.contract = loading.load(folder)
        except Exception as error:  # noqa: BLE001  a thread has nobody else to tell
            log({"event": "failed", "message": f"{type(error).__name__}: {error}"})
            self.failed = True
            self.should_exit = True
        else:
            log({"event": "ready", "milliseconds": round((time.perf_counter() - started) * 1000, 1)})
