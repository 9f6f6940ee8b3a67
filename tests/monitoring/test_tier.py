"""The light finds what is known to have gone wrong, says why, and is quiet where nothing has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitoring.rules import Rules
from monitoring.tier import Evidence, Finding, decide
from tests.monitoring.oracle.datasets import DATASETS
from tests.monitoring.runs import Workplace

QUIET = Evidence()
DROP = Finding("roc_auc fell")
CERTAIN = replace(DROP, certain=True)
UNLABELLED = Evidence(few_labels="no labels have come")


@pytest.mark.parametrize(
    ("evidence", "tier"),
    [
        ([QUIET], "green"),
        ([UNLABELLED], "unknown"),
        ([Evidence(unknown=["a measure failed"])], "unknown"),
        ([Evidence(few_rows="5 rows")], "unknown"),
        ([Evidence(few_rows="5 rows", realized=[CERTAIN])], "unknown"),
        ([Evidence(quality=["age is missing"])], "yellow"),
        ([Evidence(drift=["age drifted"])], "yellow"),
        ([Evidence(concept=["the mix does not explain it"])], "yellow"),
        ([Evidence(unknown=["a measure failed"], drift=["age drifted"])], "yellow"),
        ([Evidence(realized=[DROP])], "yellow"),
        ([Evidence(realized=[DROP]), QUIET, Evidence(realized=[DROP])], "yellow"),
        ([Evidence(realized=[DROP]), Evidence(realized=[DROP])], "red"),
        ([Evidence(realized=[CERTAIN])], "red"),
        ([Evidence(realized=[CERTAIN], few_labels="only 9")], "yellow"),
        ([Evidence(broken=["age has no column"])], "red"),
        ([replace(UNLABELLED, estimated=[CERTAIN])], "yellow"),
        ([replace(UNLABELLED, estimated=[CERTAIN], drift=["age drifted"])], "yellow"),
        ([replace(UNLABELLED, estimated=[CERTAIN], drift=["age drifted"])] * 2, "red"),
        ([Evidence(estimated=[CERTAIN], drift=["age drifted"])] * 2, "yellow"),
    ],
)
def test_the_tier_of_evidence(evidence: list[Evidence], tier: str) -> None:
    decided, why = decide(Rules(), evidence)
    assert decided == tier
    assert why


def test_more_periods_may_be_asked_for() -> None:
    evidence = [Evidence(realized=[DROP])] * 3
    assert decide(Rules(periods=4), evidence)[0] == "yellow"
    assert decide(Rules(periods=3), evidence)[0] == "red"


def watched(name: str, workplace: Workplace, **changes: Any) -> dict[str, Any]:
    data = DATASETS[name]()
    workplace.baseline(data.reference, **{"score": None, **data.spec, **changes})
    labels = [] if data.labels is None else [workplace.write("labels.parquet", data.labels)]
    workplace.profile("profile", [workplace.write("analysis.parquet", data.analysis)], labels)
    return workplace.report("profile")


def test_the_employment_model_is_red_where_its_rows_changed_and_nowhere_else(workplace: Workplace) -> None:
    report = watched("acs", workplace)
    tiers = {name: period["tier"] for name, period in report["periods"].items()}
    drifted = {"2017-12", "2018-01"}  # rows 135,000 to 140,000 of the analysis, the reference's chunk 27
    assert {name for name, tier in tiers.items() if tier != "green"} == drifted
    assert {tiers[name] for name in drifted} == {"red"}
    for name in drifted:
        period = report["periods"][name]
        assert {each["feature"] for each in period["ranking"][:4]} >= {"AGEP", "RELP", "SCHL"}
        assert period["ranking"][0]["contribution"] < -0.05
        assert any(sentence.startswith("realized roc_auc is") for sentence in period["why"])
        assert any(sentence.startswith("RELP drifted (PSI 3.") for sentence in period["why"])
    correlated = {each["feature"]: each["correlation"] for each in report["periods"]["2018-12"]["ranking"]}
    assert correlated["AGEP"] > 0.85


def test_without_labels_the_employment_model_is_red_by_estimate_and_drift_alone(workplace: Workplace) -> None:
    data = DATASETS["acs"]()
    workplace.baseline(data.reference, **data.spec)
    workplace.profile("profile", [workplace.write("analysis.parquet", data.analysis)])
    tiers = {name: period["tier"] for name, period in workplace.report("profile")["periods"].items()}
    assert tiers["2017-12"] == "yellow"
    assert tiers["2018-01"] == "red"
    assert {tier for name, tier in tiers.items() if name not in ("2017-12", "2018-01")} == {"unknown"}


def test_bike_sharing_collapsed_and_the_estimate_did_not_see_it(workplace: Workplace) -> None:
    report = watched("bike", workplace)
    for period in report["periods"].values():
        assert period["tier"] == "red"
        assert period["realized"]["mae"]["alert"]
        assert period["realized"]["mae"]["value"] > 2 * period["estimated"]["mae"]["value"]
        assert not period["estimated"]["mae"]["alert"]
        assert any("the estimate did not see it" in sentence for sentence in period["why"])
