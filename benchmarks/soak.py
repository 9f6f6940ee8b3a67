"""The server for minutes at half of its capacity, with one bad request in a hundred.

`python -m benchmarks.soak PACKAGE BODY [--minutes 10]` serves an unpacked package and sends the rows in the file BODY
(CSV) with wrk. It prints a line a minute, and writes soak.json beside itself.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

HERE = Path(__file__).parent
PORT = 18_090
CONNECTIONS = 128
SCRIPT = """
local file = io.open("{body}", "rb")
local good = file:read("*all")
local headers = {{["Content-Type"] = "text/csv"}}
local statuses = {{}}
local threads = {{}}
local count = 0
function setup(thread) table.insert(threads, thread) end
function init() s200, s422, other = 0, 0, 0 end
function request()
  count = count + 1
  local body = good
  if count % 100 == 0 then body = "much," .. good end
  return wrk.format("POST", "/invocations", headers, body)
end
function delay() return {delay} end
function response(status)
  if status == 200 then s200 = s200 + 1 elseif status == 422 then s422 = s422 + 1 else other = other + 1 end
end
function done(summary, latency)
  local a, b, c = 0, 0, 0
  for _, t in ipairs(threads) do a, b, c = a + t:get("s200"), b + t:get("s422"), c + t:get("other") end
  local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  print(string.format("RESULT %d %d %d %d %d %d", a, b, c, lost, latency:percentile(50), latency:percentile(99)))
end
"""


@contextmanager
def served(package: Path, root: Path) -> Iterator[psutil.Process]:
    """The server of *package*, ready."""
    shutil.copytree(package, root / "model")
    variables = {"ML_ROOT": str(root), "BIND_HOST": "127.0.0.1", "SAGEMAKER_BIND_TO_PORT": str(PORT)}
    environment = {**os.environ, **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with (root / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "model_server"], env=environment, stdout=log)
    try:
        time.sleep(2)
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def load(body: Path, root: Path, seconds: float, delay: str) -> dict[str, float]:
    """What wrk counted; latencies in milliseconds."""
    script = root / "load.lua"
    script.write_text(SCRIPT.format(body=body, delay=delay))
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "-s", str(script)]
    out = subprocess.run(
        [*command, f"http://127.0.0.1:{PORT}/invocations"], check=True, capture_output=True, text=True
    ).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", out)
    assert found, out
    good, refused, other, lost, p50, p99 = map(int, found.groups())
    return {
        "answered": good,
        "refused_422": refused,
        "any_other_status": other,
        "lost": lost,
        "rate": (good + refused + other) / seconds,
        "p50_ms": p50 / 1000,
        "p99_ms": p99 / 1000,
    }


def memory_mb(server: psutil.Process) -> float:
    """The proportional set size of the server and its workers."""
    return sum(process.memory_full_info().pss for process in (server, *server.children())) / 1e6


def soak(package: Path, body: Path, minutes: int) -> dict[str, Any]:
    """The figures of every minute, and how memory grew after the first one."""
    root = Path(tempfile.mkdtemp(prefix="soak-"))
    with served(package, root) as server:
        capacity = load(body, root, 10, "0")["rate"]
        print(f"capacity {capacity:,.0f} requests/s with {CONNECTIONS} connections", flush=True)
        each = round(2 * CONNECTIONS / capacity * 1000)
        by_minute = []
        for minute in range(minutes):
            figures = load(body, root, 60, f"math.random(0, {2 * each})")
            figures["memory_mb"] = memory_mb(server)
            by_minute.append(figures)
            print(
                f"minute {minute + 1}: " + ", ".join(f"{name} {value:,.1f}" for name, value in figures.items()),
                flush=True,
            )
        log = root / "log"
        ended = sum("worker_ended" in line for line in log.read_text().splitlines())
    shutil.rmtree(root)
    sizes = [figures["memory_mb"] for figures in by_minute]
    slope = float(np.polyfit(range(len(sizes)), sizes, 1)[0]) if len(sizes) > 1 else 0.0
    return {"capacity": capacity, "minutes": by_minute, "memory_mb_per_minute": slope, "workers_ended": ended}


def main() -> None:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("package", type=Path, help="an unpacked model package")
    parser.add_argument("body", type=Path, help="a CSV request that the model answers")
    parser.add_argument("--minutes", type=int, default=10)
    arguments = parser.parse_args()
    figures = soak(arguments.package.resolve(), arguments.body.resolve(), arguments.minutes)
    (HERE / "soak.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(f"memory grew by {figures['memory_mb_per_minute']:+.3f} MB a minute")


if __name__ == "__main__":
    main()
