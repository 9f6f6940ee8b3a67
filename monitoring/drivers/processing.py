"""The kernel in SageMaker Processing: instances count their shards, and a second job adds up and reports.

`python -m monitoring.drivers.processing count` on any number of instances, with the data `ShardedByS3Key`, and
`python -m monitoring.drivers.processing report` on one, with what they wrote. Inputs and outputs are folders below
`/opt/ml/processing`; ML_ROOT replaces `/opt/ml` where this runs elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from monitoring.__main__ import execute
from monitoring.errors import MonitoringError


def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Runs one of both jobs; 0 when it is done, 2 when it is not: then SageMaker is told why."""
    parser = argparse.ArgumentParser(prog="python -m monitoring.drivers.processing")
    parser.add_argument("job", choices=("count", "report"))
    job = parser.parse_args(arguments).job
    root = root or Path(os.environ.get("ML_ROOT", "/opt/ml"))
    try:
        _count(root) if job == "count" else _report(root)
    except MonitoringError as error:
        print(f"monitoring: {error}", file=sys.stderr)
        (root / "output").mkdir(parents=True, exist_ok=True)
        (root / "output/message").write_text(str(error)[:1024])
        return 2
    return 0


def _count(root: Path) -> None:
    """Counts input/data and input/labels, which may be empty: an instance has its share of few objects."""
    inputs = root / "processing/input"
    out = root / "processing/output/profiles" / f"{_host(root)}.profile"
    out.parent.mkdir(parents=True, exist_ok=True)
    found = []
    for name in ("data", "labels"):
        folder = inputs / name
        if folder.is_dir() and any(each.is_file() for each in folder.rglob("*")):
            found += [f"--{name}", str(folder)]
    if not found:
        print("this instance got no object to count; it writes no profile")
        return
    execute(["profile", "--baseline", str(inputs / "baseline/baseline.json"), *found, "--out", str(out)])


def _report(root: Path) -> None:
    """Adds up input/profiles."""
    inputs, out = root / "processing/input", root / "processing/output/report"
    out.mkdir(parents=True, exist_ok=True)
    told = ["--baseline", str(inputs / "baseline/baseline.json"), "--profiles", str(inputs / "profiles")]
    execute(["report", *told, "--out", str(out / "report.json"), "--html", str(out / "report.html")])


def _host(root: Path) -> str:
    """What the instance is called among those of its job."""
    resources = root / "config/resourceconfig.json"
    return json.loads(resources.read_text())["current_host"] if resources.exists() else "algo-1"


if __name__ == "__main__":
    sys.exit(main())
