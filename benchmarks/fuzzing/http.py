"""Attacks over sockets on a real running server: bad requests, bombs, slow callers, and its own OpenAPI document."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.fuzzing import callers, environments
from benchmarks.fuzzing.bombs import bombs as all_bombs
from benchmarks.fuzzing.memory import Watch
from benchmarks.serving.environments import clean
from tests.model_server.serving import Serving, serve

_WORKERS = 2
_WARM = 40_000
"""So many that each worker has met every kind of large body: one alone is at its most after 30,000, and stays there."""
_EXAMPLES = 100


def requests(package: Path, count: int) -> dict[str, Any]:
    """*count* bad requests by 16 callers at once: their answers, and what became of the server."""
    with _server(package) as server:
        callers.Crowd(server.port, _WARM, seed=1).run()
        crowd = callers.Crowd(server.port, count, seed=2)
        before = set(server.workers())
        with Watch(server.process.pid, lambda: crowd.sent) as watch:
            crowd.run(progress=True)
        return {"warmed_by": _WARM, "requests": crowd.sent, **crowd.told(), **_health(server, before, watch)}


def bombs(package: Path) -> dict[str, Any]:
    """Each bomb: its answer, the processor's seconds that it costs, and how far the worker's memory rises."""
    told: dict[str, Any] = {}
    with _server(package, workers=1) as server:
        server.invoke(b"3,red\n" * 20_000, "text/csv")
        for bomb in all_bombs():
            told[bomb.name] = callers.explode(server, bomb)
            print(bomb.name, json.dumps(told[bomb.name]), flush=True)
        told["alive"] = server.ping() == 200
    return told


def slow(package: Path) -> dict[str, Any]:
    """Callers that take their time, 50 of each kind at once: when and how they were ended, and what /ping took."""
    with _server(package) as server:
        before = set(server.workers())
        with Watch(server.process.pid, lambda: 0) as watch:
            told = callers.Slow(server).run()
        return {**told, **_health(server, before, watch)}


def schema(package: Path) -> dict[str, Any]:
    """What Schemathesis makes of the server's own document: statuses as the server counted them, and its findings."""
    environments.make()
    with _server(package) as server, tempfile.TemporaryDirectory() as folder:
        before = set(server.workers())
        with Watch(server.process.pid, lambda: 0) as watch:
            done = subprocess.run(
                [
                    *(environments.schemathesis(), "run", f"http://127.0.0.1:{server.port}/openapi.json"),
                    *("--checks", "not_a_server_error,status_code_conformance,content_type_conformance"),
                    *("--max-examples", str(_EXAMPLES), "--seed", "1", "--no-color", "--generation-database", "none"),
                ],
                env=clean(),
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
        found = re.findall(r"^ *- (.*)$", done.stdout, re.MULTILINE)
        cases = re.search(r"([\d,]+) generated", done.stdout)
        return {
            "examples": cases and int(cases[1].replace(",", "")),
            "findings": Counter(found),
            "statuses": _statuses(server),
            **_health(server, before, watch),
            "last_words": done.stdout[-1500:].splitlines(),
        }


def _server(package: Path, workers: int = _WORKERS) -> Any:
    folder = Path(tempfile.mkdtemp())
    return serve(folder, package, SAGEMAKER_MODEL_SERVER_WORKERS=str(workers))


def _health(server: Serving, before: set[int], watch: Watch) -> dict[str, Any]:
    time.sleep(1)
    lines = [_line(line) for line in server.lines]
    ended = [line for line in lines if line.get("event") in ("worker_ended", "stuck", "failed")]
    return {
        "restarts": len(ended) + len(before ^ set(server.workers())),
        "tracebacks": sum("Traceback" in str(line.get("cause")) for line in lines),
        "lines_that_are_no_json": [line["text"] for line in lines if "text" in line][:5],
        "alive": server.ping() == 200,
        "memory_mb": watch.told(),
    }


def _line(text: str) -> dict[str, Any]:
    try:
        return json.loads(text)
    except ValueError:
        return {"text": text[:300]}


def _statuses(server: Serving) -> dict[str, int]:
    _, text = server.request("GET", "/metrics")
    found = re.findall(r'requests_total\{[^}]*status="(\d+)"[^}]*\} (\d+)', text.decode())
    return {status: int(count) for status, count in found}
