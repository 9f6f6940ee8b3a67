"""The library's own commands in this process: `python -m benchmarks.monitoring.tools.by_ours RESULT JSON [TIMES]`.

JSON is a list of command lines; each runs as `python -m monitoring` would run it, all of them TIMES over, with the
number of the time for every {n}. RESULT gets the seconds since the interpreter had what the commands import.
"""

from __future__ import annotations

import json
import runpy
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_LOADED = (np.__version__, pa.__version__, pq.__name__)


def command(arguments: list[str]) -> None:
    sys.argv = ["monitoring", *arguments]
    try:
        runpy.run_module("monitoring", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code not in (0, None):
            raise


def main() -> None:
    commands, times = json.loads(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1
    result = Path(sys.argv[1])
    wall, cpu = time.perf_counter(), time.process_time()
    for number in range(times):
        for arguments in commands:
            command([each.replace("{n}", str(number)) for each in arguments])
    result.write_text(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main()
