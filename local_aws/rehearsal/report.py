"""What a rehearsal tells: a line while it works, a table at the end, the same as data."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Step:
    """One thing that was done, how long it took, and what shows that it was."""

    name: str
    seconds: float = 0.0
    evidence: str = ""


@dataclass
class Report:
    """The steps so far; `write` keeps them as `{"steps": [{"name", "seconds", "evidence"}], "ok": true}`."""

    started: float = field(default_factory=time.monotonic)
    steps: list[Step] = field(default_factory=list)
    not_rehearsed: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Times a step; it is in the report even when it fails."""
        step = Step(name)
        self.steps.append(step)
        self.say(f"{name} ...")
        begin = time.monotonic()
        try:
            yield step
        finally:
            step.seconds = round(time.monotonic() - begin, 1)
        self.say(f"{name}: {step.evidence} ({step.seconds:.1f} s)")

    def say(self, line: str) -> None:
        """One line of progress, with the time since the start."""
        print(f"[{time.monotonic() - self.started:6.1f} s] {line}", flush=True)

    def write(self, file: Path, *, ok: bool) -> None:
        """Keeps the report as JSON."""
        content = {"steps": [asdict(step) for step in self.steps], "not_rehearsed": self.not_rehearsed, "ok": ok}
        file.write_text(json.dumps(content, indent=2) + "\n")

    def show(self) -> None:
        """Prints the table."""
        width = max(len(step.name) for step in self.steps)
        print(f"\n{'step':<{width}}  seconds  evidence")
        for step in self.steps:
            print(f"{step.name:<{width}}  {step.seconds:7.1f}  {step.evidence}")
        total = time.monotonic() - self.started
        print(f"{'total':<{width}}  {total:7.1f}")
        for sentence in dict.fromkeys(self.not_rehearsed):
            print(f"Not rehearsed: {sentence}")
        sys.stdout.flush()
