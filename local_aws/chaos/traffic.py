"""Requests that flow the whole time, and what became of them."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local_aws.account import Account
from local_aws.processes import Process


@dataclass(frozen=True)
class Window:
    """The requests that were due between two moments."""

    outcomes: Counter[str]
    seconds: tuple[float, ...]
    """Of each request that was answered, from when it was due, shortest first."""

    @property
    def requests(self) -> int:
        return self.outcomes.total()

    @property
    def failed(self) -> int:
        return self.requests - self.outcomes["ok"]

    def __str__(self) -> str:
        if not self.requests:
            return "no requests"
        worst = ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common() if name != "ok")
        p50, p99 = (
            (self.seconds[int(len(self.seconds) * share)] * 1000 for share in (0.5, 0.99)) if self.seconds else (0, 0)
        )
        share = self.failed / self.requests
        return (
            f"{self.requests:,} requests, {self.failed} failed ({share:.2%}{f': {worst}' if worst else ''}), "
            f"p50 {p50:.0f} ms, p99 {p99:.0f} ms"
        )


class Traffic:
    """A caller of one endpoint, started and ended with the account."""

    def __init__(self, account: Account, endpoint: str, rate: float, bodies: Sequence[str]) -> None:
        folder = account.settings.home / "chaos"
        folder.mkdir(exist_ok=True)
        given = folder / f"{endpoint}.json"
        given.write_text(json.dumps(list(bodies)))
        self._out: Path = folder / f"{endpoint}.jsonl"
        self._out.touch()
        self.endpoint, self.rate = endpoint, rate
        module = [sys.executable, "-m", "local_aws.chaos.caller", endpoint, "--rate", str(rate)]
        self._process: Process = account.processes.start(
            [*module, "--bodies", str(given), "--out", str(self._out)],
            name=f"caller of {endpoint}",
            cwd=account.settings.checkout,
            environment=account.environment(),
            on_line=print,
        )

    def stop(self) -> None:
        """Ends the caller; what it asked is still there."""
        self._process.stop()

    def since(self, begin: float, end: float | None = None) -> Window:
        """What became of the requests that were due from *begin* to *end* (seconds of the epoch; now)."""
        outcomes: Counter[str] = Counter()
        seconds = []
        for line in self._out.read_text().splitlines():
            due, took, outcome = json.loads(line)
            if begin <= due < (end or time.time()):
                outcomes[outcome] += 1
                seconds.append(took)
        return Window(outcomes, tuple(sorted(seconds)))
