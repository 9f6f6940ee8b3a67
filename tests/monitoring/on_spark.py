"""Counts files on Spark: `python -m tests.monitoring.on_spark BASELINE DATA OUT`, where pyspark is.

Spark's driver asks for pandas; its workers get a folder first on their path in which pandas cannot be imported.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from pyspark.sql import SparkSession

from monitoring import store
from monitoring.drivers.spark import profile


def main(baseline: str, data: str, out: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pandas.py").write_text("raise ImportError('a worker imported pandas')\n")
        os.environ["PYSPARK_PYTHON"] = sys.executable
        path = os.pathsep.join([folder, str(Path(__file__).parents[2])])
        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        session = builder.config("spark.executorEnv.PYTHONPATH", path).getOrCreate()
        try:
            found = (
                session.sparkContext.parallelize([0])
                .map(lambda _: getattr(find_spec("pandas"), "origin", None))
                .collect()
            )
            assert found == [str(Path(folder, "pandas.py"))], found
            rows = session.read.parquet(data).repartition(5)
            store.save(profile(rows, store.read_baseline(Path(baseline))), Path(out))
        finally:
            session.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
