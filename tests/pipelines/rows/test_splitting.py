from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pipelines.container import StepError
from pipelines.rows.splitting import in_holdout, split
from tests.pipelines.tables import model, rows


def periods(table: pa.Table) -> set[str]:
    return set(table["year"].to_pylist())


def test_later_periods_are_held_out_one_by_one() -> None:
    found = split(model(), rows())
    assert periods(found.train) == {"2020", "2021"}
    assert list(found.held_out) == ["holdout", "2022", "2023"]
    assert periods(found.held_out["2023"]) == {"2023"}
    assert found.unused == ()


def test_an_earlier_period_that_is_not_trained_on_is_left_out_and_named() -> None:
    data = {"prefix": "p", "rows": ["*"], "id": "id", "period": "year", "train_periods": [2020, 2022]}
    found = split(model(data=data), rows())
    assert found.unused == ("2021",)
    assert list(found.held_out) == ["holdout", "2023"]


def test_numbered_periods_are_in_the_order_of_their_numbers() -> None:
    data = {"prefix": "p", "rows": ["*"], "id": "id", "period": "year", "train_periods": [9]}
    found = split(model(data=data), rows(year=[str(8 + number % 4) for number in range(100)]))
    assert list(found.held_out) == ["holdout", "10", "11"]
    assert found.unused == ("8",)


def test_a_training_period_includes_the_parts_of_it() -> None:
    data = {"prefix": "p", "rows": ["*"], "id": "id", "period": "year", "train_periods": [2020, "2021-01"]}
    found = split(model(data=data), rows(year=["2020-01", "2020-12", "2021-01", "2021-02"] * 25))
    assert periods(found.train) == {"2020-01", "2020-12", "2021-01"}
    assert list(found.held_out) == ["holdout", "2021-02"]


def test_a_training_period_without_rows_is_said() -> None:
    with pytest.raises(StepError, match="no labelled row is of the training period 2021; the data has: 2020, 2022"):
        split(model(), rows(year=["2020", "2022"] * 50))


def test_too_few_rows_to_hold_any_out_is_said() -> None:
    with pytest.raises(StepError, match=r"2 rows are too few to hold out a share of 0.2; add data"):
        split(model(), rows(2))


def test_the_side_of_an_id_never_changes() -> None:
    held_out = in_holdout([str(number) for number in range(30)], 0.2)
    assert np.flatnonzero(held_out).tolist() == [2, 6, 17, 18, 23, 29]


def test_a_larger_share_holds_out_the_same_rows_and_more() -> None:
    ids = [str(number) for number in range(10_000)]
    small, large = in_holdout(ids, 0.2), in_holdout(ids, 0.5)
    assert abs(small.mean() - 0.2) < 0.02
    assert abs(large.mean() - 0.5) < 0.02
    assert not np.any(small & ~large)
