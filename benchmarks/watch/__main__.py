"""`python -m benchmarks.watch`: a run of the watch job over a team of fifty models, in an AWS on this machine."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks.serving.report import machine
from benchmarks.watch.team import AT, BUCKET, ENVIRONMENT, NEXT, PROJECT, TEAM, Team
from local_aws.account import Account
from local_aws.settings import Settings

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MARK = "<!-- The table below is written by `make bench-watch`. -->"


def main() -> int:
    """Runs it, and writes results.json and the README's table."""
    sizes = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        settings = Settings(home=Path(folder, "account"), checkout=ROOT, port=0)
        with Account(settings) as account:
            Team(account, models=sizes.models, rows=sizes.rows, hours=sizes.hours)
            runs = {
                "everything is new": _run(account, AT, Path(folder)),
                "nothing is new": _run(account, NEXT, Path(folder)),
            }
    figures = {"machine": machine(), "settings": vars(sizes), "runs": runs}
    print(json.dumps(figures, indent=1))
    if sizes != argparse.Namespace(**DEFAULTS):
        print("results.json and README.md are left as they were: this was not the whole run")
        return 0
    (HERE / "results.json").write_text(json.dumps(figures, indent=1) + "\n")
    readme = HERE / "README.md"
    readme.write_text(readme.read_text().partition(MARK)[0] + MARK + "\n" + _table(figures))
    return 0


def _run(account: Account, at: str, folder: Path) -> dict[str, Any]:
    """A run of the job as a process, and what it and its children took."""
    said = {"project": PROJECT, "environment": ENVIRONMENT, "team": TEAM, "bucket": BUCKET, "at": at}
    options = [text for name, value in said.items() for text in (f"--{name}", value)]
    role = f"arn:aws:iam::{account.settings.account}:role/bench"
    credentials = account.environment(role, service_principal="sagemaker.amazonaws.com")
    environment = {**os.environ, **credentials, "ML_ROOT": str(folder)}
    out = os.open(folder / "out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    begin = time.perf_counter()
    command = [sys.executable, "-m", "pipelines.watch", *options]
    actions = [(os.POSIX_SPAWN_DUP2, out, 1)]
    process = os.posix_spawn(sys.executable, command, environment, file_actions=actions)
    peak = 0
    # What the kernel says of a process's peak begins with that of the one that started it, which here is large.
    while not (ended := os.wait4(process, os.WNOHANG))[0]:
        peak = max(peak, _memory(process))
        time.sleep(0.05)
    _, status, used = ended
    seconds = time.perf_counter() - begin
    if status:
        sys.exit(f"the job failed: {(folder / 'output/message').read_text()}")
    lines = (folder / "out").read_text().splitlines()
    return {
        "seconds": round(seconds, 2),
        "cpu": round(used.ru_utime + used.ru_stime, 2),
        "peak_mb": round(peak / 1024**2),
        "lights": {tier: sum(line.endswith(tier) for line in lines) for tier in ("green", "yellow", "red", "unknown")},
    }


def _memory(process: int) -> int:
    """What a process and those that it started hold now, in bytes."""
    with suppress(psutil.NoSuchProcess):
        family = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
        return sum(each.memory_info().rss for each in family)
    return 0


def _table(figures: dict[str, Any]) -> str:
    settings, computer = figures["settings"], figures["machine"]
    head = f"\n{computer['processor']}, {computer['cores']} cores.\n\n"
    title = f"| {settings['models']} models of {settings['rows']:,} rows | seconds | CPU | peak memory |\n"
    rows = [
        f"| {name} | {run['seconds']:.1f} | {run['cpu']:.1f} | {run['peak_mb']:,} MB |"
        for name, run in figures["runs"].items()
    ]
    return head + title + "|---|--:|--:|--:|\n" + "\n".join(rows) + "\n"


DEFAULTS = {"models": 50, "rows": 20_000, "hours": 240}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.watch", description=__doc__)
    for name, value in DEFAULTS.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
