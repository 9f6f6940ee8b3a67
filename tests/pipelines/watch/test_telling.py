from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from pipelines.watch.judging import Verdict
from pipelines.watch.places import Places
from pipelines.watch.retraining import Ask, Start
from pipelines.watch.settings import Settings
from pipelines.watch.state import State, Version
from pipelines.watch.telling import Teller, identity

PLACES = Places("machines", "press", "parcels-press-production")
PACKAGE = "arn:aws:sagemaker:eu-west-1:1:model-package/press/3"
BUILT = {"revision_type": "COMMIT_ID", "revision": "0123abcd"}


def teller(day: int = 1) -> Teller:
    at = datetime(2016, 2, day, 5, tzinfo=UTC)
    return Teller(Settings("parcels", "production", "machines", "records", at), PLACES, None, "eu-west-1")


def state(**metadata: str) -> State:
    version = Version(PACKAGE, "config", "2016-01-01T00:00:00Z", "s3://b/k", metadata, "f")
    return State("press", versions=(version,))


def details(after: State) -> list[dict[str, Any]]:
    return [json.loads(each["Detail"]) for each in after.outbox]


RED = Verdict("red", "2016-01", ("it is bad", "and drifts"), {"2016-01": "red"})


def test_a_first_light_that_is_unknown_is_no_news() -> None:
    after = teller().light(state(), Verdict.unknown("nothing came"))
    assert after.light is not None
    assert (after.light.tier, after.light.since) == ("unknown", "2016-02-01T05:00:00Z")
    assert after.outbox == ()


def test_a_change_is_told_once_with_all_that_a_person_needs() -> None:
    after = teller().light(state(), RED)
    again = teller(2).light(after, RED)
    assert again.outbox == after.outbox
    assert again.light == after.light
    (detail,) = details(after)
    assert {name: detail[name] for name in ("from", "to", "period", "package", "team", "model", "tell")} == {
        "from": "unknown",
        "to": "red",
        "period": "2016-01",
        "package": PACKAGE,
        "team": "machines",
        "model": "press",
        "tell": True,
    }
    assert detail["report"] == "s3://records/watch/machines/press/report.html"
    assert detail["message"] == (
        "press in production is RED (it was unknown). it is bad; and drifts. "
        "Read the report. What starts by itself, or what a person has to decide, comes in a message of its own. "
        "Report: https://eu-west-1.console.aws.amazon.com/s3/object/records"
        "?region=eu-west-1&prefix=watch%2Fmachines%2Fpress%2Freport.html "
        f"Period 2016-01, since 2016-02-01T05:00:00Z, package {PACKAGE}."
    )


def test_red_in_another_period_is_news_and_green_is_not() -> None:
    red = teller().light(state(), RED)
    again = teller(2).light(red, Verdict("red", "2016-02", ("worse",)))
    assert [(each["from"], each["to"]) for each in details(again)] == [("unknown", "red"), ("red", "red")]
    assert [each["tell"] for each in details(again)] == [True, False], "of the second tells what follows from it"
    assert again.light is not None
    assert again.light.since == "2016-02-01T05:00:00Z"
    green = teller().light(state(), Verdict("green", "2016-01", ("fine",)))
    assert len(teller(2).light(green, Verdict("green", "2016-02", ("fine",))).outbox) == 1


def test_two_runs_of_the_same_time_give_an_event_the_same_id() -> None:
    (first,), (second,) = teller().light(state(), RED).outbox, teller().light(state(), RED).outbox
    (later,) = teller(2).light(state(), RED).outbox
    assert identity(first) == identity(second) != identity(later)


def test_a_retraining_names_the_revision_that_the_package_was_built_from() -> None:
    red = teller().light(state(**BUILT), RED)
    after = teller().follow(red, Start("2016-01-abc", "Red in 2016-01: it is bad."), "500 rows are recorded")
    detail = details(after)[-1]
    assert detail["release"] == {
        "variables": [
            {"name": "MODEL", "value": "press"},
            {"name": "REASON", "value": "Red in 2016-01: it is bad."},
            {"name": "RETRAINING", "value": "2016-01-abc"},
        ],
        "sourceRevisions": [{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "0123abcd"}],
    }
    assert "500 rows are recorded." in detail["message"]
    assert [(each.id, each.period) for each in after.retrainings] == [("2016-01-abc", "2016-01")]


def test_a_package_that_does_not_say_its_revision_is_retrained_from_the_newest() -> None:
    red = teller().light(state(revision="none", revision_type="none"), RED)
    detail = details(teller().follow(red, Start("a", "It is bad.")))[-1]
    assert "sourceRevisions" not in detail["release"]
    assert "the newest one is used" in detail["message"]


def test_a_person_is_asked_once() -> None:
    after = teller().follow(teller().light(state(), RED), Ask("No labels say it."))
    assert [(each.package, each.period) for each in after.asked] == [(PACKAGE, "2016-01")]
    assert after.outbox[-1]["DetailType"] == "Model Needs A Person"
    assert teller().follow(after, None) == after


def test_a_state_survives_being_written() -> None:
    after = teller().light(state(**BUILT), RED)
    assert State.parse(after.dump()) == after
