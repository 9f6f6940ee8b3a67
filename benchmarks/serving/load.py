"""Load by wrk: one window of some seconds."""

from __future__ import annotations

import re
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.serving.payloads import Payload
from benchmarks.serving.server import HOST, Running

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Window:
    """What was measured in one: good answers a second, latencies and the processor's time in milliseconds."""

    rate: float
    p50: float
    p99: float
    cpu: float
    errors: int

    def to_json(self) -> dict[str, Any]:
        return {name: round(value, 4) for name, value in asdict(self).items()}


def measure(running: Running, payload: Payload, clients: int, seconds: float, scratch: Path) -> Window:
    """A window of *clients* connections, each sending the payload again and again; returns when the server is idle."""
    body, script = scratch / "body", scratch / "load.lua"
    body.write_bytes(running.body(payload))
    script.write_text(
        f'wrk.method = "POST"\nlocal file = io.open("{body}", "rb")\nwrk.body = file:read("*all")\n'
        f'wrk.headers["Content-Type"] = "{payload.content_type}"\nwrk.headers["Accept"] = "{payload.content_type}"\n'
    )
    url = f"http://{HOST}:{running.port}{running.server.route}"
    options = [f"-t{min(2, clients)}", f"-c{clients}", f"-d{seconds:g}s", "--latency", "--timeout", "30s"]
    command = ["wrk", *options, "-s", str(script), url]
    before = running.cpu_seconds()
    ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60)
    cpu = running.cpu_seconds() - before
    running.settle()  # else what wrk left unanswered would take the processor from the next server
    return _parsed(ran.stdout, cpu)


def _parsed(out: str, cpu: float) -> Window:
    rate, count = _numbers(r"Requests/sec:\s+([\d.]+)", out), _numbers(r"(\d+) requests in", out)
    assert rate, out
    assert count, out
    bad = sum(_numbers(r"Non-2xx or 3xx responses: (\d+)", out))  # wrk counts them as requests
    broken = sum(_numbers(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", out))
    requests = max(1.0, count[0])
    good = rate[0] * (1 - bad / requests)
    return Window(good, _latency(out, "50%"), _latency(out, "99%"), cpu / requests * 1000, int(bad + broken))


def _numbers(pattern: str, out: str) -> list[float]:
    found = re.search(pattern, out)
    return [float(text) for text in found.groups()] if found else []


def _latency(out: str, which: str) -> float:
    found = re.search(rf"{which}\s+([\d.]+)(us|ms|s|m)", out)
    assert found, out
    return float(found[1]) * _UNITS[found[2]]
