"""Load by wrk: one window of some seconds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.serving.model import HUGE_TIMES, Payload
from benchmarks.serving.server import HOST, Running

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_UPLOADS = 2


@dataclass(frozen=True)
class Window:
    """What was measured in one: requests a second, latencies and the processor's time in milliseconds."""

    rate: float
    p50: float
    p99: float
    cpu: float
    errors: int

    def to_json(self) -> dict[str, Any]:
        return {name: round(value, 4) for name, value in asdict(self).items()}


def measure(running: Running, payload: Payload, clients: int, seconds: float, scratch: Path) -> Window:
    """A window of *clients* connections, each sending the payload again and again."""
    body, script = scratch / "body", scratch / "load.lua"
    body.write_bytes(running.body(payload))
    script.write_text(
        f'wrk.method = "POST"\nlocal file = io.open("{body}", "rb")\nwrk.body = file:read("*all")\n'
        f'wrk.headers["Content-Type"] = "{payload.content_type}"\nwrk.headers["Accept"] = "{payload.content_type}"\n'
    )
    threads = min(2, clients)
    command = [
        "wrk",
        f"-t{threads}",
        f"-c{clients}",
        f"-d{seconds:g}s",
        "--latency",
        "--timeout",
        "30s",
        "-s",
        str(script),
    ]
    before = running.cpu_seconds()
    ran = subprocess.run(
        [*command, f"http://{HOST}:{running.port}{running.server.route}"], check=True, capture_output=True, text=True
    )
    return _parsed(ran.stdout, running.cpu_seconds() - before)


def _parsed(out: str, cpu: float) -> Window:
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    count = re.search(r"(\d+) requests in", out)
    assert rate, out
    assert count, out
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", out)
    errors = int(bad[1]) if bad else 0
    errors += sum(map(int, broken.groups())) if broken else 0
    return Window(
        float(rate[1]), _latency(out, "50%"), _latency(out, "99%"), cpu / max(1, int(count[1])) * 1000, errors
    )


def _latency(out: str, which: str) -> float:
    found = re.search(rf"{which}\s+([\d.]+)(us|ms|s|m)", out)
    assert found, out
    return float(found[1]) * _UNITS[found[2]]


_PINGS = """
import http.client, json, sys, time
port, path, worst, count = int(sys.argv[1]), sys.argv[2], 0.0, 0
sys.stdin.close()
end = time.monotonic() + float(sys.argv[3])
times = []
while time.monotonic() < end:
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    assert connection.getresponse().status == 200
    connection.close()
    times.append(time.perf_counter() - started)
    print(json.dumps([time.time(), times[-1]]), flush=True)
    time.sleep(0.01)
"""


def large_bodies(running: Running, big: Payload, scratch: Path) -> dict[str, float]:
    """Two bodies of 100 MB at once: seconds for each, the slowest health check meanwhile (ms), the peak of memory."""
    body = scratch / "huge"
    body.write_bytes(big.body * HUGE_TIMES)
    pings = subprocess.Popen(
        [sys.executable, "-c", _PINGS, str(running.port), running.server.ready, "120"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    uploads = [_upload(running, body) for _ in range(_UPLOADS)]
    peak = 0.0
    started = time.time()
    while any(upload.poll() is None for upload in uploads):
        peak = max(peak, running.memory_mb())
        time.sleep(0.1)
    ended = time.time()
    pings.terminate()
    assert pings.stdout
    seen = [json.loads(line) for line in pings.stdout.read().splitlines() if line.endswith("]")]
    during = [seconds for at, seconds in seen if started <= at <= ended + 0.1]
    answers = [json.loads(upload.communicate()[0]) for upload in uploads]
    assert all(status == 200 for status, _ in answers), answers
    return {
        "seconds": max(seconds for _, seconds in answers),
        "worst_ping_ms": max(during) * 1000,
        "pings": len(during),
        "peak_memory_mb": peak,
    }


_UPLOAD = """
import http.client, json, sys, time
body = open(sys.argv[3], "rb").read()
started = time.perf_counter()
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=120)
connection.request("POST", sys.argv[2], body, {"Content-Type": "text/csv", "Accept": "text/csv"})
response = connection.getresponse()
response.read()
print(json.dumps([response.status, time.perf_counter() - started]))
"""


def _upload(running: Running, body: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _UPLOAD, str(running.port), running.server.route, str(body)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
