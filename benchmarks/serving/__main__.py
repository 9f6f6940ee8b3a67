"""`python -m benchmarks.serving`: every server gets the same load in turn, round after round; medians are compared."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.serving import environments, model, picture
from benchmarks.serving.load import Window, large_bodies, measure
from benchmarks.serving.server import SERVERS, Running, Server, probability, write_settings
from benchmarks.serving.targets import TARGETS

HERE = Path(__file__).parent
FIRST_PORT = 18_100
PROBED = ("ours", "stock-omp1")


@dataclass(frozen=True)
class Case:
    payload: str
    clients: int
    servers: Sequence[str] | None = None

    @property
    def name(self) -> str:
        return f"{self.payload}, {self.clients} client{'s' if self.clients > 1 else ''}"


_CSV = ("ours", "stock-omp1", "stock", "stock-onnx", "constant")
CASES = (
    Case("one-row CSV", 32, _CSV),
    Case("one-row JSON", 32),
    Case("one-row JSON", 1),
    Case("1,000-row CSV", 8, _CSV[:4]),
    Case("5 MB CSV", 1, _CSV[:4]),
)
_SMALL = 3
"""So many of them are of one row; memory is measured after these, when every worker has loaded its model."""


def main() -> int:
    arguments = _arguments()
    missing = [program for program in ("wrk", "nginx") if not shutil.which(program)]
    if missing:
        print(f"{' and '.join(missing)} is needed; on Debian: apt-get install {' '.join(missing)}", file=sys.stderr)
        return 1
    chosen = [server for server in SERVERS if not arguments.only or server.name in arguments.only]
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        figures = _measured(chosen, Path(scratch), arguments.rounds, arguments.seconds)
    figures["targets"] = [target.judge(figures) for target in TARGETS]
    _report(figures)
    (HERE / "results.json").write_text(json.dumps(figures, indent=1) + "\n")
    note = f"{figures['machine']['processor']}, medians of {arguments.rounds} rounds of {arguments.seconds:g} s"
    (HERE / "results.svg").write_text(picture.svg(figures["windows"], note))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.serving", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of each window")
    parser.add_argument("--only", nargs="*", choices=[server.name for server in SERVERS], help="these servers")
    return parser.parse_args()


def _measured(servers: Sequence[Server], folder: Path, rounds: int, seconds: float) -> dict[str, Any]:
    folder.chmod(0o755)  # nginx's workers are somebody else
    (folder / "stock").mkdir()
    names = {server.environment for server in servers if server.environment}
    for name in sorted(names):
        environments.make(name)
    model.prepare(folder)
    for name in sorted(names):
        model.fit(folder, name)
    payloads = model.payloads(folder)
    with _all_running(servers, folder, payloads) as running:
        windows = _windows(CASES[:_SMALL], running, payloads, rounds, seconds, folder)
        start = {
            name: {"seconds": round(each.seconds, 3), "memory_mb": round(each.memory_mb(), 1)}
            for name, each in running.items()
        }
        windows |= _windows(CASES[_SMALL:], running, payloads, rounds, seconds, folder)
        probed = {name: each for name, each in running.items() if name in PROBED}
        large = {name: large_bodies(each, payloads["5 MB CSV"], folder) for name, each in probed.items()}
    return {
        "machine": _machine(),
        "versions": {name or "ours": environments.versions(name) for name in sorted({"", *names})},
        "start": start,
        "windows": {case: {name: _median(each) for name, each in found.items()} for case, found in windows.items()},
        "large_bodies": large,
        "rounds": {
            case: {name: [window.to_json() for window in each] for name, each in found.items()}
            for case, found in windows.items()
        },
    }


@contextmanager
def _all_running(
    servers: Sequence[Server], folder: Path, payloads: Mapping[str, model.Payload]
) -> Iterator[dict[str, Running]]:
    expected: float | None = None
    running: dict[str, Running] = {}
    with ExitStack() as stack:
        for place, server in enumerate(servers):
            port = FIRST_PORT + place * 10
            if server.name == "mlserver":
                write_settings(folder, port)
            print(f"starting {server.name} ...", flush=True)
            running[server.name] = Running(server, folder, port)
            stack.callback(running[server.name].stop)
            status, answer = running[server.name].send(payloads["one-row JSON"])
            assert status == 200, f"{server.name} answers {status}: {answer[:500]!r}"
            if server.name != "constant":
                found = probability(answer)
                expected = expected or found
                assert abs(found - expected) < 1e-5, f"{server.name} answers {found}, the first server {expected}"
        yield running


def _windows(
    cases: Sequence[Case],
    running: Mapping[str, Running],
    payloads: Mapping[str, model.Payload],
    rounds: int,
    seconds: float,
    scratch: Path,
) -> dict[str, dict[str, list[Window]]]:
    found: dict[str, dict[str, list[Window]]] = {case.name: defaultdict(list) for case in cases}
    for case in cases:
        names = [name for name in running if case.servers is None or name in case.servers]
        names = [name for name in names if name != "constant" or case.servers]
        for name in names:  # unmeasured: what is loaded with the first requests
            measure(running[name], payloads[case.payload], case.clients, 1, scratch)
        for place in range(rounds):
            for name in names:
                window = measure(running[name], payloads[case.payload], case.clients, seconds, scratch)
                found[case.name][name].append(window)
                print(
                    f"{case.name}, round {place + 1}: {name} {window.rate:,.0f}/s, p99 {window.p99:.2f} ms, "
                    f"{window.cpu:.3f} ms of processor each, {window.errors} errors",
                    flush=True,
                )
    return found


def _median(windows: Sequence[Window]) -> dict[str, Any]:
    middle = {
        name: statistics.median(getattr(window, name) for window in windows) for name in ("rate", "p50", "p99", "cpu")
    }
    return replace(windows[0], **middle, errors=sum(window.errors for window in windows)).to_json()


def _machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def _report(figures: Mapping[str, Any]) -> None:
    for case, servers in figures["windows"].items():
        print(f"\n{case}")
        base = servers.get("stock-omp1", {}).get("rate")
        for name, each in sorted(servers.items(), key=lambda pair: -pair[1]["rate"]):
            ratio = f"{each['rate'] / base:8.2f} x" if base else ""
            print(
                f"  {name:12} {each['rate']:10,.1f}/s {ratio}  p50 {each['p50']:8.2f}  p99 {each['p99']:8.2f} ms  "
                f"processor {each['cpu']:8.3f} ms  errors {each['errors']}"
            )
    print(f"\nstart and memory: {figures['start']}\nlarge bodies: {figures['large_bodies']}\n")
    for target in figures["targets"]:
        met = {True: "met", False: "MISSED", None: "not measured"}[target["met"]]
        value = "-" if target["measured"] is None else f"{target['measured']:.3g}"
        print(f"{met:12} {target['what']}: {value} ({target['target']})")


if __name__ == "__main__":
    sys.exit(main())
