"""From rows in Parquet to what a model reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from config.features import Category, Feature, Number
from model_server.schema import Columns
from pipelines.container import StepError

if TYPE_CHECKING:
    import pandas as pd


def read_splits(folder: Path) -> dict[str, pa.Table]:
    """The rows of each Parquet file in *folder*, by the file's name."""
    splits = {file.stem: pq.read_table(file, partitioning=None) for file in sorted(folder.glob("*.parquet"))}
    if not splits:
        raise StepError(f"{folder} holds no Parquet file; run prepare first")
    return splits


def model_columns(rows: pa.Table, features: Iterable[Feature]) -> Columns:
    """The features of *rows* as the exported model reads them."""
    return {feature.name: _column(feature, rows[feature.name]) for feature in features}


def frame(columns: Columns) -> pd.DataFrame:
    """The same features as the fitted model reads them."""
    import pandas as pd  # noqa: PLC0415  half a second that only training needs

    return pd.DataFrame({name: column[:, 0] for name, column in columns.items()})


def training_frame(columns: Columns, features: Iterable[Feature]) -> pd.DataFrame:
    """The same, with categories that know all their values and the order in which model.yaml lists them."""
    import pandas as pd  # noqa: PLC0415  as above

    data = frame(columns)
    for feature in features:
        if isinstance(feature, Category):
            data[feature.name] = pd.Categorical(data[feature.name], categories=list(values(feature)))
    return data


def values(feature: Category) -> tuple[str, ...]:
    """Every value that may occur, with "" for null where it may be null."""
    return ("", *feature.values) if feature.nullable and "" not in feature.values else feature.values


def _column(feature: Feature, column: pa.ChunkedArray) -> np.ndarray:
    if isinstance(feature, Number):
        return column.to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, 1)
    return pc.fill_null(column, "").to_numpy(zero_copy_only=False).astype(object).reshape(-1, 1)
