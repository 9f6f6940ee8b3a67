"""Writes the goldens; runs in the environment of requirements.txt, on what datasets.py has written.

`python -m tests.monitoring.oracle.make_golden FOLDER [NAME...]`
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.monitoring.oracle import by_definition
from tests.monitoring.oracle.by_nannyml import Oracle

GOLDEN = Path(__file__).parents[1] / "golden"
VERSIONS = ("nannyml", "numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "category-encoders", "statsmodels")


def golden(folder: Path) -> dict[str, Any]:
    """Everything that is known of one data set."""
    spec = json.loads((folder / "spec.json").read_text())
    reference, analysis = (pd.read_parquet(folder / f"{name}.parquet") for name in ("reference", "analysis"))
    if (folder / "labels.parquet").exists():
        analysis = analysis.merge(pd.read_parquet(folder / "labels.parquet"), on=spec["row_id"], how="left")
    oracle = Oracle(spec, reference, analysis)
    univariate, thresholds = oracle.univariate()
    rates = oracle.rates()
    multivariate, pca = oracle.multivariate()
    estimated, decided = oracle.estimated()
    realized = oracle.realized()
    periods: dict[str, Any] = {}
    for key, rows in _monthly(analysis, spec):
        features = {}
        for name, kind in spec["features"].items():
            ours = by_definition.feature(kind, reference[name], rows[name])
            for rate, value in rates[key][name].items():
                assert math.isclose(ours[rate], value, abs_tol=1e-15), f"{rate} of {name} in {key}"
            features[name] = univariate[key][name] | ours
        periods[key] = {
            "n": len(rows),
            "features": features,
            "multivariate": multivariate[key],
            "estimated": estimated[key],
            "realized": _realized(spec, rows, realized[key]),
        }
    _beside(spec, oracle, reference, analysis, periods)
    whole = by_definition.realized(spec, reference)
    return {
        "versions": {package: importlib.metadata.version(package) for package in VERSIONS},
        "rows": {"reference": _fingerprint(reference), "analysis": _fingerprint(analysis)},
        "fitted": {"pca": pca, "needs_calibration": decided.get("needs_calibration"), "reference": whole},
        "thresholds": thresholds,
        "periods": periods,
    }


def _monthly(analysis: pd.DataFrame, spec: dict[str, Any]) -> Iterator[tuple[str, pd.DataFrame]]:
    months = analysis[spec["timestamp"]].dt.to_period("M").astype(str)
    for key, rows in analysis.groupby(months):
        yield str(key), rows


def _realized(spec: dict[str, Any], rows: pd.DataFrame, theirs: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for metric, value in by_definition.realized(spec, rows).items():
        found[metric] = {"value": value}
        if metric in theirs:
            assert math.isclose(value, theirs[metric]["value"], rel_tol=1e-12), metric
            found[metric]["sampling_error"] = theirs[metric]["sampling_error"]
    return found


def _beside(
    spec: dict[str, Any],
    oracle: Oracle,
    reference: pd.DataFrame,
    analysis: pd.DataFrame,
    periods: dict[str, Any],
) -> None:
    """Puts beside nannyml's estimates what they are without its rounding, its ties and its few resamples; and R2."""
    if spec["task"] == "regression":
        for key, rows in _monthly(analysis, spec):
            spread = float(np.var(rows[spec["prediction"]].to_numpy()))
            loss = periods[key]["estimated"]["rmse"]["value"] ** 2
            periods[key]["estimated"]["r2"] = {"value": spread / (spread + loss)}
        return
    _, truth, scores = by_definition.ranked(spec, reference)
    areas = [by_definition.auc_spread(*each) for each in zip(truth, scores, strict=True)]
    precisions = [by_definition.average_precision_spread(*each) for each in zip(truth, scores, strict=True)]
    adjusted = 1.2 if spec["task"] == "multiclass" else 1.0
    for key, rows in _monthly(analysis, spec):
        n, found = len(rows), periods[key]["estimated"]
        pairs = [by_definition.estimated_order(*each) for each in oracle.calibrated(rows)]
        for metric in ("roc_auc", "average_precision"):
            found[metric]["unrounded"] = float(np.mean([each[metric] for each in pairs]))
        variance = sum(each / (n * share) for each, share in areas)
        found["roc_auc"]["sampling_error_of_half_ties"] = math.sqrt(variance) / len(areas) * adjusted
        found["average_precision"]["sampling_error_of_many"] = math.sqrt(
            np.mean([each * size / n for each, size in precisions])
        )


def _fingerprint(table: pd.DataFrame) -> dict[str, Any]:
    """Enough of every column to see that a test compares the same rows."""
    found: dict[str, Any] = {}
    for label, column in table.items():
        name = str(label)
        found[name] = {"n": len(column), "nulls": int(column.isna().sum())}
        if pd.api.types.is_numeric_dtype(column):
            found[name]["sum"] = float(column.sum())
        else:
            found[name]["distinct"] = int(column.nunique())
    return found


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(name): _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case bool() | np.bool_():
            return bool(value)
        case int() | np.integer():
            return int(value)
        case float() | np.floating():
            return None if math.isnan(value) else float(value)
        case _:
            return value


def main(folder: Path, *names: str) -> None:
    for place in sorted(folder.iterdir()):
        if not names or place.name in names:
            found = _plain(golden(place))
            (GOLDEN / f"{place.name}.json").write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
            print(f"{place.name}: {len(found['periods'])} periods")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
