from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from monitoring.periods import numbers
from pipelines.watch import moments
from pipelines.watch.coverage import Coverage, pieces


@pytest.mark.parametrize(
    ("coverage", "share", "enough"),
    [
        (Coverage(1000, 900, 100), 0.9, True),
        (Coverage(1000, 899, 100), 0.899, False),
        (Coverage(None, 500, 100), None, None),
        (Coverage(0.0, 0, 100), None, None),
        (Coverage(1000, 0, 100), 0.0, False),
    ],
)
def test_coverage_is_what_was_captured_of_the_answers(
    coverage: Coverage, share: float | None, enough: bool | None
) -> None:
    assert (coverage.share, coverage.is_enough(0.9)) == (share, enough)


def test_a_sample_may_be_smaller_by_chance() -> None:
    least, deviation = 0.9 * 1000 * 0.1, (1000 * 0.1 * 0.9) ** 0.5
    assert Coverage(1000, int(least - 2.9 * deviation), 10).is_enough(0.9)
    assert not Coverage(1000, int(least - 3.1 * deviation), 10).is_enough(0.9)
    assert Coverage(1000, 100, 10).share == 1.0


def test_long_times_are_asked_by_the_day_and_their_edges_by_the_hour() -> None:
    def at(day: int, hour: int) -> datetime:
        return datetime(2016, 1, day, hour, tzinfo=UTC)

    assert list(pieces(at(1, 5), at(9, 3))) == [
        (at(1, 5), at(2, 0), 3600),
        (at(2, 0), at(9, 0), 86_400),
        (at(9, 0), at(9, 3), 3600),
    ]
    assert list(pieces(at(1, 0), at(3, 0))) == [(at(1, 0), at(3, 0), 86_400)]
    assert list(pieces(at(1, 5), at(1, 9))) == [(at(1, 5), at(1, 9), 3600)]
    assert list(pieces(at(1, 5), at(2, 9))) == [(at(1, 5), at(2, 9), 3600)]


@pytest.mark.parametrize("period", ["hour", "day", "week", "month", "quarter", "year"])
def test_periods_are_those_of_the_kernel(period: str) -> None:
    for text in ("1969-12-31T23:59:59Z", "2016-01-03T23:59:59Z", "2016-01-04T00:00:00Z", "2024-02-29T12:30:00Z"):
        moment = moments.parse(text)
        (expected,) = numbers(pa.array([text]), period).tolist()  # type: ignore[arg-type]
        number = moments.number(moment, period)  # type: ignore[arg-type]
        assert number == expected
        start, end = (moments.start(number + add, period) for add in (0, 1))  # type: ignore[arg-type]
        assert start <= moment < end
