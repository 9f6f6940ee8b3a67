"""Runs the server as SageMaker does: a process with the container's variables, on a port of its own."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
JSON, CSV = "application/json", "text/csv"


class Serving:
    """A running server, and the JSON lines that it has logged."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        self.lines.extend(line.decode() for line in self.process.stdout)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """One request on a connection of its own; `content_type` stands for Content-Type."""
        connection = self.connect()
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        answer = response.status, response.read()
        connection.close()
        return answer

    def invoke(self, body: bytes | str, content_type: str = JSON, accept: str = "*/*") -> tuple[int, bytes]:
        content = body.encode() if isinstance(body, str) else body
        return self.request("POST", "/invocations", content, content_type=content_type, accept=accept)

    def ping(self) -> int:
        """The status of /ping; 0 while nothing listens."""
        try:
            return self.request("GET", "/ping")[0]
        except OSError:
            return 0

    def wait_for(self, status: int, seconds: float = 20) -> None:
        """Waits until /ping answers with *status*, or the server has ended."""
        deadline = time.monotonic() + seconds
        while self.ping() != status:
            assert time.monotonic() < deadline, f"/ping never said {status}"
            assert self.process.poll() is None, f"the server has ended: {self.lines}"
            time.sleep(0.01)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def ended(self, seconds: float = 20) -> int:
        """The exit code; every line has been read."""
        code = self.process.wait(seconds)
        self._reader.join(5)
        return code

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    def logs(self, count: int, *, since: int = 0, seconds: float = 5) -> list[dict[str, Any]]:
        """At least *count* lines after the first *since*; what is logged comes a moment later."""
        deadline = time.monotonic() + seconds
        while len(self.lines) < since + count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.logged()[since:]

    def workers(self) -> list[int]:
        """The processes that answer."""
        return [child.pid for child in psutil.Process(self.process.pid).children()]


@contextmanager
def serve(
    root: Path,
    package: Path,
    *,
    wait: bool = True,
    program: Path = ROOT,
    module: str = "model_server",
    **variables: str,
) -> Generator[Serving]:
    """A server of *package* below *root*, stopped at the end; *program* is the folder that holds *module*."""
    shutil.copytree(package, root / "model", dirs_exist_ok=True, symlinks=True)
    port = free_port()
    given = {"ML_ROOT": str(root), "BIND_HOST": "127.0.0.1", "SAGEMAKER_BIND_TO_PORT": str(port), **variables}
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=program,
        env={**os.environ, **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    serving = Serving(port, process)
    try:
        if wait:
            serving.wait_for(200)
        yield serving
    finally:
        if process.poll() is None:
            process.kill()
        serving.ended()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
