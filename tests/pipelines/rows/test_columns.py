from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from config.features import Category
from pipelines.container import StepError
from pipelines.rows.columns import model_columns, read_splits, training_frame, values
from tests.pipelines.tables import CATEGORY, NUMBER, changed, model, rows

NULLABLE = model(features=[NUMBER | {"nullable": True}, CATEGORY | {"nullable": True}])


def test_numbers_are_read_with_32_bits_and_null_is_nan() -> None:
    found = model_columns(rows(2, size=[0.1, None]), NULLABLE.features)["size"]
    assert found.dtype == np.float32
    assert found.shape == (2, 1)
    assert found[0, 0] == np.float32(0.1)
    assert np.isnan(found[1, 0])


def test_categories_are_texts_and_null_is_the_empty_text() -> None:
    found = model_columns(rows(2, colour=["red", None]), NULLABLE.features)["colour"]
    assert found.tolist() == [["red"], [""]]


def test_a_training_frame_knows_all_categories_in_the_order_of_the_schema() -> None:
    columns = model_columns(rows(), model().features)
    assert list(training_frame(columns, model().features)["colour"].cat.categories) == ["red", "green", "blue"]
    assert list(training_frame(columns, model().features)["colour"]) == columns["colour"][:, 0].tolist()


def test_the_empty_text_is_a_category_where_null_is_allowed() -> None:
    colour = NULLABLE.features[1]
    assert isinstance(colour, Category)
    assert values(colour) == ("", "red", "green", "blue")
    table = rows(colour=changed(rows()["colour"].to_pylist(), 5, None))
    assert training_frame(model_columns(table, NULLABLE.features), NULLABLE.features)["colour"][5] == ""


def test_splits_are_named_after_their_files(tmp_path: Path) -> None:
    pq.write_table(rows(3), tmp_path / "2022.parquet")
    pq.write_table(rows(4), tmp_path / "holdout.parquet")
    assert {name: len(table) for name, table in read_splits(tmp_path).items()} == {"2022": 3, "holdout": 4}


def test_a_folder_without_rows_is_said(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="holds no Parquet file; run prepare first"):
        read_splits(tmp_path)
