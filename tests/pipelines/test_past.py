"""What the past of a model says: how releases have ended, and what could be gone back to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.by_hand.past.builds import sentence
from pipelines.by_hand.past.entry import Entry, Outcome, ran_before, with_serving
from pipelines.by_hand.past.outcomes import End, ended, reached
from pipelines.by_hand.past.people import starter, who
from pipelines.stages.turn import STAGING, Refused, Release, decide

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entry(package: str, hour: int, kind: str = "release", outcome: Outcome = Outcome.SERVED) -> Entry:
    return Entry(NOON + timedelta(hours=hour), kind, str(hour), ("staging", "production"), outcome, package=package)


def before(*entries: Entry, runs: str) -> list[str]:
    return ran_before(reversed(entries), "production", runs)


def test_the_package_that_ran_before_is_gone_back_to_first() -> None:
    assert before(entry("a", 1), entry("b", 2), entry("c", 3), runs="c") == ["b", "a"]


def test_what_a_way_back_has_left_is_not_gone_back_to() -> None:
    back = entry("b", 4, "rollback")
    assert before(entry("a", 1), entry("b", 2), entry("c", 3), back, runs="b") == ["a"]
    assert before(entry("a", 1), entry("b", 2), entry("c", 3), back, entry("d", 5), runs="d") == ["b", "a"]


def test_an_old_package_that_was_released_again_goes_back_to_what_it_replaced() -> None:
    assert before(entry("a", 1), entry("b", 2), entry("a", 3), runs="a") == ["b"]


def test_a_release_that_alarms_have_rolled_back_never_ran() -> None:
    bad = entry("b", 2, outcome=Outcome.ROLLED_BACK)
    assert before(entry("a", 1), bad, entry("c", 3), runs="c") == ["a"]
    assert before(entry("a", 1), runs="unknown") == ["a"]


def test_only_the_newest_entry_of_what_runs_is_serving() -> None:
    found = [entry("a", 3, "rollback"), entry("b", 2), entry("a", 1)]
    assert [each.outcome for each in with_serving(found, "a")] == [Outcome.SERVING, Outcome.SERVED, Outcome.SERVED]
    assert {each.outcome for each in with_serving(found, None)} == {Outcome.SERVED}


def action(stage: str, status: str = "Succeeded", second: int = 0, **more: Any) -> dict[str, Any]:
    start = NOON + timedelta(seconds=second)
    return {"stageName": stage, "actionName": stage, "status": status, "startTime": start, "output": {}, **more}


def registered(*later: dict[str, Any]) -> list[dict[str, Any]]:
    trained = action("Train", output={"outputVariables": {"OUTCOME": "registered"}})
    return [trained, *later]


LATE = decide(STAGING, Release("a", NOON), [], "2026-03-02T00:00:00.000Z/b", NOON)


@pytest.mark.parametrize(
    ("status", "actions", "said", "end"),
    [
        ("Succeeded", registered(action("Confirm", second=1)), "", End(Outcome.SERVED)),
        ("InProgress", registered(action("Approve", "InProgress", 1)), "", End(Outcome.RUNNING, "Approve")),
        ("Failed", registered(action("Verify", "Failed", 1)), "slow", End(Outcome.FAILED, "Verify", "slow")),
        ("Failed", registered(action("Approve", "Failed", 1, updatedBy="x")), "no", End(Outcome.REJECTED, "Approve")),
        ("Failed", registered(action("Approve", "Failed", 1)), "late", End(Outcome.FAILED, "Approve", "late")),
        (
            "Failed",
            registered(action("Confirm", "Failed", 1)),
            "e runs a, not the released b.",
            End(Outcome.ROLLED_BACK, "Confirm", "e runs a, not the released b."),
        ),
        (
            "Failed",
            registered(action("Confirm", "Failed", 1)),
            "0.3, not 0.2",
            End(Outcome.FAILED, "Confirm", "0.3, not 0.2"),
        ),
        ("Stopped", registered(action("Staging", "Abandoned", 1)), "", End(Outcome.STOPPED, "Staging")),
    ],
)
def test_how_a_release_has_ended(status: str, actions: list[dict[str, Any]], said: str, end: End) -> None:
    assert ended(status, actions, lambda _: said) == end


def test_a_release_that_a_later_one_has_overtaken_is_superseded() -> None:
    assert isinstance(LATE, Refused)
    end = ended("Failed", registered(action("Staging", "Failed", 1)), lambda _: LATE.why)
    assert (end.outcome, end.stage) == (Outcome.SUPERSEDED, "Staging")


def test_a_stage_that_was_tried_again_counts_as_it_ended() -> None:
    actions = registered(
        action("Verify", "Failed", 1), action("Verify", "Succeeded", 2), action("Production", second=3)
    )
    end = ended("Succeeded", actions, lambda _: "")
    assert end.outcome is Outcome.SERVED
    assert reached([*actions, action("Staging")], end) == ("staging", "production")


def test_production_is_not_reached_by_what_alarms_have_rolled_back() -> None:
    actions = registered(action("Staging", second=1), action("Production", second=2), action("Confirm", "Failed", 3))
    end = ended("Failed", actions, lambda _: "SageMaker has rolled this one back.")
    assert reached(actions, end) == ("staging",)


def test_the_last_words_of_a_build_are_the_sentence_before_makes_complaint() -> None:
    log = ["[Container] Running command make stage", "Waits: x.", "", "It is slow.", "See there."]
    after = ["make: *** [Makefile:9: stage] Error 1", "", "[Container] Command did not exit successfully"]
    assert sentence([*log, *after]) == "It is slow. See there."
    assert sentence(log) == ""


def test_people_and_programs_are_called_by_their_names() -> None:
    session = "arn:aws:sts::111122223333:assumed-role"
    assert who("arn:aws:iam::111122223333:user/ops/ada") == "ada"
    assert who(f"{session}/Operators/ada@example.com") == "ada@example.com"
    assert who(f"{session}/greenlight-plan/AWSCodeBuild-1f0c") == "greenlight-plan"
    assert who("arn:aws:iam::111122223333:root") == "root"
    rule = {"triggerType": "CloudWatchEvent", "triggerDetail": "arn:aws:events:us-east-1:1:rule/greenlight-retraining"}
    assert starter(rule) == "rule greenlight-retraining"
    assert starter({}) == "unknown"
