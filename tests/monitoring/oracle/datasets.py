"""The data sets of the comparison: `python -m tests.monitoring.oracle.datasets FOLDER [NAME...]` writes them all.

Each is a folder with reference.parquet, analysis.parquet, spec.json and, where labels come later, labels.parquet.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from tests.monitoring.oracle.synthetic import credit, small

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests/monitoring/golden"


@dataclass(frozen=True)
class Dataset:
    """Tables and what the spec says of them; without *labels* the analysis holds its labels."""

    spec: Mapping[str, Any]
    reference: pa.Table
    analysis: pa.Table
    labels: pa.Table | None = None

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "spec.json").write_text(json.dumps(self.spec, indent=1) + "\n")
        tables = {"reference": self.reference, "analysis": self.analysis, "labels": self.labels}
        for name, each in tables.items():
            if each is not None:
                pq.write_table(each, folder / f"{name}.parquet", row_group_size=10_000)


def acs() -> Dataset:
    """People of Massachusetts; each year's rows, in the order of their ids, are spread over its months."""
    folder = ROOT / "data/acs_employment_ma"
    reference, analysis, labels = (
        _timed(pq.read_table(folder / f"employment_MA_{name}.pq"))
        for name in ("reference", "analysis", "analysis_target")
    )
    features = [name for name in analysis.column_names if name.isupper()]
    spec = {
        "task": "binary",
        "features": {name: "numeric" if name == "AGEP" else "categorical" for name in features},
        "score": "predicted_probability",
        "prediction": "prediction",
        "label": "employed",
        "timestamp": "timestamp",
        "row_id": "id",
        "period": "month",
    }
    return Dataset(spec, reference, analysis, labels)


def _timed(table: pa.Table) -> pa.Table:
    plain = {
        name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
    if "year" not in plain:
        return pa.table(plain)
    years = plain.pop("year").to_numpy()
    order = np.lexsort((plain["id"].to_numpy(), years))
    firsts = np.searchsorted(years[order], years[order], side="left")
    places = np.empty(len(years), dtype=np.int64)
    places[order] = np.arange(len(years)) - firsts
    counts = np.unique(years, return_counts=True)
    rows = np.asarray(counts[1])[np.searchsorted(counts[0], years)]
    starts = (years - 1970).astype("datetime64[Y]")
    seconds = ((starts + 1).astype("datetime64[s]") - starts.astype("datetime64[s]")).astype(np.int64)
    times = starts.astype("datetime64[s]") + (places * seconds // rows).astype("timedelta64[s]")
    return pa.table(plain | {"timestamp": pa.array(times.astype("datetime64[us]"))})


BIKE_NUMERIC = ("temp", "atemp", "hum", "windspeed", "hr", "mnth", "weekday")
BIKE_CATEGORICAL = ("season", "weathersit", "workingday", "holiday")


def bike() -> Dataset:
    """Rented bicycles by the hour; the predictions are kept beside the goldens, see model.py."""
    table = bike_hours()
    predicted = pq.read_table(GOLDEN / "bike_predictions.parquet")
    assert predicted["instant"].equals(table["instant"]), "the predictions are of other rows"
    table = table.append_column("prediction", predicted["prediction"])
    spec = {
        "task": "regression",
        "features": dict.fromkeys(BIKE_NUMERIC, "numeric") | dict.fromkeys(BIKE_CATEGORICAL, "categorical"),
        "prediction": "prediction",
        "label": "cnt",
        "timestamp": "timestamp",
        "row_id": "instant",
        "period": "month",
    }
    year = pc.year(table["timestamp"])
    return Dataset(spec, table.filter(pc.equal(year, 2011)), table.filter(pc.equal(year, 2012)))


def bike_hours() -> pa.Table:
    """The hours with their time; categories are text."""
    table = pyarrow.csv.read_csv(ROOT / "data/uci_bike_sharing/hour.csv")
    days = table["dteday"].cast(pa.date32()).to_numpy().astype("datetime64[us]")
    times = days + table["hr"].to_numpy().astype("timedelta64[h]")
    columns = {name: table[name] for name in ("instant", *BIKE_NUMERIC)}
    columns |= {name: table[name].cast(pa.string()) for name in BIKE_CATEGORICAL}
    return pa.table(columns | {"cnt": table["cnt"], "timestamp": pa.array(times)})


DATASETS: Mapping[str, Callable[[], Dataset]] = {
    "acs": acs,
    "bike": bike,
    "credit": lambda: Dataset(*credit()),
    "small": lambda: Dataset(*small()),
}
"""Every data set by its name."""


def main(folder: Path, *names: str) -> None:
    for name in names or DATASETS:
        DATASETS[name]().write(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
