"""Leaves something out of the first training, so that production brings a value that the model has never seen."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from config import Model

RARE_ROWS = 5


def without_rarest(model: Model, data: Path, folder: Path) -> str | None:
    """Copies a model's CSV files to *folder* without its training rows of one rare category; says which.

    Only for a model that keeps such rows back (`serving.unseen: quarantine`); None where there is nothing to leave out.
    """
    files = sorted({file for pattern in model.data.rows for file in data.glob(pattern)})
    if model.serving.unseen != "quarantine" or any(file.suffix != ".csv" for file in files):
        return None
    tables = {file: pd.read_csv(file, dtype=str) for file in files}
    training = pd.concat([table[_training(model, table)] for table in tables.values()])
    rarest = _rarest(model, training)
    if rarest is None:
        return None
    feature, value = rarest
    folder.mkdir(parents=True, exist_ok=True)
    for file, table in tables.items():
        left_out = _training(model, table) & (table[feature] == value)
        table[~left_out].to_csv(folder / file.name, index=False)
    return f"{feature} {value}"


def _training(model: Model, table: pd.DataFrame) -> pd.Series:
    return table[model.data.period].str.startswith(tuple(map(str, model.data.train_periods)))


def _rarest(model: Model, training: pd.DataFrame) -> tuple[str, str] | None:
    counts = [
        (int((training[feature.name] == value).sum()), feature.name, value)
        for feature in model.features
        if feature.type == "category"
        for value in feature.values
    ]
    rare = min((each for each in counts if 0 < each[0] <= RARE_ROWS), default=None)
    return rare[1:] if rare else None
