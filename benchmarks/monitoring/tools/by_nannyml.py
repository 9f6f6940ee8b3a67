"""The same measures by nannyml: `python by_nannyml.py RESULT FOLDER DATA...`, in nannyml's environment.

Rows are in memory, and everything is imported and fitted on the reference, before the clock starts.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml
import pandas as pd

warnings.simplefilter("ignore")
logging.disable(logging.ERROR)
METRICS = ["roc_auc", "precision", "recall", "f1", "specificity", "accuracy", "average_precision"]


def calculators(spec: dict[str, Any]) -> dict[str, Any]:
    """What to run by name."""
    chunks = {"chunk_period": "M", "timestamp_column_name": spec["timestamp"]}
    features = list(spec["features"])
    numeric, categorical = (
        [name for name in features if spec["features"][name] == kind] for kind in ("numeric", "categorical")
    )
    model = {"y_true": spec["label"], "y_pred": spec["prediction"], "y_pred_proba": spec["score"], "metrics": METRICS}
    return {
        "univariate": nannyml.UnivariateDriftCalculator(
            column_names=features,
            continuous_methods=["jensen_shannon", "hellinger", "kolmogorov_smirnov", "wasserstein"],
            categorical_methods=["jensen_shannon", "hellinger", "l_infinity", "chi2"],
            **chunks,
        ),
        "missing": nannyml.MissingValuesCalculator(column_names=features, normalize=True, **chunks),
        "unseen": nannyml.UnseenValuesCalculator(column_names=categorical, normalize=True, **chunks),
        "range": nannyml.NumericalRangeCalculator(column_names=numeric, normalize=True, **chunks),
        "pca": nannyml.DataReconstructionDriftCalculator(column_names=features, **chunks),
        "estimated": nannyml.CBPE(problem_type="classification_binary", **model, **chunks),
        "realized": nannyml.PerformanceCalculator(problem_type="classification_binary", **model, **chunks),
    }


def main(result: Path, folder: Path, *files: str) -> None:
    spec = json.loads((folder / "spec.json").read_text())
    rows = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    chosen = calculators(spec)
    fitting = time.process_time()
    reference = pd.read_parquet(folder / "reference.parquet")
    for calculator in chosen.values():
        calculator.fit(reference)
    before = {"cpu_of_import_and_reading": fitting, "cpu_of_fit": time.process_time() - fitting}
    parts = {}
    wall, cpu = time.perf_counter(), time.process_time()
    for name, calculator in chosen.items():
        started = time.perf_counter()
        run = getattr(calculator, "calculate", None) or calculator.estimate
        run(rows).filter(period="analysis").to_df()
        parts[name] = time.perf_counter() - started
    spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    result.write_text(json.dumps(spent | before | {f"wall_of_{name}": each for name, each in parts.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
