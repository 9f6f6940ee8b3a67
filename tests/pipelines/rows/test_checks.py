from __future__ import annotations

from typing import Any

import pytest

from pipelines.container import StepError
from pipelines.rows.checks import check
from tests.pipelines.tables import CATEGORY, NUMBER, changed, model, rows

GOOD = rows().to_pydict()


def with_value(column: str, value: Any) -> dict[str, list[Any]]:
    return {column: changed(GOOD[column], 7, value)}


def test_data_that_keeps_the_schema_passes() -> None:
    check(model(), rows())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (with_value("size", 10.5), "size: 1 rows are outside 0 to 10, first the one with id 7 (10.5); mend the data"),
        (with_value("size", float("inf")), "size: 1 rows are outside 0 to 10"),
        (
            with_value("size", None),
            "size: 1 rows are empty, first the one with id 7; mend the data, or write `nullable",
        ),
        (with_value("colour", None), "colour: 1 rows are empty"),
        (
            with_value("colour", "pink"),
            "colour: 1 rows have a value that model.yaml does not list: 'pink'; mend the data",
        ),
        (with_value("id", "3"), "id: 1 ids occur more than once: '3'; keep one row for each"),
        (with_value("id", None), "id: 1 rows have none"),
        (with_value("year", "20/21"), "year: '20/21' cannot name a period"),
        (with_value("year", "holdout"), "year: 'holdout' cannot name a period"),
        (with_value("year", "recent"), "year: 'recent' cannot name a period"),
        (with_value("late", 2.0), "late: a binary model needs the labels 0 and 1; the data has: 0.0, 1.0, 2.0"),
        ({"late": [1.0] * 100}, "late: a binary model needs the labels 0 and 1; the data has: 1.0"),
    ],
)
def test_what_breaks_it_is_said(changes: dict[str, list[Any]], sentence: str) -> None:
    with pytest.raises(StepError) as raised:
        check(model(), rows(**changes))
    assert sentence in str(raised.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(StepError) as raised:
        check(model(), rows(**with_value("size", -1.0), **with_value("colour", "pink"), **with_value("id", "3")))
    assert [line.split(":")[0] for line in str(raised.value).splitlines()[1:]] == ["id", "size", "colour"]


def test_nulls_are_fine_where_the_schema_says_so() -> None:
    nullable = model(features=[NUMBER | {"nullable": True}, CATEGORY | {"nullable": True}])
    check(nullable, rows(**with_value("size", None), **with_value("colour", None)))


@pytest.mark.parametrize(("column", "value"), [("colour", "pink"), ("size", 99.5)])
def test_values_of_sensitive_features_stay_out_of_the_log(column: str, value: Any) -> None:
    sensitive = model(features=[NUMBER | {"sensitive": True}, CATEGORY | {"sensitive": True}])
    with pytest.raises(StepError) as raised:
        check(sensitive, rows(**with_value(column, value)))
    assert column in str(raised.value)
    assert str(value) not in str(raised.value)


def test_a_multiclass_model_needs_three_classes() -> None:
    with pytest.raises(StepError, match="three classes or more; the data has: 'a', 'b'"):
        check(model(task="multiclass"), rows(late=["a", "b"] * 50))


def test_a_regression_takes_any_number() -> None:
    check(model(task="regression"), rows(late=[number / 7 for number in range(100)]))
