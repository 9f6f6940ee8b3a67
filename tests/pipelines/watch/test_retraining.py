"""When red starts a release, when it asks, and in which words."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pytest

from config.model import Model
from monitoring import baseline as baselines
from monitoring.profile import Profile
from monitoring.report import report
from monitoring.spec import Spec
from pipelines.watch.retraining import LONGEST_REASON, Ask, Start, decide, identifier
from pipelines.watch.state import Asked, Light, Retraining, State, Version
from tests.monitoring.runs import SPEC, table
from tests.pipelines.tables import model

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/greenlight-parcels/3"
AT = "2026-04-10T05:00:00Z"
PERIOD = "2026-03"
BAD = {"value": 0.8, "lower": 0.78, "upper": 0.82, "lower_threshold": 0.88, "upper_threshold": 0.93}
GOOD = BAD | {"value": 0.9, "lower": 0.89, "upper": 0.91}
SAID = "realized roc_auc is 0.8 over 900 rows, below 0.88 where normal ends, with its whole band"


def parcels(**retraining: Any) -> Model:
    return model(monitoring={"alarms": {}, "retraining": retraining})


def state(*, retraining: str = "none", **changes: Any) -> State:
    version = Version(PACKAGE, "config", "2026-01-01T00:00:00Z", "s3://x", {"retraining": retraining})
    return State("parcels", versions=(version,), tiers={"2026-02": "green", PERIOD: "red"}).but(**changes)


def light(*why: str, tier: str = "red") -> Light:
    return Light(tier, PERIOD, why or (SAID,), "2026-04-01T05:00:00Z")


def told(labels: int = 900, coverage: float = 0.9, roc_auc: dict[str, Any] = BAD) -> dict[str, Any]:
    return {"labels": {"n": labels, "coverage": coverage}, "realized": {"roc_auc": roc_auc, "accuracy": GOOD}}


def earlier(*days: str, period: str = "2025-12") -> tuple[Retraining, ...]:
    return tuple(Retraining(day, f"{day}T05:00:00Z", "another", period) for day in days)


def asked(**changes: Any) -> str:
    """The question that follows."""
    model_, found = changes.pop("model", parcels()), changes.pop("light", light())
    reported, at = changes.pop("report", told()), changes.pop("at", AT)
    answer = decide(model_, state(**changes), found, reported, at)
    assert isinstance(answer, Ask), answer
    return answer.reason


def test_red_by_labels_starts_a_release_and_says_why() -> None:
    assert decide(parcels(), state(), light(), told(), AT) == Start(
        identifier(PACKAGE, PERIOD), f"Red in 2026-03: {SAID}."
    )


def test_the_id_depends_on_the_package_and_the_period_alone() -> None:
    again = decide(parcels(), state(retrainings=earlier("2026-01-01")), light("something else"), told(), AT)
    assert isinstance(again, Start)
    assert again.id == identifier(PACKAGE, PERIOD)
    assert len({identifier(package, period) for package in "ab" for period in ("2026-01", "2026-02")}) == 4
    assert re.fullmatch(r"[a-zA-Z0-9-]{1,128}", identifier(PACKAGE, "2026-01-01T13"))


@pytest.mark.parametrize("tier", ["green", "yellow", "unknown"])
def test_no_other_light_leads_to_anything(tier: str) -> None:
    assert decide(parcels(), state(), light(tier=tier), told(), AT) is None


def test_a_period_leads_to_one_retraining_of_a_package() -> None:
    done = Retraining("x", "2026-01-01T05:00:00Z", PACKAGE, PERIOD)
    assert decide(parcels(), state(retrainings=(done,)), light(), told(), AT) is None


def test_a_model_that_must_not_retrain_itself_asks() -> None:
    assert asked(model=parcels(automatic=False)) == (
        f"Red in 2026-03: {SAID}. The model is not retrained by itself (monitoring.retraining.automatic is false)."
    )


def test_a_broken_schema_asks_whatever_labels_say() -> None:
    assert asked(light=light("size has no column in 80% of rows: the schema is broken", SAID)) == (
        "Red in 2026-03: size has no column in 80% of rows: the schema is broken. "
        "Training on such rows mends nothing: look at what calls the model."
    )


@pytest.mark.parametrize(
    "report_", [told(0, 0.0), told(99), told(coverage=0.4), told(roc_auc=GOOD), told(roc_auc=BAD | {"value": None})]
)
def test_red_that_labels_do_not_say_asks(report_: dict[str, Any]) -> None:
    assert asked(report=report_, light=light("estimated roc_auc is 0.8")) == (
        "Red in 2026-03: estimated roc_auc is 0.8. No labels say it, and what a model has to learn anew only fresh "
        "labels can tell: bring labels of this period, or look at what changed."
    )


def test_too_few_labels_to_train_on_ask_and_it_starts_when_they_are_there() -> None:
    assert asked(report=told(300)).endswith(
        "Only 300 rows of the period have a label, and 500 are asked for "
        "(monitoring.retraining.min_labels): it starts by itself once they are there."
    )
    before = state(asked=(Asked(PACKAGE, PERIOD),))
    assert decide(parcels(), before, light(), told(300), AT) is None
    assert isinstance(decide(parcels(), before, light(), told(500), AT), Start)


def test_a_retrained_model_that_is_red_at_once_asks() -> None:
    said = asked(retraining="2026-02-abc", tiers={PERIOD: "red", "2026-02": "unknown"})
    assert said.endswith(
        "The package was retrained (2026-02-abc) and is red again at once, so more of the same data may not help."
    )


@pytest.mark.parametrize("tier", ["green", "yellow"])
def test_a_retrained_model_that_was_better_for_a_while_is_retrained_again(tier: str) -> None:
    now = state(retraining="2026-01-abc", tiers={"2026-02": tier, PERIOD: "red"})
    assert isinstance(decide(parcels(), now, light(), told(), AT), Start)


def test_during_the_cool_down_it_asks_once_and_starts_after_it() -> None:
    lately = earlier("2026-04-05")
    assert asked(retrainings=lately).endswith(
        "The last retraining started on 2026-04-05 05:00 UTC, less than 7 days ago: "
        "if the light is still red, the next one starts by itself from 2026-04-12 05:00 UTC on."
    )
    after = state(retrainings=lately, asked=(Asked(PACKAGE, PERIOD),))
    assert decide(parcels(), after, light(), told(), "2026-04-12T04:59:00Z") is None
    assert isinstance(decide(parcels(), after, light(), told(), "2026-04-12T05:00:00Z"), Start)


def test_the_budget_of_thirty_days_asks_and_frees_itself() -> None:
    lately = earlier("2026-03-12", "2026-03-20")
    assert asked(retrainings=lately).endswith(
        "2 retrainings started within 30 days, which is the budget (monitoring.retraining.per_month): "
        "if the light is still red, the next one starts by itself from 2026-04-11 05:00 UTC on."
    )
    assert isinstance(decide(parcels(), state(retrainings=lately), light(), told(), "2026-04-11T05:00:00Z"), Start)
    assert isinstance(decide(parcels(per_month=3), state(retrainings=lately), light(), told(), AT), Start)


def test_what_a_person_must_do_is_said_before_what_passes_by_itself() -> None:
    said = asked(retrainings=earlier("2026-04-05"), report=told(0, 0.0))
    assert "No labels say it" in said


def test_a_question_is_asked_once() -> None:
    before = state(asked=(Asked(PACKAGE, PERIOD),))
    assert decide(parcels(automatic=False), before, light(), told(), AT) is None
    others = state(asked=(Asked(PACKAGE, "2026-02"), Asked("another", PERIOD)))
    assert isinstance(decide(parcels(automatic=False), others, light(), told(), AT), Ask)


def test_a_sentence_fits_a_pipelines_variable_whatever_is_said() -> None:
    said = asked(model=parcels(automatic=False), light=light("a\nlong story " * 200))
    assert len(said) == LONGEST_REASON
    assert "\n" not in said


def test_an_error_is_worse_when_it_is_higher() -> None:
    described = model(task="regression", monitoring={"alarms": {}})
    mae = {"value": 30.0, "lower": 28.0, "upper": 32.0, "lower_threshold": 15.0, "upper_threshold": 25.0}
    reported = {"labels": {"n": 900, "coverage": 1.0}, "realized": {"mae": mae}}
    assert isinstance(decide(described, state(), light(), reported, AT), Start)
    reported["realized"] = {"mae": mae | {"value": 10.0, "lower": 9.0, "upper": 11.0}}
    assert isinstance(decide(described, state(), light(), reported, AT), Ask)


def test_the_kernels_own_report_is_understood() -> None:
    baseline = baselines.fit(Spec.parse(SPEC), table(seed=1).to_batches())
    new = table(seed=2, month="2026-03")
    wrong = new.set_column(
        new.column_names.index("label"), "label", pa.array([1 - x for x in new["label"].to_pylist()])
    )
    for rows, kind in ((wrong, Start), (wrong.drop_columns(["age"]), Ask)):
        profile = Profile(baseline)
        for batch in rows.to_batches():
            profile.add(batch)
        [(name, one)] = report(profile)["periods"].items()
        found = decide(parcels(), state(), Light(one["tier"], name, tuple(one["why"]), AT), one, AT)
        assert isinstance(found, kind), found
        assert ("Training on such rows mends nothing" in found.reason) is (kind is Ask)
