"""Labelled rows from production beside a model's own data: where they are, and which of them count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.model import Model

FOLDER = "recorded"
"""The folder below a data prefix that holds them; no pattern of model.yaml reaches into it."""


def key(model: Model, period: str) -> str:
    """Where the rows of a period are, below the model's data prefix."""
    return f"{FOLDER}/{model.name}/{period}.parquet"


def files(model: Model, folder: Path) -> list[Path]:
    """The files of the newest periods, oldest first."""
    found = sorted(folder.glob(key(model, "*")), key=lambda file: file.stem)
    return found[-model.monitoring.retraining.periods :]


def newest(model: Model, rows: pa.Table) -> pa.Table:
    """The last rows of a table in order of time, as many as model.yaml asks for; the last of each id counts."""
    numbered = pa.table({"id": rows[model.data.id], "place": np.arange(len(rows))})
    last = numbered.group_by("id").aggregate([("place", "max")])["place_max"]
    return rows.take(np.sort(last.to_numpy())[-model.monitoring.retraining.rows :])


def without(model: Model, rows: pa.Table, others: pa.Table) -> pa.Table:
    """The rows whose id none of *others* has."""
    return rows.filter(pc.invert(pc.is_in(rows[model.data.id], pc.unique(others[model.data.id]))))
