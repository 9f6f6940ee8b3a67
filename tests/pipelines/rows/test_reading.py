from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from config.model import Model
from pipelines.container import StepError
from pipelines.rows.reading import read
from tests.pipelines.tables import model, rows

DATA = {"prefix": "p", "rows": ["rows*.parquet", "*.csv"], "id": "id", "period": "year", "train_periods": [2020]}


def labelled(**changes: Any) -> Model:
    data = {key: value for key, value in (DATA | changes).items() if value}
    return model(data=data)


def only_parquet(**changes: Any) -> Model:
    return labelled(rows=["rows*.parquet"], **changes)


def test_codes_that_are_numbers_in_the_file_become_texts(tmp_path: Path) -> None:
    feature = {"name": "colour", "type": "category", "values": ["0", "1", "2"]}
    table = rows().set_column(4, "colour", pa.array([number % 3 for number in range(100)]))
    pq.write_table(table, tmp_path / "rows.parquet")
    found = read(only_parquet().model_copy(update={"features": model(features=[feature]).features}), tmp_path)
    assert found.rows["colour"].to_pylist()[:3] == ["0", "1", "2"]


def test_a_nan_is_an_empty_value(tmp_path: Path) -> None:
    pq.write_table(rows(size=[float("nan")] * 100), tmp_path / "rows.parquet")
    assert read(only_parquet(), tmp_path).rows["size"].null_count == 100


def test_several_files_are_one_table_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("rows_b", "rows_a"):
        pq.write_table(rows(2, id=[f"{name}0", f"{name}1"]), tmp_path / f"{name}.parquet")
    found = read(only_parquet(), tmp_path)
    assert found.rows["id"].to_pylist() == ["rows_a0", "rows_a1", "rows_b0", "rows_b1"]


@pytest.mark.parametrize(("unit", "period"), [("day", "2020-04-30"), ("month", "2020-04"), ("year", "2020")])
def test_a_period_is_the_asked_part_of_a_date(tmp_path: Path, unit: str, period: str) -> None:
    pq.write_table(rows(2, year=[date(2020, 4, 30)] * 2), tmp_path / "rows_dates.parquet")
    pq.write_table(rows(2, year=["2020-04-30T12:00:00Z"] * 2), tmp_path / "rows_texts.parquet")
    pq.write_table(rows(2, year=[datetime(2020, 4, 30, 12, tzinfo=UTC)] * 2), tmp_path / "rows_times.parquet")
    assert read(only_parquet(period_unit=unit), tmp_path).rows["year"].to_pylist() == [period] * 6


def test_a_period_that_is_no_date_where_one_is_needed_is_said(tmp_path: Path) -> None:
    pq.write_table(rows(3, year=["2020-04-30", "April", None]), tmp_path / "rows.parquet")
    with pytest.raises(StepError, match=r"year: 1 values are no dates, the first one 'April'; data\.period_unit"):
        read(only_parquet(period_unit="month"), tmp_path)


def test_rows_without_a_label_are_counted_and_dropped(tmp_path: Path) -> None:
    pq.write_table(rows().drop_columns("late"), tmp_path / "rows.parquet")
    pq.write_table(rows(60).select(["id", "late"]), tmp_path / "labels.parquet")
    found = read(only_parquet(labels=["labels.parquet"]), tmp_path)
    assert (len(found.rows), found.unlabelled) == (60, 40)


def test_a_csv_with_a_word_for_a_number_is_said(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,year,late,size,colour\n1,2020,0,big,red\n")
    with pytest.raises(StepError, match=r"rows\.csv cannot be read: .*'big'"):
        read(labelled(rows=["*.csv"]), tmp_path)


@pytest.mark.parametrize(
    ("table", "changes", "sentence"),
    [
        (rows().drop_columns("size"), {}, r"rows\.parquet has no column size; it has: id, year, late, colour"),
        (rows(size=["1"] * 100), {}, r"rows\.parquet: size is of type string; expected numbers"),
        (
            rows(colour=[1.5] * 100),
            {},
            r"rows\.parquet: colour is of type double; expected texts, whole numbers or dates",
        ),
        (
            rows(),
            {"rows": ["*.orc"]},
            r"no file matches '\*\.orc' of model\.yaml; the data folder holds: rows\.parquet",
        ),
        (rows(), {"labels": ["*.parquet"]}, r"rows\.parquet matches data\.rows and data\.labels"),
    ],
)
def test_files_that_cannot_be_used_are_said(
    tmp_path: Path, table: pa.Table, changes: dict[str, Any], sentence: str
) -> None:
    pq.write_table(table, tmp_path / "rows.parquet")
    with pytest.raises(StepError, match=sentence):
        read(labelled(**{"rows": ["rows*.parquet"], **changes}), tmp_path)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (rows(id=["7"] * 100), "99 labels repeat an id in labels.parquet; give each id one label"),
        (rows(late=[0.5] * 100), "100 rows have another late than the labels of their id; keep one of the two"),
    ],
)
def test_labels_that_contradict_are_said(tmp_path: Path, labels: pa.Table, sentence: str) -> None:
    pq.write_table(rows(), tmp_path / "rows.parquet")
    pq.write_table(labels.select(["id", "late"]), tmp_path / "labels.parquet")
    with pytest.raises(StepError, match=sentence):
        read(only_parquet(labels=["labels.parquet"]), tmp_path)


def test_another_kind_of_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "rows.xlsx").touch()
    with pytest.raises(StepError, match=r"rows\.xlsx is neither Parquet"):
        read(labelled(rows=["*.xlsx"]), tmp_path)


def test_a_folder_that_is_named_like_a_partition_adds_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "year=1999"
    folder.mkdir()
    pq.write_table(rows(4), folder / "rows.parquet")
    assert read(labelled(rows=["*/*.parquet"]), tmp_path).rows["year"].to_pylist() == ["2020", "2021", "2022", "2023"]


def test_a_packed_csv_is_read(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "rows.csv.gz", "wt") as file:
        file.write("id,year,late,size,colour\n1,2020,1,2.5,red\n2,2020,,,\n")
    found = read(labelled(rows=["*.csv.gz"]), tmp_path)
    assert found.rows.to_pylist() == [{"id": "1", "year": "2020", "late": 1.0, "size": 2.5, "colour": "red"}]
    assert found.unlabelled == 1
