"""What a project asks of an account's quotas."""

from __future__ import annotations

from typing import Any

import pytest

from config import Project
from pipelines.by_hand.doctor.needs import BUILDS, CONCURRENCY, SERVERLESS, TOTALS, instance_types, needs
from tests.pipelines.tables import model

PROJECT = Project.model_validate(
    {"name": "shop", "source": {"kind": "s3"}, "teams": {"team": {"owners": ["a@example.com"]}}}
)
ENDPOINT = "ml.c5.xlarge for endpoint usage"


def asked(*places: str, count: int = 1, **settings: Any) -> dict[str, tuple[int, int]]:
    found = needs(PROJECT, [model(**settings) for _ in range(count)], places)
    return {need.quota: (need.least, need.wanted) for need in found}


def dedicated(instances: int = 2, maximum: int | None = None) -> dict[str, Any]:
    scaling = {"maximum": maximum, "invocations_per_instance": 100} if maximum else None
    return {"kind": "dedicated", "instance": "ml.c5.xlarge", "instances": instances, "scaling": scaling}


def test_a_release_starts_a_second_fleet_beside_the_first() -> None:
    assert asked("production", hosting=dedicated(3))[ENDPOINT] == (6, 6)


def test_in_the_busiest_hour_both_fleets_have_grown() -> None:
    assert asked("production", hosting=dedicated(2, maximum=10))[ENDPOINT] == (4, 20)


def test_a_rolling_release_asks_for_a_batch_more() -> None:
    rolling = {"kind": "rolling", "percent": 25}
    assert asked("production", hosting=dedicated(4, maximum=10), rollout=rolling)[ENDPOINT] == (5, 13)


def test_places_that_share_an_account_are_added_up() -> None:
    found = asked("staging", "production", count=3, hosting=dedicated(2))
    assert found[ENDPOINT] == (24, 24)
    assert found[TOTALS["endpoint"]] == (24, 24)


def test_jobs_may_wait_for_each_other_endpoints_may_not() -> None:
    found = asked("tooling", count=3)
    assert found["ml.m5.large for training job usage"] == (1, 3)
    assert found[TOTALS["training job"]] == (1, 3)
    assert found[BUILDS] == (1, 4)


def test_a_batch_needs_its_whole_fleet() -> None:
    found = asked("staging", batch={"instances": 5, "instance": "ml.c5.large"})
    assert found["ml.c5.large for transform job usage"] == (5, 5)


def test_serverless_hosting_asks_for_concurrency() -> None:
    found = asked("production", count=2, hosting={"kind": "serverless", "concurrency": 20})
    assert found[CONCURRENCY] == (40, 80)
    assert found[SERVERLESS] == (2, 4)
    assert TOTALS["endpoint"] not in found


@pytest.mark.parametrize(("place", "watched"), [("production", True), ("staging", False)])
def test_models_are_judged_where_they_serve_users(place: str, watched: bool) -> None:
    found = instance_types(PROJECT, [], [place])
    assert ("processing job" in found) == watched
