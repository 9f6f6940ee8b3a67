"""From rows in Parquet to what a model reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from config.features import Category, Feature, Number
from model_server.engines import Categorical
from model_server.scoring import Columns
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


def training_frame(columns: Columns, features: Iterable[Feature]) -> pd.DataFrame:
    """The same as `fit` reads them: categories know all their values, in the order in which model.yaml lists them."""
    import pandas as pd  # noqa: PLC0415  half a second that only training needs

    named: dict[str, Any] = {name: column[:, 0] for name, column in columns.items()}
    for feature in features:
        if isinstance(feature, Category):
            category = Categorical(feature.values, nullable=feature.nullable)
            named[feature.name] = category.column(named[feature.name])
    return pd.DataFrame(named)


def values(feature: Category) -> tuple[str, ...]:
    """Every value that may occur, with "" for null where it may be null."""
    return ("", *feature.values) if feature.nullable and "" not in feature.values else feature.values


def _column(feature: Feature, column: pa.ChunkedArray) -> np.ndarray:
    if isinstance(feature, Number):
        return column.to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, 1)
    return pc.fill_null(column, "").to_numpy(zero_copy_only=False).astype(object).reshape(-1, 1)
