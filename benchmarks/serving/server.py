"""A server, and one while it runs."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.serving import environments
from benchmarks.serving.payloads import Payload

HOST = "127.0.0.1"
WORKERS = 2


@dataclass(frozen=True)
class Server:
    """How one is started; `body` puts rows of JSON into its form, and CSV is not asked of those that do not read it."""

    name: str
    environment: str
    command: Callable[[Path, int], list[str]]
    variables: Mapping[str, str]
    body: Callable[[bytes], bytes] = bytes
    route: str = "/invocations"
    ready: str = "/ping"
    reads_csv: bool = True


class Running:
    """A server that answers its health check; `seconds` is how long that took."""

    def __init__(self, server: Server, folder: Path, port: int) -> None:
        self.server = server
        self.port = port
        variables = environments.clean(MODEL_FOLDER=str(folder), **server.variables)
        variables = {name: value.format(folder=folder, port=port) for name, value in variables.items()}
        log = (folder / f"{server.name}.log").open("wb")
        started = time.perf_counter()
        self._process = subprocess.Popen(
            server.command(folder, port), env=variables, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
        self._wait(folder)
        self.seconds = time.perf_counter() - started

    def send(self, payload: Payload, timeout: float = 120) -> tuple[int, bytes]:
        """One request on a connection of its own."""
        headers = {"Content-Type": payload.content_type, "Accept": payload.content_type}
        return self._request("POST", self.server.route, self.body(payload), headers, timeout)

    def ping(self, timeout: float = 5) -> int:
        """The status of the health check."""
        return self._request("GET", self.server.ready, b"", {}, timeout)[0]

    def body(self, payload: Payload) -> bytes:
        """The payload in this server's form."""
        return self.server.body(payload.body) if payload.content_type == "application/json" else payload.body

    def cpu_seconds(self) -> float:
        """Of the whole process tree, since each began."""
        return self._sum(lambda process: sum(process.cpu_times()[:2]))

    def memory_mb(self) -> float:
        """The proportional set size of the whole process tree."""
        return self._sum(lambda process: process.memory_full_info().pss) / 1e6

    def settle(self, most: float = 15) -> None:
        """Waits until it has answered, or dropped, what it had taken on: uses less than a tenth of a core."""
        deadline = time.monotonic() + most
        while time.monotonic() < deadline:
            before = self.cpu_seconds()
            time.sleep(0.2)
            if self.cpu_seconds() - before <= 0.02:
                return

    def stop(self) -> None:
        """Ends it, and whatever it started."""
        tree = self._tree()
        self._process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(tree, timeout=20)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def _sum(self, figure: Callable[[psutil.Process], float]) -> float:
        total = 0.0
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):  # it has ended since it was listed
                total += figure(process)
        return total

    def _tree(self) -> list[psutil.Process]:
        parent = psutil.Process(self._process.pid)
        return [parent, *parent.children(recursive=True)]

    def _wait(self, folder: Path) -> None:
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.ping() == http.client.OK:
                    return
            if time.monotonic() > deadline or self._process.poll() is not None:
                end = (folder / f"{self.server.name}.log").read_text()[-2000:]
                raise RuntimeError(f"{self.server.name} did not become ready; its log ends with: {end}")
            time.sleep(0.01)

    def _request(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=timeout)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()
