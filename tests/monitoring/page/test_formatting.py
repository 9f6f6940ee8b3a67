from __future__ import annotations

import pytest

from monitoring.page import formatting
from monitoring.page.formatting import count, counted, listed, number, percent, points, probability, signed


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.8035, "0.8035"), (0.80349, "0.8035"), (12345, "12,345"), (12345.67, "12,346"), (1234.5, "1,234"),
        (1.2e-05, "<0.0001"), (0, "0"), (1, "1.000"), (9.87654, "9.877"), (51.2, "51.20"), (528.44, "528.4"),
        (-0.0579, "\u22120.0579"), (-1.2e-05, "between \u22120.0001 and 0"), (None, "\u2013"), (float("nan"), "\u2013"),
        (float("inf"), "\u2013"), (1e300, "above 1,000,000,000,000,000"), (999.96, "1,000"), (0.99999, "1.0000"),
    ],
)  # fmt: skip
def test_a_number_is_read_as_people_write_it(value: float | None, said: str) -> None:
    assert number(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.96, "96%"), (1, "100%"), (0, "0%"), (0.0182, "1.8%"), (0.0001, "<0.1%"), (None, "\u2013"),
        (0.12345, "12.3%"), (-0.02, "\u22122%"),
    ],
)  # fmt: skip
def test_a_share_is_read_in_percent(value: float | None, said: str) -> None:
    assert percent(value) == said


def test_percents_below_each_other_have_their_points_below_each_other() -> None:
    assert [percent(value, aligned=True) for value in (0.03, 0.127, 0)] == ["3.0%", "12.7%", "0.0%"]


def test_changes_have_signs() -> None:
    assert signed(0.0021) == "+0.0021"
    assert signed(-0.079) == "\u22120.0790"
    assert signed(0) == "0"
    assert signed(1e-9) == signed(-1e-9) == "about 0"
    assert signed(None) == "\u2013"


def test_points_of_a_share() -> None:
    assert points(-0.03) == "3 points"
    assert points(0.01) == "1 point"
    assert points(-0.0579) == "5.8 points"
    assert points(0.0004) == "less than 0.1 points"


def test_counts_lists_and_chances() -> None:
    assert (count(68785), count(None)) == ("68,785", "\u2013")
    assert [counted(amount, "period") for amount in (0, 1, 2000)] == ["no period", "1 period", "2,000 periods"]
    assert [listed(names) for names in ([], ["A"], ["A", "B"], ["A", "B", "C"])] == ["", "A", "A and B", "A, B and C"]
    assert [probability(value) for value in (0.00004, 0.0213, None)] == ["p < 0.001", "p = 0.021", "p unknown"]
    assert formatting.correlation(-0.5) == "\u22120.50"
