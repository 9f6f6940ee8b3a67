"""What the drawings say is so: geometry, gaps and marks."""

from __future__ import annotations

import re

from monitoring.page.bars import Share, distribution, lever, most_changed, shares, sparkline
from monitoring.page.charts import FRAME, Series, line_chart
from monitoring.page.facts import Reading
from monitoring.page.scales import Frame, Horizontal, vertical
from tests.monitoring.page.reading import Element, Page

KEYS = ["2018-01", "2018-02", "2018-03", "2018-04", "2018-05"]


def chart(*values: float | None, look: str = "estimated", keys: list[str] = KEYS) -> Page:
    readings = [
        Reading(value, None if value is None else value - 0.01, None if value is None else value + 0.01, 0.8, 0.9,
                alert=value is not None and not 0.8 <= value <= 0.9)
        for value in values
    ]  # fmt: skip
    return Page(line_chart(keys, [Series(look, look, readings)], "a finding"))


def numbers(element: Element) -> list[float]:
    return [float(each) for each in re.findall(r"-?\d+(?:\.\d+)?", element.attributes["d"])]


def line(page: Page, look: str = "estimated") -> Element:
    (group,) = page.all("g", "line")
    assert look in group.classes
    return next(each for each in group.children if each.tag == "path")


def test_a_number_above_its_threshold_is_drawn_above_the_line() -> None:
    page = chart(0.85, 0.93, 0.77, 0.85, 0.85)
    downs = numbers(line(page))[1::2]
    heights = sorted(
        {float(each) for each in re.findall(r"M[\d.]+ ([\d.]+)", page.all("path", "threshold")[0].attributes["d"])}
    )
    upper, lower = heights
    assert downs[1] < upper < downs[0] < lower < downs[2]
    alerts = re.findall(r"M([\d.]+) ([\d.]+)l", page.all("path", "alert")[0].attributes["d"])
    assert len(alerts) == 2
    across = numbers(line(page))[0::2]
    assert [float(place[0]) for place in alerts] == across[1:3]


def test_a_null_is_a_gap_and_a_lone_number_a_dot() -> None:
    page = chart(0.85, 0.86, None, 0.84, None)
    assert line(page).attributes["d"].count("M") == 1
    assert len(numbers(line(page))) == 4
    assert len(page.all("circle")) == 1
    assert page.all("path", "band")[0].attributes["d"].count("Z") == 2
    assert "February 2018: estimated 0.8600 (0.8500 to 0.8700)" in page.text
    assert "March 2018: estimated not known" in page.text


def test_a_month_that_is_missing_is_a_gap_too() -> None:
    page = chart(0.85, 0.86, 0.85, 0.86, keys=["2018-01", "2018-02", "2018-04", "2018-05"])
    assert line(page).attributes["d"].count("M") == 2


def test_realized_numbers_have_marks_and_no_band() -> None:
    page = chart(0.85, 0.86, 0.87, 0.85, 0.84, look="realized")
    assert len(page.all("circle")) == 5
    assert not page.all("path", "band")


def test_everything_is_drawn_inside_its_frame() -> None:
    page = chart(0.2, 1e300, -1e300, 0.84, 0.85)
    places = numbers(line(page))
    assert all(0 <= across <= FRAME.right for across in places[0::2])
    assert all(FRAME.top <= down <= FRAME.bottom for down in places[1::2])


def test_equal_thresholds_of_two_lines_are_drawn_once() -> None:
    readings = [Reading(0.85, lower_threshold=0.8, upper_threshold=0.9)] * 5
    fewer = [*readings[:3], Reading(), Reading()]
    page = Page(line_chart(KEYS, [Series("a", "estimated", readings), Series("b", "realized", fewer)], ""))
    assert page.all("path", "threshold")[0].attributes["d"].count("M") == 2


def test_axes_have_round_numbers() -> None:
    frame = Frame(0, 100, 0, 100)
    assert [label for _, label in vertical([0.812, 0.93], frame).ticks()] == ["0.85", "0.90"]
    assert [label for _, label in vertical([0, 5123], frame, zero=True).ticks()] == ["0", "2,000", "4,000"]
    assert [label for _, label in vertical([0, 3e6], frame, zero=True).ticks()] == ["0", "1M", "2M", "3M"]
    assert [label for _, label in vertical([-0.03, 0.03], frame, zero=True).ticks()] == ["\u22120.02", "0.00", "0.02"]
    assert vertical([], frame).ticks()
    assert vertical([7.0], frame).low < 7 < vertical([7.0], frame).high


def test_periods_stand_in_the_middle_of_even_columns() -> None:
    x = Horizontal.over(["2018-01", "2018-02", "2018-04"], Frame(0, 400, 0, 10))
    assert [x.at(place) for place in range(3)] == [50, 150, 350]
    assert x.runs([True, True, True]) == [[0, 1], [2]]


def test_few_bins_keep_their_order_and_empty_ones_are_left_out() -> None:
    rows = shares(["a", "b", "unseen", "null"], [0.5, 0.4, 0, 0.1], [0.2, 0.8, 0, 0])
    assert [row.name for row in rows] == ["a", "b", "missing"]
    assert most_changed(rows) == "“b” went from 40% to 80% of the rows"
    assert shares(["a"], [0.5, 0.5], [1]) == []
    assert shares([], [], []) == []


def test_of_many_categories_the_largest_changes_are_shown_and_the_rest_together() -> None:
    bins = [str(place) for place in range(100)]
    then, now = [0.01] * 100, [0.01] * 100
    now[42], now[7] = 0.015, 0.005
    rows = shares(bins, then, now)
    assert len(rows) == 13
    assert {rows[0].name, rows[1].name} == {"42", "7"}
    assert rows[-1].name == "the rest (88)"
    assert abs(sum(row.now for row in rows) - 1) < 1e-9
    assert abs(sum(row.then for row in rows) - 1) < 1e-9


def test_bars_are_as_long_as_shares_are_large() -> None:
    page = Page(distribution([Share("a", 0.2, 0.4), Share("b", 0.8, 0.1)], "a finding"))
    widths = [float(each.attributes["width"]) for each in page.all("rect")]
    assert [round(each / widths[2], 2) for each in widths] == [0.25, 0.5, 1, 0.12]


def test_a_contribution_points_to_its_side() -> None:
    down, up = (Page(lever(value, 0.1)).all("rect")[0].attributes for value in (-0.1, 0.05))
    assert float(down["x"]) + float(down["width"]) == float(up["x"]) == 64
    assert float(down["width"]) == 2 * float(up["width"])


def test_a_sparkline_marks_what_is_over_its_limit() -> None:
    page = Page(sparkline(KEYS, [0.01, None, 0.03, 0.01, 0.05], [0.02] * 5, "a finding"))
    assert page.all("path", "alert")[0].attributes["d"].count("Z") == 2
    assert page.all("path", "line")[0].attributes["d"].count("M") == 2
    assert sparkline(KEYS[:1], [0.01], [0.02], "") == ""
