from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from config.model import Alarms, Monitoring
from pipelines.watch.coverage import Coverage
from pipelines.watch.judging import Verdict, judge

MONTHLY = Monitoring(alarms=Alarms())
JANUARY = datetime(2016, 1, 1, tzinfo=UTC)


def period(tier: str, n: int = 5000, lacks: tuple[str, ...] = (), why: str = "because") -> dict[str, Any]:
    return {"n": n, "tier": tier, "why": [why], "lacks": list(lacks), "labels": {"n": 0, "coverage": 0.0}}


def waiting() -> dict[str, Any]:
    return period("unknown", lacks=("labels",), why="no labels have come")


def few(n: int = 3) -> dict[str, Any]:
    return period("unknown", n, ("rows", "labels"), "too few rows")


def said(
    periods: dict[str, dict[str, Any]],
    at: str,
    *,
    coverage: dict[str, Coverage] | None = None,
    since: datetime = JANUARY,
    monitoring: Monitoring = MONTHLY,
) -> Verdict:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return judge({"periods": periods}, coverage or {}, since=since, at=moment, monitoring=monitoring)


def test_a_model_that_was_just_released_is_unknown_because_nothing_came_yet() -> None:
    verdict = said({}, "2016-01-02")
    assert (verdict.tier, verdict.period) == ("unknown", "2016-01")
    assert verdict.why == ("nothing can be said of it yet: 2016-01 is not over and has 0 rows",)


def test_a_closed_period_without_a_request_is_unknown() -> None:
    verdict = said({"2016-01": period("green")}, "2016-03-02")
    assert (verdict.tier, verdict.period, verdict.why) == ("unknown", "2016-02", ("no request came in 2016-02",))
    assert verdict.tiers == {"2016-01": "green", "2016-02": "unknown"}


def test_requests_that_were_answered_and_not_captured_are_told() -> None:
    verdict = said({}, "2016-02-02", coverage={"2016-01": Coverage(1200.0, 0, 100)})
    assert verdict.tier == "unknown"
    assert verdict.why == ("1,200 requests were answered in 2016-01 and none was captured: look at the data capture",)


def test_three_requests_in_the_open_period_leave_the_light_as_it_was() -> None:
    verdict = said({"2016-01": period("green"), "2016-02": few()}, "2016-02-02")
    assert (verdict.tier, verdict.period) == ("green", "2016-01")


def test_three_requests_in_a_closed_period_are_too_few() -> None:
    verdict = said({"2016-01": period("green"), "2016-02": few()}, "2016-03-02")
    assert (verdict.tier, verdict.period, verdict.why) == ("unknown", "2016-02", ("too few rows",))


@pytest.mark.parametrize("tier", ["yellow", "red"])
def test_a_burst_in_the_open_period_decides_at_once(tier: str) -> None:
    verdict = said({"2016-01": period("green"), "2016-02": period(tier)}, "2016-02-02")
    assert (verdict.tier, verdict.period) == (tier, "2016-02")


def test_a_period_that_waits_for_labels_is_passed_over_as_long_as_they_may_take() -> None:
    periods = {"2016-01": period("green"), "2016-02": waiting(), "2016-03": waiting()}
    assert said(periods, "2016-03-20").period == "2016-01"


def test_after_that_it_is_unknown() -> None:
    periods = {"2016-01": period("green"), "2016-02": waiting(), "2016-03": waiting(), "2016-04": few()}
    verdict = said(periods, "2016-04-02")
    assert (verdict.tier, verdict.period, verdict.why) == ("unknown", "2016-02", ("no labels have come",))


@pytest.mark.parametrize(("delay", "period"), [(0, "2016-02"), (1, "2016-01"), (3, "2016-03")])
def test_label_delay_is_how_many_closed_periods_may_wait(delay: int, period: str) -> None:
    periods = {"2016-01": waiting(), "2016-02": waiting(), "2016-03": waiting()}
    verdict = said(periods, "2016-03-31", monitoring=Monitoring(alarms=Alarms(), label_delay=delay))
    assert (verdict.tier, verdict.period) == ("unknown", period)


def test_a_model_whose_periods_all_wait_says_for_what() -> None:
    verdict = said({"2016-01": waiting(), "2016-02": few(7)}, "2016-02-02")
    assert verdict.tier == "unknown"
    assert verdict.why == (
        "nothing can be said of it yet: 2016-02 is not over and has 7 rows",
        "2016-01 waits for labels, of 0% of its rows so far",
    )


def test_a_green_period_of_which_too_little_was_captured_is_unknown() -> None:
    periods = {"2016-01": period("green")}
    verdict = said(periods, "2016-02-02", coverage={"2016-01": Coverage(1000.0, 890, 100)})
    assert verdict.tier == "unknown"
    assert verdict.why[0].startswith("only 890 events were captured of 1,000 answers: 89%, and 90% are asked for")


def test_a_red_period_stays_red_however_little_was_captured() -> None:
    verdict = said({"2016-01": period("red")}, "2016-02-02", coverage={"2016-01": Coverage(1000.0, 300, 100)})
    assert verdict.tier == "red"
    assert "300 events" in verdict.why[-1]


def test_a_period_that_waits_for_labels_and_was_captured_badly_waits_for_nothing() -> None:
    periods = {"2016-01": period("green"), "2016-02": waiting()}
    verdict = said(periods, "2016-02-20", coverage={"2016-02": Coverage(1000.0, 300, 100)})
    assert (verdict.tier, verdict.period) == ("unknown", "2016-02")


def test_what_no_metric_knows_is_not_judged() -> None:
    report = {"periods": {"2016-01": period("green")}}
    at = datetime(2016, 2, 2, tzinfo=UTC)
    verdict = judge(report, {"2016-01": Coverage(None, 700, 100)}, since=JANUARY, at=at, monitoring=MONTHLY)
    assert verdict.tier == "green"
    assert report["periods"]["2016-01"]["capture"]["coverage"] is None


def test_periods_before_the_release_and_beyond_the_history_are_nobodys() -> None:
    monitoring = Monitoring(alarms=Alarms(), history=2)
    verdict = said({"2016-05": period("green")}, "2016-06-02", monitoring=monitoring)
    assert verdict.tiers == {"2016-05": "green"}
    assert said({}, "2016-06-02", since=datetime(2016, 6, 1, tzinfo=UTC)).tiers == {}


def test_other_sentences_change_no_tier() -> None:
    assert Verdict("green", "2016-01", ("fine",)).but("a file cannot be read").why == ("fine", "a file cannot be read")
