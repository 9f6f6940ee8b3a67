"""A process of its own that asks for /ping five times a second; its last word is the slowest answer, in milliseconds.

python -m benchmarks.fuzzing.pings PORT, until its input ends
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.serving.environments import ROOT, clean

_EVERY_SECONDS = 0.2


@contextmanager
def pinged(port: int) -> Iterator[list[float]]:
    """Asks meanwhile; at the end the list has the slowest answer. Whoever attacks is too busy to measure it."""
    command = [sys.executable, "-m", "benchmarks.fuzzing.pings", str(port)]
    process = subprocess.Popen(command, env=clean(), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    slowest: list[float] = []
    try:
        yield slowest
    finally:
        told, _ = process.communicate()
    slowest.append(float(told))


def main(port: int) -> None:
    """Asks until the input ends; raises where an answer is not 200."""
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    slowest = 0.0
    while not over.wait(_EVERY_SECONDS):
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/ping")
        status = connection.getresponse().status
        connection.close()
        if status != 200:
            raise SystemExit(f"/ping was answered with {status}")
        slowest = max(slowest, time.perf_counter() - started)
    print(round(slowest * 1000, 1))


if __name__ == "__main__":
    main(int(sys.argv[1]))
