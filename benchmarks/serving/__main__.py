"""`python -m benchmarks.serving`: every server gets the same load in turn, round after round; medians are compared."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.serving import picture, report
from benchmarks.serving.catalogue import SERVERS
from benchmarks.serving.run import measured
from benchmarks.serving.targets import TARGETS

HERE = Path(__file__).parent


def main() -> int:
    arguments = _arguments()
    missing = [program for program in ("wrk", "nginx") if not shutil.which(program)]
    if missing:
        print(f"this needs {' and '.join(missing)}; on Debian: apt-get install {' '.join(missing)}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended too
    chosen = [server for server in SERVERS if not arguments.only or server.name in arguments.only]
    rounds, seconds = (1, 2.0) if arguments.quick else (arguments.rounds, arguments.seconds)
    figures: dict[str, Any] = {"machine": report.machine(), "settings": {"rounds": rounds, "seconds": seconds}}
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        figures |= measured(chosen, Path(scratch), rounds, seconds)
    figures["targets"] = [target.judge(figures) for target in TARGETS]
    report.tell(figures)
    if arguments.quick or arguments.only:
        print("results.json and results.svg are left as they were: this was not the whole run")
        return 0
    (HERE / "results.json").write_text(json.dumps(figures, indent=1) + "\n")
    note = f"{figures['machine']['processor']}, medians of {rounds} rounds of {seconds:g} s"
    (HERE / "results.svg").write_text(picture.svg(figures["windows"], note))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.serving", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of each window")
    parser.add_argument("--only", type=_names, metavar="A,B", help=f"of {', '.join(each.name for each in SERVERS)}")
    parser.add_argument("--quick", action="store_true", help="one round of 2 s: does it run at all?")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = set(names) - {server.name for server in SERVERS}
    if unknown:
        raise argparse.ArgumentTypeError(f"no server is named {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    sys.exit(main())
