"""One run: each server alone for its start and memory, then all of them in turn."""

from __future__ import annotations

import statistics
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.serving import environments
from benchmarks.serving.catalogue import probabilities, write_settings
from benchmarks.serving.large import large_bodies
from benchmarks.serving.load import Window, measure
from benchmarks.serving.payloads import Payload, payloads
from benchmarks.serving.server import Running, Server

FIRST_PORT = 18_100
PROBED = ("ours", "stock-omp1")
STARTS = 3
_FAILURES = (AssertionError, OSError, RuntimeError, subprocess.SubprocessError, ValueError)


@dataclass(frozen=True)
class Case:
    """Some clients that send one payload; a window of slow answers is *longer*, or it would count only a handful."""

    payload: str
    clients: int
    servers: Sequence[str]
    longer: int = 1

    @property
    def name(self) -> str:
        return f"{self.payload}, {self.clients} client{'s' if self.clients > 1 else ''}"


_CSV = ("ours", "stock-omp1", "stock", "stock-onnx", "constant")
_JSON = ("ours", "stock-omp1", "stock", "stock-onnx", "fastapi", "mlserver", "bentoml")
CASES = (
    Case("one-row CSV", 32, _CSV),
    Case("one-row JSON", 32, _JSON),
    Case("one-row JSON", 1, _JSON),
    Case("1,000-row CSV", 8, _CSV[:4]),
    Case("5 MB CSV", 1, _CSV[:4], longer=4),
)


class Run:
    """The servers of one run; `lost` says why one of them is not measured."""

    def __init__(self, servers: Sequence[Server], folder: Path) -> None:
        folder.chmod(0o755)  # nginx's workers are somebody else
        (folder / "stock").mkdir()
        environments.prepare(folder)
        self._folder = folder
        self._ports = {server.name: FIRST_PORT + place * 10 for place, server in enumerate(servers)}
        self.payloads = payloads(folder)
        self.lost: dict[str, str] = {}
        self._expected: dict[str, list[float]] = {}
        self._servers = [server for server in servers if self._try(server, self._fit)]

    def started(self) -> dict[str, Any]:
        """Seconds to the first health check of several starts, and the memory of each server while no other runs."""
        found = {}
        for server in list(self._servers):
            if told := self._try(server, self._start):
                found[server.name] = told
        return found

    @contextmanager
    def running(self) -> Iterator[dict[str, Running]]:
        """All of them."""
        with ExitStack() as stack:
            found = {}
            for server in self._servers:
                if each := self._try(server, self._launch):
                    found[server.name] = each
                    stack.callback(each.stop)
            yield found

    def _try(self, server: Server, step: Any) -> Any:
        if server.name in self.lost:
            return None
        try:
            return step(server)
        except _FAILURES as error:
            self.lost[server.name] = f"not measured: {error}"
            print(f"{server.name} {self.lost[server.name]}", flush=True)
            return None

    def _fit(self, server: Server) -> bool:
        name = server.environment
        environments.make(name)
        if name and not (self._folder / f"{name}.joblib").exists():
            environments.fit(self._folder, name)
        if name == "mlserver":
            write_settings(self._folder, self._ports[server.name])
        return True

    def _launch(self, server: Server) -> Running:
        print(f"starting {server.name} ...", flush=True)
        return Running(server, self._folder, self._ports[server.name])

    def _start(self, server: Server) -> dict[str, Any]:
        seconds, memory = [], 0.0
        for _ in range(STARTS):
            each = self._launch(server)
            try:
                seconds.append(each.seconds)
                if len(seconds) == STARTS:
                    measure(each, self.payloads["one-row JSON"], 32, 2, self._folder)
                    memory = each.memory_mb()
                    self._check(each)  # afterwards: its large bodies leave their mark on memory
            finally:
                each.stop()
        return {"seconds": statistics.median(seconds), "each": seconds, "memory_mb": memory}

    def _check(self, running: Running) -> None:
        """Whether it answers every payload that it will get as the first server did."""
        name = running.server.name
        if name == "constant":
            return
        for wanted in {case.payload for case in CASES if name in case.servers}:
            payload = self.payloads[wanted]
            status, answer = running.send(payload)
            assert status == 200, f"it answers {wanted} with {status}: {answer[:300]!r}"
            found = probabilities(answer, payload.content_type)
            expected = self._expected.setdefault(wanted, found)
            assert len(found) == payload.rows, f"it answers {len(found)} rows of {wanted}"
            worst = max(abs(one - other) for one, other in zip(found, expected, strict=True))
            assert worst < 1e-5, f"its answers to {wanted} are off by {worst}"


def measured(servers: Sequence[Server], folder: Path, rounds: int, seconds: float) -> dict[str, Any]:
    """Every figure of a run."""
    run = Run(servers, folder)
    start = run.started()
    with run.running() as running:
        windows = _windows(running, run.payloads, rounds, seconds, folder)
        probed = {name: each for name, each in running.items() if name in PROBED}
        large = {name: large_bodies(each, run.payloads["5 MB CSV"], folder) for name, each in probed.items()}
    return {
        "not_measured": run.lost,
        "versions": {name or "ours": environments.versions(name) for name in {each.environment for each in servers}},
        "start": start,
        "windows": {case: {name: _median(each) for name, each in found.items()} for case, found in windows.items()},
        "large_bodies": large,
        "rounds": {
            case: {name: [window.to_json() for window in each] for name, each in found.items()}
            for case, found in windows.items()
        },
    }


def _windows(
    running: Mapping[str, Running], payloads: Mapping[str, Payload], rounds: int, seconds: float, scratch: Path
) -> dict[str, dict[str, list[Window]]]:
    found: dict[str, dict[str, list[Window]]] = {case.name: defaultdict(list) for case in CASES}
    for case in CASES:
        names = [name for name in running if name in case.servers]
        for name in names:  # unmeasured: what is loaded with the first requests
            measure(running[name], payloads[case.payload], case.clients, 1, scratch)
        for place in range(rounds):
            for name in names:
                window = measure(running[name], payloads[case.payload], case.clients, seconds * case.longer, scratch)
                found[case.name][name].append(window)
                print(
                    f"{case.name}, round {place + 1}: {name} {window.rate:,.1f}/s, p99 {window.p99:.2f} ms, "
                    f"{window.cpu:.3f} ms of processor each, {window.errors} errors",
                    flush=True,
                )
    return found


def _median(windows: Sequence[Window]) -> dict[str, Any]:
    middle = {
        name: statistics.median(getattr(window, name) for window in windows) for name in ("rate", "p50", "p99", "cpu")
    }
    return replace(windows[0], **middle, errors=sum(window.errors for window in windows)).to_json()
