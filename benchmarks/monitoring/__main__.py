"""`python -m benchmarks.monitoring`: the library beside nannyml and evidently, and alone on many rows and models."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.monitoring import environments, picture, report
from benchmarks.monitoring.run import PEERS, QUICK, Bench, Sizes
from benchmarks.monitoring.targets import TARGETS
from benchmarks.serving.report import machine

HERE = Path(__file__).parent
TOOLS = ("ours", "files", *PEERS, "spark")
PARTS = ("growing", "models", "shared")


def main() -> int:
    arguments = _arguments()
    sizes = QUICK if arguments.quick else replace(Sizes(), rounds=arguments.rounds)
    tools = [name for name in TOOLS if not arguments.only or name in arguments.only]
    parts = [name for name in PARTS if not arguments.only or name in arguments.only]
    figures: dict[str, Any] = {"machine": machine(), "settings": asdict(sizes), "versions": {}}
    for name in tools:
        environments.make(name)
        figures["versions"][name] = environments.versions(name)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.scratch) as scratch:
        bench = Bench(Path(scratch), sizes)
        figures |= {"baseline": bench.baseline, "compared": bench.compared(tools)}
        figures |= {"growing": bench.growing() if "growing" in parts else {}}
        figures |= {"models": bench.models() if "models" in parts else None}
        figures |= {"shared": bench.shared() if "shared" in parts else None}
        figures["not_measured"] = bench.lost
    figures["targets"] = [target.judge(figures) for target in TARGETS]
    told = report.tables(figures)
    print(f"\n{told}")
    if arguments.quick or arguments.only:
        print("results.json, results.svg and README.md are left as they were: this was not the whole run")
        return 0
    (HERE / "results.json").write_text(json.dumps(figures, indent=1) + "\n")
    note = f"{figures['machine']['processor']}, {figures['machine']['cores']} cores, medians of {sizes.rounds} rounds"
    (HERE / "results.svg").write_text(picture.svg(figures, note))
    readme = HERE / "README.md"
    readme.write_text(readme.read_text().partition(report.MARK)[0] + report.MARK + "\n" + told)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.monitoring", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", type=_names, metavar="A,B", help=f"of {', '.join((*TOOLS, *PARTS))}")
    parser.add_argument("--quick", action="store_true", help="one round of fewer rows: does it run at all?")
    parser.add_argument("--scratch", help="the folder for 2 GB of rows; by default that of temporary files")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - {*TOOLS, *PARTS}:
        raise argparse.ArgumentTypeError(f"nothing is named {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    sys.exit(main())
