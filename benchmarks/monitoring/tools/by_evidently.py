"""Drift by PSI and the data summary by evidently: `python by_evidently.py RESULT FOLDER DATA...`, in its environment.

Rows are in memory and everything is imported before the clock starts; all rows are one period, which is less to do.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from pathlib import Path

os.environ["DO_NOT_TRACK"] = "1"

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset, DataSummaryPreset

warnings.simplefilter("ignore")


def main(result: Path, folder: Path, *files: str) -> None:
    spec = json.loads((folder / "spec.json").read_text())
    numeric, categorical = (
        [name for name, each in spec["features"].items() if each == kind] for kind in ("numeric", "categorical")
    )
    definition = DataDefinition(
        numerical_columns=[*numeric, spec["score"]],
        categorical_columns=[*categorical, spec["prediction"], spec["label"]],
        timestamp=spec["timestamp"],
    )
    rows = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    current = Dataset.from_pandas(rows, data_definition=definition)
    reference = Dataset.from_pandas(pd.read_parquet(folder / "reference.parquet"), data_definition=definition)
    before = {"cpu_of_import_and_reading": time.process_time()}
    wall, cpu = time.perf_counter(), time.process_time()
    parts = {}
    presets = {"drift": DataDriftPreset(num_method="psi", cat_method="psi"), "summary": DataSummaryPreset()}
    for name, preset in presets.items():
        started = time.perf_counter()
        Report([preset]).run(current, reference).json()
        parts[name] = time.perf_counter() - started
    spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    result.write_text(json.dumps(spent | before | {f"wall_of_{name}": each for name, each in parts.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
