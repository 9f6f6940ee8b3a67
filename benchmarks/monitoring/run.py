"""One run: every figure of the library, and of the peers at a million rows, each process in turn, round after round."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.monitoring import environments
from benchmarks.monitoring.spent import medians, run, together

TOOLS = Path(__file__).with_name("tools")
PEERS = ("nannyml", "evidently")
_MODULES = "benchmarks.monitoring.tools"


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rounds: int = 3
    compared: int = 1_000_000
    growing: tuple[int, ...] = (1_000_000, 3_000_000, 10_000_000)
    models: int = 300
    model_rows: int = 100_000


QUICK = Sizes(1, 100_000, (100_000, 500_000, 1_000_000), 5)


class Bench:
    """The rows of one run in a folder, and what can be done with them."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self._folder, self._sizes = folder, sizes
        self._log = folder / "log"
        self.lost: dict[str, str] = {}
        self._make("reference")
        spec, reference, out = (self._at(name) for name in ("spec.json", "reference.parquet", "baseline.json"))
        self.baseline = self._ours(["baseline", "--spec", spec, "--reference", reference, "--out", out])

    def compared(self, tools: Sequence[str]) -> dict[str, Any]:
        """Ours and the peers on the same rows, round after round."""
        files = self._files(self._sizes.compared)
        measures: dict[str, Callable[[], dict[str, float]]] = {"files": lambda: self._watch("compared", files)}
        measures["ours"] = lambda: self._measured("ours", [sys.executable, "-m", f"{_MODULES}.by_kernel"], files)
        measures |= {name: self._peer(name, files) for name in PEERS}
        spark = [environments.python("spark"), "-m", f"{_MODULES}.by_spark"]
        measures["spark"] = lambda: self._measured("spark", spark, files)
        found: dict[str, list[dict[str, float]]] = {name: [] for name in tools}
        for number in range(self._sizes.rounds):
            for name in tools:
                self._tried(name, lambda name=name: found[name].append(measures[name]()))
                if found[name] and name not in self.lost:
                    _tell(f"{self._sizes.compared:,} rows, round {number + 1}: {name}", found[name][-1])
        return {name: {"median": medians(each), "rounds": each} for name, each in found.items() if each}

    def growing(self) -> dict[str, Any]:
        """Ours on more and more rows."""
        found: dict[str, dict[str, Any]] = {}
        for rows in self._sizes.growing:
            files = self._files(rows)
            rounds = [self._watch(f"growing-{rows}", files) for _ in range(self._sizes.rounds)]
            found[str(rows)] = {"median": medians(rounds), "rounds": rounds}
            _tell(f"{rows:,} rows: ours", found[str(rows)]["median"])
        return found

    def models(self) -> dict[str, Any]:
        """A profile and a report of each of many models, all in one process."""
        files = self._files(self._sizes.model_rows)
        found = self._watch("model-{n}", files, self._sizes.models)
        _tell(f"{self._sizes.models} models of {self._sizes.model_rows:,} rows: ours", found)
        return found | {"models": self._sizes.models, "rows": self._sizes.model_rows}

    def shared(self) -> dict[str, Any]:
        """Profiles of the most rows by one process, and by two of half each at once."""
        files = self._files(self._sizes.growing[-1])
        halves = [files[: len(files) // 2], files[len(files) // 2 :]]
        rounds = []
        for _ in range(self._sizes.rounds):
            one = run(self._profile("whole", files), self._log)
            two = together([self._profile(f"half-{place}", half) for place, half in enumerate(halves)], self._log)
            last = max(each.wall for each in two)
            rounds.append(
                {
                    "one": one.wall,
                    "two": last,
                    "times": one.wall / last,
                    "cpu_of_one": one.cpu,
                    "cpu_of_two": sum(each.cpu for each in two),
                    "peak_mb_of_each": max(each.peak_mb for each in two),
                }
            )
        found = medians(rounds)
        print(
            f"two processes: {found['one']:.2f} s alone, {found['two']:.2f} s by two: {found['times']:.2f} x",
            flush=True,
        )
        return {"rows": self._sizes.growing[-1], "median": found, "rounds": rounds}

    def _watch(self, name: str, files: Sequence[str], times: int = 1) -> dict[str, float]:
        profile, report = self._at(f"{name}.profile"), self._at(f"{name}.report.json")
        baseline = self._at("baseline.json")
        return self._ours(
            ["profile", "--baseline", baseline, "--data", *files, "--out", profile],
            ["report", "--baseline", baseline, "--profiles", profile, "--out", report],
            times=times,
        )

    def _ours(self, *commands: list[str], times: int = 1) -> dict[str, float]:
        result = self._folder / "result.json"
        command = [sys.executable, "-m", f"{_MODULES}.by_ours", str(result), json.dumps(commands)]
        return _with(run([*command, str(times)], self._log).to_json(), result)

    def _peer(self, name: str, files: Sequence[str]) -> Callable[[], dict[str, float]]:
        command = [environments.python(name), str(TOOLS / f"by_{name}.py")]
        return lambda: self._measured(name, command, files)

    def _measured(self, name: str, command: Sequence[str], files: Sequence[str]) -> dict[str, float]:
        result = self._folder / f"{name}.json"
        return _with(run([*command, str(result), str(self._folder), *files], self._log).to_json(), result)

    def _profile(self, name: str, files: Sequence[str]) -> list[str]:
        command = [sys.executable, "-m", "monitoring", "profile", "--baseline", self._at("baseline.json")]
        return [*command, "--data", *files, "--out", self._at(f"{name}.profile")]

    def _files(self, rows: int) -> list[str]:
        found = sorted(self._folder.glob(f"{rows}-*.parquet"))
        return [str(each) for each in found] if found else self._make(str(rows)) or self._files(rows)

    def _make(self, what: str) -> None:
        print(f"making rows: {what} ...", flush=True)
        run([sys.executable, "-m", "benchmarks.monitoring.rows", str(self._folder), what], self._log)

    def _at(self, name: str) -> str:
        return str(self._folder / name)

    def _tried(self, name: str, step: Callable[[], None]) -> None:
        if name in self.lost:
            return
        try:
            step()
        except (OSError, RuntimeError) as error:
            self.lost[name] = f"not measured: {error}"
            print(f"{name} {self.lost[name]}", flush=True)


def _with(spent: dict[str, float], result: Path) -> dict[str, float]:
    """What a process used, and what it says it used without its start, as inside_wall and so on."""
    inside = json.loads(result.read_text())
    result.unlink()
    return spent | {f"inside_{name}": value for name, value in inside.items()}


def _tell(what: str, spent: dict[str, float]) -> None:
    print(
        f"{what} {spent['inside_wall']:.2f} s ({spent['inside_cpu']:.2f} CPU), with its start {spent['wall']:.2f} s "
        f"({spent['cpu']:.2f} CPU), peak {spent['peak_mb']:,.0f} MB",
        flush=True,
    )
