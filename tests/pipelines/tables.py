"""Small models and tables for tests that need no real data."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from config.model import Model

CATEGORY = {"name": "colour", "type": "category", "values": ["red", "green", "blue"]}
NUMBER = {"name": "size", "type": "number", "minimum": 0, "maximum": 10}


def model(**changes: Any) -> Model:
    """A binary model with one number and one category, or with *changes*."""
    metric = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "r2"}[changes.get("task", "binary")]
    content: dict[str, Any] = {
        "name": "parcels",
        "description": "Whether a parcel comes late.",
        "team": "post",
        "owners": ["post@example.com"],
        "task": "binary",
        "target": "late",
        "data": {
            "prefix": "parcels",
            "rows": ["*.parquet"],
            "id": "id",
            "period": "year",
            "train_periods": [2020, 2021],
        },
        "features": [NUMBER, CATEGORY],
        "promotion": {"metric": metric, "at_least": 0.5},
        "hosting": {"kind": "serverless"},
        "monitoring": {"none": "it exists in a test and nowhere else"},
    }
    return Model.model_validate(content | changes)


def rows(count: int = 100, /, **changes: list[Any]) -> pa.Table:
    """Rows that fit the model, with *changes* to whole columns."""
    columns: dict[str, list[Any]] = {
        "id": [str(number) for number in range(count)],
        "year": [str(2020 + number % 4) for number in range(count)],
        "late": [float(number % 3 == 0) for number in range(count)],
        "size": [float(number % 11) for number in range(count)],
        "colour": [("red", "green", "blue")[number % 3] for number in range(count)],
    }
    return pa.table(columns | changes)


def changed(values: list[Any], place: int, value: Any) -> list[Any]:
    """*values* with another one at *place*."""
    return [*values[:place], value, *values[place + 1 :]]
