"""How much load staging gets, how it is counted, and what is said of it."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest

from config.release import Load
from model_server.golden import Golden
from model_server.signature import Number, Signature
from pipelines.stages.verifying import load
from pipelines.stages.verifying.load import Plan
from pipelines.stages.verifying.released import Released
from pipelines.stages.verifying.tally import Tally, bucket, percentile
from tests.pipelines.tables import model

PLAN = Plan(rate=10.0, users=10, seconds=10)


def fleet(instances: int) -> dict[str, Any]:
    return {"kind": "dedicated", "instance": "ml.m5.large", "instances": instances}


def serverless(concurrency: int) -> dict[str, Any]:
    return {"kind": "serverless", "concurrency": concurrency}


@pytest.mark.parametrize(
    ("production", "staging", "rate", "users"),
    [
        (fleet(4), fleet(1), 10, 10),
        (fleet(2), fleet(2), 40, 40),
        (fleet(1), fleet(3), 40, 40),
        (serverless(20), serverless(20), 40, 20),
        (serverless(20), serverless(5), 10, 5),
        (serverless(100), serverless(100), 40, 40),
        (fleet(4), serverless(20), 40, 20),
    ],
)
def test_staging_gets_its_share_of_the_load_of_production(
    production: dict[str, Any], staging: dict[str, Any], rate: float, users: int
) -> None:
    described = model(
        hosting=production, load={"requests_per_second": 40}, environments={"staging": {"hosting": staging}}
    )
    plan = Plan.of(described, "staging")
    assert (plan.rate, plan.users, plan.seconds) == (rate, users, 20)


def test_where_answers_may_be_slow_more_call_at_once() -> None:
    plan = Plan.of(model(hosting=fleet(1), load={"requests_per_second": 10, "p99_ms": 2000}), "staging")
    assert plan.users == 40


def tally(times: dict[float, int], errors: dict[str, int] | None = None, late: float = 1.0, cpu: float = 0.1) -> Tally:
    """So many answers of so many milliseconds, and so many errors."""
    counted = Tally(errors=Counter(errors or {}), late=Counter({bucket(late): 10}), cpu=cpu)
    for milliseconds, count in times.items():
        for place in range(count):
            counted.answered(place % 10, milliseconds)
    return counted


def test_percentiles_are_exact_to_one_percent_and_tallies_add_up() -> None:
    first, second = tally(dict.fromkeys(range(1, 501), 1)), tally(dict.fromkeys(range(501, 1001), 1))
    whole = Tally.together([Tally.of_json(first.to_json()), second])
    assert percentile(whole.times, 50) == pytest.approx(500, rel=0.01)
    assert percentile(whole.times, 99) == pytest.approx(990, rel=0.01)
    assert percentile(whole.times, 100) == pytest.approx(1000, rel=0.01)
    assert percentile(Counter(), 50) is None
    assert whole.requests == 1000


def problems(counted: Tally, plan: Plan = PLAN, **limits: Any) -> list[str]:
    found = load.told(counted, plan, Load(**limits))
    return [check.problem for check in load.checks(found, plan) if check.problem]


def test_a_load_within_its_limits_is_told_in_a_line() -> None:
    counted = tally({5: 98, 20: 2})
    assert problems(counted) == []
    assert load.told(counted, PLAN, Load())["summary"] == (
        "10.0 requests/s for 10 s: p50 5.0 ms, p95 5.0 ms, p99 20.0 ms (limit 500), no errors"
    )


def test_errors_are_told_by_kind() -> None:
    counted = tally({5: 90}, {"ModelError 500": 7, "ThrottlingException": 3})
    assert problems(counted) == [
        "Under load 10 % of 100 requests failed (ModelError 500: 7, ThrottlingException: 3); "
        "load.errors_percent allows 0.1."
    ]
    assert problems(counted, errors_percent=10) == []


def test_a_slow_model_is_told_from_a_slow_load_generator() -> None:
    assert problems(tally({700: 100})) == ["Under load the 99th percentile is 697 ms; load.p99_ms allows 500 ms."]
    (sentence,) = problems(tally({700: 100}, late=50))
    assert "A part of it may be the load generator's: it was short of CPU itself" in sentence


def test_a_rate_that_was_not_reached_has_its_cause() -> None:
    slow, busy = tally({400: 50}), tally({5: 50}, late=300)
    assert problems(tally({5: 96})) == []
    assert problems(slow) == [
        "The endpoint answered 5 of 10 requests/s although 10 callers waited for it (p50 399 ms, p99 399 ms)."
    ]
    (sentence,) = problems(busy)
    assert sentence.startswith("The load generator sent 5 of 10 requests/s, which says nothing of the model: it was")
    (sentence,) = problems(slow, Plan(rate=10.0, users=2, seconds=10, most=2))
    assert sentence.startswith("With hosting.concurrency 2 the endpoint answered 5 of 10 requests/s (p50 399 ms)")


def test_a_load_without_a_single_answer_fails() -> None:
    sentences = problems(Tally())
    assert sentences[0] == "Under load 100 % of 0 requests failed (nothing was sent); load.errors_percent allows 0.1."
    assert "the 99th percentile is unknown" in sentences[1]


def test_a_load_that_cannot_be_made_says_why() -> None:
    described = Signature("regression", "target", (Number("size", minimum=0, maximum=10),))
    released = Released(Golden(0.0, ()), described)
    with pytest.raises(load.LoadError, match=r"(?s)The load generator failed: .*You must specify a region"):
        load.run(PLAN, "nowhere", released, {"AWS_CONFIG_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"})
