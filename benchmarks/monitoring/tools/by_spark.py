"""A profile and a report by the Spark driver on two cores: `by_spark RESULT FOLDER DATA...`, where pyspark is.

The session is up and its workers have counted once before the clock starts.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession

from monitoring import store
from monitoring.drivers.spark import profile
from monitoring.report import report


def main(result: Path, folder: Path, *files: str) -> None:
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(Path(__file__).parents[3])}
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    baseline = store.read_baseline(folder / "baseline.json")
    rows = session.read.parquet(*files)
    report(profile(rows, baseline))
    wall, cpu = time.perf_counter(), time.process_time()
    assert report(profile(rows, baseline))["periods"]
    result.write_text(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))
    session.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
