from __future__ import annotations

import pytest

from monitoring.page import naming


@pytest.mark.parametrize(
    ("key", "full", "short", "group"),
    [
        ("2018-11", "November 2018", "Nov", "2018"), ("2018", "2018", "2018", ""), ("2018-Q4", "Q4 2018", "Q4", "2018"),
        ("2018-W07", "week 7 of 2018", "W7", "2018"), ("2018-11-05", "5 Nov 2018", "5", "Nov 2018"),
        ("2018-11-05T13", "5 Nov 2018, 13:00", "13h", "5 Nov 2018"),
        ("2018-11-05T13:00:00Z", "5 Nov 2018, 13:00", "13h", "5 Nov 2018"), ("all", "all rows", "all", ""),
        ("spring", "spring", "spring", ""), ("2018-02-31", "2018-02-31", "2018-02-31", ""),
        ("2018-13", "2018-13", "2018-13", ""), ("2018-W60", "2018-W60", "2018-W60", ""),
    ],
)  # fmt: skip
def test_periods_have_names(key: str, full: str, short: str, group: str) -> None:
    name = naming.period(key)
    assert (name.full, name.short, name.group) == (full, short, group)


def test_a_period_that_nobody_saw_leaves_its_place_empty() -> None:
    assert naming.places(["2018-01", "2018-02", "2018-05"]) == [0, 1, 4]
    assert naming.places(["2018-12-24", "2018-12-31", "2019-01-07"]) == [0, 1, 2]
    assert naming.places(["2018-Q4", "2019-Q2"]) == [0, 1]
    assert naming.places(["a", "b", "2018-01"]) == [0, 1, 2]
    assert naming.places(["2018-01", "2018-01", "2018-01"]) == [0, 1, 2]
    assert naming.places(["2000", "2001", "2900"]) == [0, 1, 2]
    assert naming.places(["all"]) == [0]
    assert naming.places([]) == []


def test_an_axis_names_periods_at_even_steps_of_the_calendar() -> None:
    months = [f"{2017 + month // 12}-{month % 12 + 1:02}" for month in range(24)]
    assert [months[place] for place in naming.ticks(months, 5)] == ["2017-01", "2017-07", "2018-01", "2018-07"]
    assert naming.ticks(months[:4], 5) == [0, 1, 2, 3]
    assert naming.ticks([str(place) for place in range(100, 110)], 5) == [0, 2, 4, 6, 8]
    days = [f"2018-{1 + day // 28:02}-{1 + day % 28:02}" for day in range(280)]
    assert all(days[place].endswith("-01") for place in naming.ticks(days, 5))


def test_metrics_have_names_and_an_order() -> None:
    assert naming.in_order(["zeta", "accuracy", "roc_auc"]) == ["roc_auc", "accuracy", "zeta"]
    assert [naming.in_sentence(key) for key in ("roc_auc", "accuracy", "f1", "x")] == ["ROC AUC", "accuracy", "F1", "x"]
    assert [naming.when(key) for key in ("2018-11", "2018-11-05", "all")] == [
        "in November 2018", "on 5 Nov 2018", "over all rows",
    ]  # fmt: skip
