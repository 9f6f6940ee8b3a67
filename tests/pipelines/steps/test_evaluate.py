"""evaluate, as a process, on real data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from config import load_model
from model_server.golden import Golden
from model_server.testing import Client
from monitoring import store
from pipelines.stages.comparing import Comparison
from tests.pipelines import jobs
from tests.pipelines.conftest import at

MODEL = load_model(jobs.CODE)


def evaluation(job: jobs.Job) -> dict:
    return json.loads((job.output("evaluation") / "evaluation.json").read_text())


def test_metrics_are_reported_for_the_holdout_and_for_each_later_period(release: jobs.Release) -> None:
    found = evaluation(release.evaluated)
    assert found["periods"].keys() == {"2016", "2017", "2018"}
    for metrics in (found["metrics"], *found["periods"].values()):
        assert metrics.keys() >= {"roc_auc", "f1", "precision", "recall", "accuracy", "brier"}
        assert 0.88 < metrics["roc_auc"]["value"] < 0.93
        assert metrics["expected_calibration_error"]["value"] < 0.05


def test_the_scores_are_those_of_the_fitted_model(release: jobs.Release) -> None:
    expected = roc_auc_score(*jobs.fitted_on_2016())
    assert evaluation(release.evaluated)["periods"]["2016"]["roc_auc"]["value"] == pytest.approx(expected, abs=1e-6)


def test_without_a_champion_any_challenger_passes_that_condition(release: jobs.Release) -> None:
    found = evaluation(release.evaluated)
    assert found["champion"]["value"] == found["champion"]["bar"] == -1e9
    assert found["promotion"]["value"] == found["metrics"]["roc_auc"]["value"]
    assert found["promotion"]["bar"] == found["promotion"]["at_least"] == MODEL.promotion.bound


def test_the_champion_is_measured_on_the_same_rows(release: jobs.Release, tmp_path: Path, bucket: str) -> None:
    job = jobs.evaluate(tmp_path / "job", release.prepared, release.trained)
    jobs.checked(job, "evaluate", "--champion", "s3://models/released/model.tar.gz", **at(bucket))
    found = evaluation(job)
    assert found["champion"]["value"] == found["promotion"]["value"]
    assert found["champion"]["metrics"] == found["metrics"]
    assert found["champion"]["periods"] == found["periods"]
    compared = Comparison.of(found)
    assert {pair.gain for pair in (compared.gate, *compared.metrics, *compared.periods)} == {0.0}
    assert [pair.rows for pair in compared.periods] == sorted(found["periods"])
    assert found["champion"]["bar"] == pytest.approx(found["champion"]["value"] + MODEL.promotion.margin)
    assert found["promotion"]["bar"] == max(found["champion"]["bar"], MODEL.promotion.bound)


def test_the_package_says_what_is_normal_for_the_model(release: jobs.Release) -> None:
    baseline = store.read_baseline(release.package / "baseline.json")
    card = json.loads((release.package / "card.json").read_text())
    assert baseline.metrics["roc_auc"] == pytest.approx(card["metrics"]["roc_auc"]["value"], abs=1e-6)
    assert set(baseline.features) == {feature.name for feature in MODEL.features}
    assert baseline.thresholds.sizes
    assert baseline.problems == ()


def test_the_package_is_complete_and_answers_its_golden_requests(release: jobs.Release) -> None:
    at_once = {"forest.npz", "forest_before.onnx"}  # where that was measured to be faster
    assert {file.name for file in release.package.iterdir()} - at_once == {
        "model.onnx",
        "signature.json",
        "golden.json",
        "baseline.json",
        "masks.json",
        "card.json",
    }
    golden = Golden.read(release.package)
    assert golden is not None
    assert {request.content_type for request in golden.requests} == {"application/json", "text/csv"}
    assert len(golden.requests) == 41
    client = Client(release.package)
    for request in golden.requests:
        response = client.invoke(request.body, request.content_type, request.accept)
        assert golden.difference(request, response.body) is None


def test_golden_rows_span_what_the_model_says(release: jobs.Release) -> None:
    golden = Golden.read(release.package)
    assert golden is not None
    answers = json.loads(golden.requests[-1].answer)["predictions"]
    probabilities = [answer["probability"] for answer in answers]
    assert probabilities == sorted(probabilities)
    assert probabilities[0] < 0.01
    assert probabilities[-1] > 0.95
    assert np.diff(probabilities).max() < 0.5


def test_the_card_says_where_the_model_came_from(release: jobs.Release) -> None:
    card = json.loads((release.package / "card.json").read_text())
    manifest = json.loads((release.prepared.output("manifest") / "manifest.json").read_text())
    assert card["data_version"] == manifest["data_version"]
    assert card["commit"] == "0123abcd"
    assert card["hyperparameters"] == dict(MODEL.hyperparameters)
    assert card["metrics"] == evaluation(release.evaluated)["metrics"]
    assert card["parity"]["tolerance"] == 1e-6
