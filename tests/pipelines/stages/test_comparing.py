"""What a rule makes of a challenger beside the champion that production runs."""

from __future__ import annotations

from typing import Any

import pytest

from config.model import Promotion
from config.release import ByPerson, WhenBetter
from pipelines.stages.comparing import Comparison, decision
from pipelines.stages.registry import Package

RULE = WhenBetter(kind="when-better", margin=0.001)
GATE = Promotion(metric="roc_auc", at_least=0.5, margin=-0.002)


def card(
    value: float = 0.91, champion: float | None = 0.90, *, rows: str = "holdout", **periods: tuple[float, float | None]
) -> dict[str, Any]:
    """A challenger's card; `periods` have the metric of both."""
    measured = {} if champion is None else values(roc_auc=champion, f1=0.6)
    rivals = {name: values(roc_auc=other) for name, (_, other) in periods.items() if other is not None}
    return {
        "data_version": "d" * 64,
        "metrics": values(roc_auc=value, f1=0.7),
        "champion": {"uri": "s3://b/old", "rows": rows, "metrics": measured, "reason": "", "periods": rivals},
        "periods": {name: values(roc_auc=own) for name, (own, _) in periods.items()},
        "promotion": {"metric": "roc_auc", "value": value, "compared": value},
    } | ({"recent": {"rows": 9, "metrics": values(roc_auc=value, f1=0.5)}} if rows == "recent" else {})


def values(**metrics: float) -> dict[str, Any]:
    return {name: {"value": value} for name, value in metrics.items()}


def package(name: str, **metadata: str) -> Package:
    return Package(f"arn:{name}", "group", "Approved", f"s3://b/{name}", metadata)


OLD = package("old")


def decided(
    found: dict[str, Any], champion: Package | None = OLD, rule: Any = RULE, **metadata: str
) -> tuple[bool, str]:
    made = decision(rule, GATE, champion, package("new", **metadata), Comparison.of(found))
    return made.given, made.why


def test_a_better_one_goes_on_by_itself() -> None:
    assert decided(card(p2017=(0.80, 0.79), p2018=(0.78, 0.78))) == (
        True,
        "It beats the champion's roc_auc by 0.0100, and no period is worse.",
    )


def test_where_a_person_is_asked_for_no_number_helps() -> None:
    assert decided(card(), rule=ByPerson()) == (
        False,
        "A person approves every release of this model (approval.kind: person).",
    )


def test_the_first_package_needs_a_person() -> None:
    assert decided(card(), None)[0] is False


@pytest.mark.parametrize(
    ("value", "margin", "given"),
    [(0.91, 0.01, True), (0.909, 0.01, False), (0.90, 0.0, False), (0.9001, 0.0, True), (0.89, 0.0, False)],
)
def test_it_must_beat_the_champion_by_the_margin(value: float, margin: float, given: bool) -> None:
    rule = WhenBetter(kind="when-better", margin=margin)
    found, why = decided(card(value), rule=rule)
    assert found is given
    assert given or why.endswith(f"without a person it must be better by at least {margin:g}.")


@pytest.mark.parametrize(("own", "given"), [(0.781, True), (0.778, True), (0.7779, False)])
def test_no_period_may_be_worse_than_the_gate_tolerates(own: float, given: bool) -> None:
    found, why = decided(card(p2017=(0.9, 0.8), p2018=(own, 0.78)))
    assert found is given
    assert given or why == (
        "It is worse in 1 of 2 periods; roc_auc on p2018: 0.7779, the champion 0.7800 (0.0021 worse); "
        "0.002 is tolerated."
    )


def test_a_lower_error_is_better() -> None:
    found = card(12.0, 13.0)
    for holder in (found["metrics"], found["champion"]["metrics"]):
        holder["mean_absolute_error"] = holder.pop("roc_auc")
    found["promotion"]["metric"] = "mean_absolute_error"
    assert decided(found) == (True, "It beats the champion's mean_absolute_error by 1.0000, and no period is worse.")
    assert str(Comparison.of(found).gate) == (
        "mean_absolute_error on holdout: 12.0000, the champion 13.0000 (1.0000 better)"
    )


def test_an_image_patch_of_what_runs_goes_on_and_of_another_one_does_not() -> None:
    worse = card(0.8)
    assert decided(worse, patched_from="arn:old") == (True, "It is the model that production runs, in a newer image.")
    assert decided(worse, patched_from="arn:older")[0] is False


def test_what_cannot_be_compared_needs_a_person() -> None:
    assert decided(card(), package("other"))[1] == (
        "It was measured beside another package than production runs now, so no rule can tell."
    )
    unmeasured = card(champion=None) | {}
    unmeasured["champion"]["reason"] = "the champion needs x, which the data no longer has"
    assert decided(unmeasured)[1].startswith("The champion could not be measured on the same rows: the champion needs")
    assert decided(card(p2017=(0.9, None)))[1].startswith("The champion was not measured on the periods p2017,")


def test_with_rows_from_production_both_are_compared_there() -> None:
    found = Comparison.of(card(rows="recent"))
    assert [str(pair) for pair in (found.gate, *found.metrics)] == [
        "roc_auc on recent: 0.9100, the champion 0.9000 (0.0100 better)",
        "f1 on recent: 0.5000, the champion 0.6000 (0.1000 worse)",
    ]
