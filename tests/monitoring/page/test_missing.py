"""Any key may be null, empty, missing or something else altogether; the page is there all the same."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from monitoring.page import page
from tests.monitoring.page.reading import Page
from tests.monitoring.page.rents import rents
from tests.monitoring.page.reports import employment

GONE = object()
INSTEAD = [
    GONE,
    None,
    {},
    [],
    "a text",
    7,
    True,
    [None],
    [{}],
    {"x": None},
    1e308,
    -1e308,
    5e-324,
    float("nan"),
    10**400,
]


def small() -> dict[str, Any]:
    """Three months of a classifier with two features: all that a report can hold, and no more."""
    report = employment()
    report["periods"] = dict(list(report["periods"].items())[-3:])
    keep = {"AGEP", "RELP"}
    report["reference"]["features"] = {name: report["reference"]["features"][name] for name in keep}
    for body in report["periods"].values():
        body["features"] = {name: body["features"][name] for name in keep}
        body["ranking"] = [row for row in body["ranking"] if row["feature"] in keep]
        for kind in ("estimated", "realized", "concept_drift"):
            body[kind] = {key: value for key, value in body[kind].items() if key in {"roc_auc", "recall"}}
        body["segments"] = {"SEX": body["segments"]["SEX"]}
    return report


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something is in a report; lists of numbers by their first item only."""
    keys: list[Any] = list(value) if isinstance(value, dict) else [0] if isinstance(value, list) and value else []
    for key in keys:
        yield (*path, key)
        yield from paths(value[key], (*path, key))


def changed(report: dict[str, Any], path: tuple[Any, ...], instead: Any) -> dict[str, Any]:
    """The same report with something else in one place."""
    report = copy.deepcopy(report)
    inside: Any = report
    for key in path[:-1]:
        inside = inside[key]
    if instead is GONE:
        del inside[path[-1]]
    else:
        inside[path[-1]] = instead
    return report


def only_once(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The paths of a report, within the last of its periods only: those of the others are alike."""
    last = report["latest"]
    return [path for path in paths(report) if len(path) < 3 or path[0] != "periods" or path[1] == last]


@pytest.mark.parametrize("instead", INSTEAD, ids=lambda value: "gone" if value is GONE else repr(value)[:12])
def test_whatever_a_key_holds_the_page_is_there(instead: Any) -> None:
    report = small()
    every = only_once(report)
    chosen = every if instead is GONE else every[:: 1 + len(every) // 40]
    for path in chosen:
        try:
            source = page(changed(report, path, instead))
            Page(source)
        except Exception as error:
            raise AssertionError(f"{path} = {instead!r}") from error
        assert "RED" in source or "UNKNOWN" in source


@pytest.mark.parametrize("value", [0, 1e308, -1e308, 1e-320, 123456789.123, True, "7", None])
def test_numbers_of_any_size_are_drawn(value: Any) -> None:
    def replaced(inside: Any) -> Any:
        if isinstance(inside, dict):
            return {key: replaced(each) for key, each in inside.items()}
        if isinstance(inside, list):
            return [replaced(each) for each in inside]
        return value if isinstance(inside, float) else inside

    source = page(replaced(rents(3)))
    Page(source)
    assert not [number for number in ("NaN", "nan", "inf ", "Infinity") if number in source]


def test_what_is_not_known_is_said() -> None:
    report = small()
    for body in report["periods"].values():
        body |= {"features": {}, "estimated": {}, "realized": {}, "multivariate": None, "ranking": [], "segments": {}}
        body |= {"n": None, "labels": {}, "concept_drift": {}, "business_value": {}}
    text = Page(page(report)).text
    assert "The report has no number of how well the model does." in text
    assert "The report says nothing of single features." in text
    assert "The report says nothing of the data's quality." in text
    assert "Rows not known" in text
    assert "With a label not known" in text


def test_a_report_without_periods_says_so() -> None:
    text = Page(page({"name": "rents", "tier": "unknown", "periods": {}, "problems": ["The folder is empty."]})).text
    assert "There is nothing to judge yet: the report has no period." in text
    assert "The folder is empty." in text


def test_a_report_that_does_not_say_why_is_told_apart() -> None:
    report = small() | {"why": []}
    report["periods"][report["latest"]]["why"] = None
    assert "The report does not say why." in Page(page(report)).text
