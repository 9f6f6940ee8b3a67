"""The campaign: `make fuzz`, or `python -m benchmarks.fuzzing --only decoders,http` for parts of it."""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fuzzing import decoders, http, model
from benchmarks.serving.environments import HOME

RESULTS = Path(__file__).with_name("results.json")
_ALL = "decoders,http,bombs,slow,schema"
_FOUND = HOME / "fuzzing-found"


def main() -> None:
    """Runs the parts that are asked for, and writes what they tell beside what others told before."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzzing")
    parser.add_argument("--only", default=_ALL)
    parser.add_argument("--mutations", type=int, default=45_000, help="of each content type")
    parser.add_argument("--guided", type=int, default=5_000, help="of each content type, guided by coverage")
    parser.add_argument("--requests", type=int, default=50_000, help="over HTTP")
    given = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() and given.only != _ALL else {}
    shutil.rmtree(_FOUND, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        package = model.write(Path(folder))
        parts: dict[str, Callable[[], Any]] = {
            "decoders": lambda: decoders.run(package, _FOUND, given.mutations, given.guided),
            "http": lambda: http.requests(package, given.requests),
            "bombs": lambda: http.bombs(package),
            "slow": lambda: http.slow(package),
            "schema": lambda: http.schema(package),
        }
        for name in given.only.split(","):
            print(f"== {name}", flush=True)
            results[name] = parts[name]()
            results["python"] = platform.python_version()
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    kept = sorted(_FOUND.glob("*.txt")) if _FOUND.exists() else []
    print(f"{len(kept)} bodies were answered with 5xx or slowly" + (f": see {_FOUND}" if kept else ""))


if __name__ == "__main__":
    main()
