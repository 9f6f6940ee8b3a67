"""Processes, and what they used."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.serving.environments import ROOT, clean


@dataclass(frozen=True)
class Spent:
    """What a process and those that it waited for used from their first moment to their last; memory is the peak."""

    wall: float
    cpu: float
    peak_mb: float

    def to_json(self) -> dict[str, float]:
        return asdict(self)


def run(command: Sequence[str], log: Path) -> Spent:
    """One process to its end; raises RuntimeError with the end of what it said when it fails."""
    return together([command], log)[0]


def together(commands: Sequence[Sequence[str]], log: Path) -> list[Spent]:
    """Several at once; each one's wall time is its own."""
    started, found = time.perf_counter(), {}
    with log.open("wb") as said:
        processes = [subprocess.Popen(each, cwd=ROOT, env=clean(), stdout=said, stderr=said) for each in commands]
        waiting = {process.pid for process in processes}
        while waiting:
            pid, status, used = os.wait4(-1, 0)
            if pid not in waiting:
                continue
            waiting.remove(pid)
            wall = time.perf_counter() - started
            found[pid] = Spent(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
            for process in processes:
                if process.pid == pid:
                    process.returncode = os.waitstatus_to_exitcode(status)
    for process, command in zip(processes, commands, strict=True):
        if process.returncode:
            end = log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(command[:4])} ended with {process.returncode}: {end}")
    return [found[process.pid] for process in processes]


def medians(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The median of each figure over the rounds."""
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
