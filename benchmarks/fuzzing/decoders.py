"""Bad bodies for every decoder, each content type in a process of its own: a crash there is counted, and goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.fuzzing import environments
from benchmarks.serving.environments import ROOT, clean
from model_server import media

_MINUTES = 90


def run(package: Path, found: Path, mutations: int, guided: int) -> dict[str, Any]:
    """The counts of each content type by either way."""
    environments.make()

    def both(kind: str) -> dict[str, Any]:
        told = {
            "mutated": _mutated(package, found, kind, mutations),
            "coverage_guided": _guided(package, found, kind, guided),
        }
        print(kind, json.dumps(told), flush=True)
        return told

    with ThreadPoolExecutor(os.cpu_count()) as threads:  # each waits for processes of its own
        return dict(zip(media.TYPES, threads.map(both, media.TYPES), strict=True))


def _mutated(package: Path, found: Path, kind: str, count: int) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.fuzzing.mutation"]
    done = _process([*command, str(package), str(found), kind, str(count), "1"])
    if done.returncode:
        return {"crashes": 1, "told": done.stderr[-1000:]}
    return {"crashes": 0, **_counted(json.loads(done.stdout.splitlines()[-1]))}


def _guided(package: Path, found: Path, kind: str, count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        counts = Path(folder) / "counts"
        command = [environments.python(), "-W", "ignore", "-m", "benchmarks.fuzzing.coverage"]
        done = _process([*command, str(package), str(found), kind, str(count), str(counts), str(corpus)])
        reached = len(list(corpus.iterdir()))
        if not counts.exists():
            return {"crashes": 1, "told": done.stderr[-1000:]}
        return {"crashes": int(done.returncode != 0), "corpus": reached, **_counted(json.loads(counts.read_text()))}


def _process(command: list[str]) -> subprocess.CompletedProcess[str]:
    limit = _MINUTES * 60
    return subprocess.run(command, env=clean(), cwd=ROOT, capture_output=True, text=True, timeout=limit, check=False)


def _counted(told: dict[str, Any]) -> dict[str, Any]:
    statuses = Counter(told["statuses"])
    failed = sum(count for status, count in statuses.items() if status >= "500")
    return {"inputs": statuses.total(), "failed": failed, **told, "slowest": round(told["slowest"], 3)}
