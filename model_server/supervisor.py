"""Loads the model once, and keeps as many workers at it as there are cores."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from model_server import seal
from model_server.settings import Settings
from model_server.watching.counters import Board
from model_server.watching.log import log

_PATIENCE_SECONDS = 0.3
_MOST_DEATHS = 10
_WITHIN_SECONDS = 60.0
_GC_THRESHOLDS = (10_000, 10, 10)
_ENDING = (signal.SIGTERM, signal.SIGINT)


class Supervisor:
    """The first process: it never answers a request itself, so that it can always make a fresh worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pid = os.getpid()  # a worker that asked for its parent's could be too late
        self._listening = _listen(settings.host, settings.port)
        self._memory = _shared_file(Board.size(settings.workers))
        self._board = Board(settings.workers, self._memory)
        self._places: dict[int, int] = {}
        self._deaths: deque[float] = deque(maxlen=_MOST_DEATHS)
        self._serving = False
        self._stopping = False
        self._failed = False
        self._start: Callable[[int], int] = self._fresh

    def run(self) -> int:
        """Serves until a signal; the exit code is 0 unless the model could not be served."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        waiting = self._fork(self._say_wait)
        try:
            loaded = self._load()
        finally:
            _end(waiting)
        if not loaded:
            return 1
        self._serving = True
        for place in range(self._settings.workers):
            if not self._stopping:
                self._places[self._start(place)] = place
        while self._places:
            self._replace(*os.wait())
        return 1 if self._failed else 0

    def _load(self) -> bool:
        """Whether the model can be served; decides how workers come by it."""
        started = time.perf_counter()
        sealed = seal.is_required()
        try:
            if sealed:
                seal.check(self._settings.model, self._settings.model_name)
            # NumPy and ONNX Runtime take longer to import than SageMaker gives a container to listen.
            from model_server import loading  # noqa: PLC0415

            contract = loading.load(self._settings.model, self._settings.script)
            from model_server.server import Server  # noqa: PLC0415  imported once, for all workers
        except Exception as error:  # noqa: BLE001  a model that cannot be served is reported at once
            log({"event": "failed", "message": f"{type(error).__name__}: {error}"})
            return False
        # A thread does not survive a fork, and whatever waits for it waits for ever.
        alone = _threads() == 1
        if alone:
            gc.collect()
            gc.freeze()  # what is shared stays shared: collections leave it alone
            self._start = lambda place: self._fork(
                lambda: Server(self._settings, contract, self._board, place, self._pid).serve_on(self._listening)
            )
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        ready = {"milliseconds": milliseconds, "workers": self._settings.workers, "shared": alone, "sealed": sealed}
        log({"event": "ready", **ready})
        return True

    def _say_wait(self) -> None:
        # Most models are there before anybody minds.
        time.sleep(_PATIENCE_SECONDS)
        from model_server.server import Server  # noqa: PLC0415  its import would slow the loading

        Server(self._settings, None, Board(1), 0, self._pid).serve_on(self._listening)

    def _fork(self, work: Callable[[], None]) -> int:
        # A signal that came before the child has its own handlers would be lost: Python forgets it after a fork.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        pid = os.fork()
        if not pid:
            _run_and_exit(work)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        return pid

    def _fresh(self, place: int) -> int:
        """A worker that loads the model for itself."""
        files = (self._listening.fileno(), self._memory)
        command = [sys.executable, "-m", "model_server", "worker", *map(str, (place, self._pid, *files))]
        return subprocess.Popen(command, pass_fds=files).pid

    def _replace(self, pid: int, status: int) -> None:
        place = self._places.pop(pid, None)
        if self._stopping or place is None:
            return
        log({"event": "worker_ended", "message": f"worker {place} ended with {os.waitstatus_to_exitcode(status)}"})
        now = time.monotonic()
        if len(self._deaths) == _MOST_DEATHS and now - self._deaths[0] < _WITHIN_SECONDS:
            log({"event": "failed", "message": f"{_MOST_DEATHS} workers ended within {_WITHIN_SECONDS:g} s"})
            self._failed = True
            self._pass_on(signal.SIGTERM)
            return
        self._deaths.append(now)
        self._places[self._start(place)] = place

    def _stop(self, sig: int, _frame: FrameType | None) -> None:
        if not self._serving:
            raise SystemExit(0)
        self._pass_on(sig)

    def _pass_on(self, sig: int) -> None:
        self._stopping = True
        for pid in self._places:
            os.kill(pid, sig)


def work(settings: Settings, place: int, parent: int, listening: int, memory: int) -> None:
    """A worker of a model that no fork can share: loads it and serves."""
    from model_server import loading  # noqa: PLC0415  as in _load
    from model_server.server import Server  # noqa: PLC0415

    contract = loading.load(settings.model, settings.script)
    board = Board(settings.workers, memory)
    Server(settings, contract, board, place, parent).serve_on(socket.socket(fileno=listening))


def _run_and_exit(work: Callable[[], None]) -> None:
    code = 1
    try:
        for ending in _ENDING:
            signal.signal(ending, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        gc.set_threshold(*_GC_THRESHOLDS)
        work()
        code = 0
    except Exception as error:  # noqa: BLE001  the process ends here
        log({"event": "failed", "message": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(code)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=2048)
    listening.setblocking(False)  # noqa: FBT003  the library's own
    return listening


def _shared_file(size: int) -> int:
    """Memory with a number that other processes can be given; -1, private to forks, where there is none."""
    if not hasattr(os, "memfd_create"):
        return -1
    file = os.memfd_create("metrics")
    os.ftruncate(file, size)
    return file


def _threads() -> int:
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else 1


def _end(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
