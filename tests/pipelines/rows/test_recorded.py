"""Rows from production beside a model's own data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from config.model import Model
from pipelines.container import StepError
from pipelines.rows import recorded
from pipelines.rows.checks import fitting
from pipelines.rows.reading import read
from pipelines.rows.splitting import HOLDOUT, RECENT, split
from tests.pipelines.tables import CATEGORY, NUMBER, model, rows


def parcels(patterns: list[str] | None = None, **retraining: Any) -> Model:
    data = {"prefix": "p", "rows": patterns or ["*.parquet"], "id": "id", "period": "year", "train_periods": [2020]}
    return model(data=data, monitoring={"alarms": {}, "retraining": retraining})


def production(count: int = 100, start: int = 1000, period: str = "2024-01", **changes: list[Any]) -> pa.Table:
    ids = [str(number) for number in range(start, start + count)]
    return rows(count, **{"id": ids, "year": [period] * count, **changes})


def folder(root: Path, name: str = "parcels", **periods: pa.Table) -> Path:
    """A data folder with rows of its own and recorded ones by period."""
    pq.write_table(rows(), root / "rows.parquet")
    place = root / recorded.FOLDER / name
    place.mkdir(parents=True)
    for period, table in periods.items():
        pq.write_table(table, place / f"{period.replace('_', '-')}.parquet")
    return root


def test_recorded_rows_are_read_apart_and_named_among_the_files(tmp_path: Path) -> None:
    found = read(parcels(), folder(tmp_path, _2024_01=production()))
    assert (len(found.rows), len(found.recorded)) == (100, 100)
    assert [file.name for file in found.files] == ["rows.parquet", "-2024-01.parquet"]


def test_no_pattern_reaches_into_them_nor_a_model_into_anothers(tmp_path: Path) -> None:
    found = read(parcels(["**/*.parquet"]), folder(tmp_path, "letters", a=production()))
    assert (len(found.rows), len(found.recorded)) == (100, 0)
    with pytest.raises(StepError, match=r"no file matches 'recorded/\*/\*' of model.yaml; the data folder holds: rows"):
        read(parcels(["recorded/*/*"]), tmp_path)


def test_they_need_no_date_where_the_data_has_dates(tmp_path: Path) -> None:
    data = {**parcels().data.model_dump(), "period_unit": "year"}
    pq.write_table(rows(year=["2020-04-30"] * 100), folder(tmp_path, a=production()) / "rows.parquet")
    found = read(model(data=data, monitoring={"alarms": {}}), tmp_path)
    assert found.recorded["year"].unique().to_pylist() == ["2024-01"]


def test_the_newest_periods_and_rows_count_and_of_an_id_the_newest(tmp_path: Path) -> None:
    periods = {
        "2024-01": production(5, 0),
        "2024-02": production(5, 10, size=[1.0] * 5),
        "2024-03": production(5, 12, size=[2.0] * 5),
    }
    folder(tmp_path, **{name.replace("-", "_"): table for name, table in periods.items()})
    found = read(parcels(periods=2), tmp_path).recorded
    assert found["id"].to_pylist() == ["10", "11", "12", "13", "14", "15", "16"]
    assert found["size"].to_pylist() == [1.0] * 2 + [2.0] * 5
    assert read(parcels(rows=3), tmp_path).recorded["id"].to_pylist() == ["14", "15", "16"]


def test_a_column_that_was_not_known_then_is_null(tmp_path: Path) -> None:
    found = read(parcels(), folder(tmp_path, a=production().drop_columns("colour")))
    assert found.recorded["colour"].null_count == 100


def test_rows_that_break_the_schema_are_left_out_and_counted_by_column() -> None:
    table = production(
        6, size=[1.0, 99.0, None, 1.0, float("inf"), 2.0], colour=["red", "pink", "red", None, "red", "blue"]
    )
    table = table.set_column(2, "late", [[1.0, 0.0, 1.0, 0.0, 1.0, 2.0]])
    kept, broken = fitting(parcels(), table)
    assert kept["id"].to_pylist() == ["1000"]
    assert broken == {"size": 3, "colour": 2, "late": 1}
    lenient = model(features=[NUMBER | {"nullable": True}, CATEGORY | {"nullable": True}])
    assert fitting(lenient, table)[0]["id"].to_pylist() == ["1000", "1002", "1003"]


def test_rows_that_keep_it_stay_as_they_are() -> None:
    assert fitting(parcels(), production()) == (production(), {})
    nothing = production().slice(0, 0)
    assert fitting(parcels(), nothing) == (nothing, {})


@pytest.mark.parametrize(
    ("task", "labels", "fine"),
    [("regression", [1.5, float("inf"), None], 1), ("multiclass", ["much", "", None], 2)],
)
def test_labels_of_other_tasks(task: str, labels: list[Any], fine: int) -> None:
    assert len(fitting(model(task=task), production(3, late=labels))[0]) == fine


def test_they_are_trained_on_whatever_their_period_and_held_out_by_the_same_hash() -> None:
    plain, found = split(parcels(), rows()), split(parcels(), rows(), production())
    assert list(found.held_out) == [HOLDOUT, RECENT, "2021", "2022", "2023"]
    assert found.held_out[HOLDOUT] == plain.held_out[HOLDOUT]
    assert len(found.train) + len(found.held_out[RECENT]) == len(plain.train) + 100
    assert found.train["year"].to_pylist()[-1] == "2024-01"
    again = split(parcels(), rows(), production(200))
    assert set(found.held_out[RECENT]["id"].to_pylist()) <= set(again.held_out[RECENT]["id"].to_pylist())


def test_a_row_that_is_in_both_has_one_place() -> None:
    both = production(50, 0)
    found = split(parcels(), rows(), both)
    ids = pa.concat_tables([found.train, *found.held_out.values()])["id"].to_pylist()
    assert len(ids) == len(set(ids)) == 100
    assert found.repeated == 50
    trained = dict(zip(found.train["id"].to_pylist(), found.train["year"].to_pylist(), strict=True))
    assert (trained["0"], trained["1"]) == ("2020", "2024-01")


def test_so_few_that_none_is_held_out_are_trained_on() -> None:
    found = split(parcels(), rows(), production(1))
    assert RECENT not in found.held_out
    assert found.train["id"].to_pylist()[-1] == "1000"
