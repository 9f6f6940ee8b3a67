"""Two bodies of 100 MB in flight at once, and what a health check waits meanwhile."""

from __future__ import annotations

import contextlib
import http.client
import json
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.serving.environments import ROOT
from benchmarks.serving.payloads import HUGE_TIMES, Payload
from benchmarks.serving.server import HOST, Running

_UPLOADS = 2
_SECONDS = 120


def large_bodies(running: Running, big: Payload, scratch: Path) -> dict[str, Any]:
    """Seconds for a body, the slowest health check meanwhile (ms), and the peak of memory."""
    body = scratch / "huge"
    body.write_bytes(big.body * HUGE_TIMES)
    pings = _program("ping", str(running.port), running.server.ready)
    uploads = [_program("upload", str(running.port), running.server.route, str(body)) for _ in range(_UPLOADS)]
    peak = 0.0
    while any(upload.poll() is None for upload in uploads):
        peak = max(peak, running.memory_mb())
        time.sleep(0.25)
    sent = [json.loads(upload.communicate()[0]) for upload in uploads]
    seen = json.loads(pings.communicate("stop", timeout=2 * _SECONDS)[0])
    assert all(each["rows"] == big.rows * HUGE_TIMES for each in sent), f"{running.server.name} answered {sent}"
    first, last = min(each["started"] for each in sent), max(each["ended"] for each in sent)
    during = [each for each in seen if each["started"] <= last and each["ended"] >= first]
    return {
        "seconds": max(each["ended"] - each["started"] for each in sent),
        "worst_ping_ms": max(each["ended"] - each["started"] for each in during) * 1000,
        "pings": len(during),
        "failed_pings": sum(each["status"] != http.client.OK for each in during),
        "peak_memory_mb": peak,
    }


def _program(what: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.serving.large", what, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def _request(method: str, port: str, path: str, body: bytes = b"") -> dict[str, Any]:
    connection = http.client.HTTPConnection(HOST, int(port), timeout=_SECONDS)
    started, status, rows = time.time(), 0, 0
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        connection.request(method, path, body, {"Content-Type": "text/csv", "Accept": "text/csv"})
        response = connection.getresponse()
        rows, status = response.read().count(b"\n"), response.status
    return {"started": started, "ended": time.time(), "status": status, "rows": rows}


def _ping(port: str, path: str) -> list[dict[str, Any]]:
    """Until it is told to stop; a check that is under way then is still waited for, since it may be the slowest."""
    seen = []
    end = time.monotonic() + 2 * _SECONDS
    while time.monotonic() < end and not select.select([sys.stdin], [], [], 0.01)[0]:
        seen.append(_request("GET", port, path))
    return seen


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["ping", port, path]:
            print(json.dumps(_ping(port, path)))
        case ["upload", port, path, file]:
            print(json.dumps(_request("POST", port, path, Path(file).read_bytes())))
