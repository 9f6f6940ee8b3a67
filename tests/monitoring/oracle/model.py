"""The predictions of the bike data: `python -m tests.monitoring.oracle.model` writes them beside the goldens.

They are kept, because another version of LightGBM would predict otherwise. Two models of 2011, each fitted on every
other week, predict the weeks of 2011 that they have not seen; in 2012 their mean is the prediction.
"""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.monitoring.oracle.datasets import BIKE_CATEGORICAL, BIKE_NUMERIC, GOLDEN, bike_hours


def predictions() -> np.ndarray[Any, np.dtype[np.float64]]:
    """What is predicted for every hour of both years."""
    table = bike_hours()
    inputs = np.column_stack([table[name].to_numpy().astype(np.float64) for name in (*BIKE_NUMERIC, *BIKE_CATEGORICAL)])
    rented = table["cnt"].to_numpy().astype(np.float64)
    days = table["timestamp"].to_numpy().astype("datetime64[D]")
    first_year = days < np.datetime64("2012-01-01")
    odd = days.astype(np.int64) // 7 % 2 == 1
    found = np.zeros((2, len(rented)))
    for place, seen in enumerate((first_year & odd, first_year & ~odd)):
        model = lightgbm.LGBMRegressor(n_estimators=80, verbose=-1, random_state=0, deterministic=True, n_jobs=1)
        model.fit(inputs[seen], rented[seen])
        found[place] = np.asarray(model.predict(inputs))
    unseen = np.where(odd, found[1], found[0])
    return np.round(np.where(first_year, unseen, found.mean(axis=0)), 3)


if __name__ == "__main__":
    kept = pa.table({"instant": bike_hours()["instant"], "prediction": predictions()})
    pq.write_table(kept, GOLDEN / "bike_predictions.parquet", compression="zstd")
