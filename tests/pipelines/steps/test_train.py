"""train, as a process, on real data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipelines.container import run
from pipelines.steps.train import train
from tests.pipelines import jobs

BAD_EXPORT = """
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder


def fit(frame, **hyperparameters):
    features = frame.drop(columns="employed")
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((codes, make_column_selector(dtype_include="category")), remainder="passthrough")
    boosting = HistGradientBoostingClassifier(max_iter=20, categorical_features=[0, 1, 2])
    return make_pipeline(columns, boosting).fit(features, frame["employed"])
"""


def test_it_leaves_the_exported_model_and_its_signature(release: jobs.Release) -> None:
    model = release.trained.root / "model"
    # Whether many rows are answered by the trees at once is measured, so it may differ from machine to machine.
    at_once = {"forest.npz", "forest_before.onnx"}
    assert {file.name for file in model.iterdir()} - at_once == {"model.onnx", "signature.json"}
    signature = json.loads((model / "signature.json").read_text())
    assert signature["task"] == "binary"
    assert signature["classes"] == [0, 1]
    assert signature["outputs"] == ["probability", "prediction"]
    assert [feature["name"] for feature in signature["features"]][:2] == ["AGEP", "SCHL"]
    assert signature["features"][2]["seen"] == ["1", "2", "3", "4", "5"]
    assert signature["versions"].keys() >= {"python", "scikit-learn", "skl2onnx", "onnxruntime"}


def test_the_signature_records_how_close_the_export_is(release: jobs.Release) -> None:
    signature = json.loads((release.trained.root / "model" / "signature.json").read_text())
    parity = signature["parity"]
    assert parity["rows"] > 2500
    assert 0 < parity["largest_difference"] <= parity["tolerance"] == 1e-6
    assert parity["by_probe"].keys() == {"sample", "threshold edges", "every category", "unseen category"}


def test_two_runs_give_the_same_model_whatever_threads_and_hashes_do(release: jobs.Release, tmp_path: Path) -> None:
    again = jobs.train(tmp_path / "again", release.prepared.output("train"))
    jobs.checked(again, "train", OMP_NUM_THREADS="1", PYTHONHASHSEED="3")
    one, two = (job.root / "model" / "model.onnx" for job in (release.trained, again))
    assert one.read_bytes() == two.read_bytes()


def test_an_export_that_is_silently_wrong_fails_the_job(
    release: jobs.Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    shutil.copy(jobs.CODE / "model.yaml", code)
    (code / "train.py").write_text(BAD_EXPORT)
    job = jobs.train(tmp_path / "job", release.prepared.output("train"), code)
    monkeypatch.setenv("ML_ROOT", str(job.root))
    assert run(train) == 1
    assert "the packaged model differs from the fitted one by up to" in job.failure
    assert "with `serving: {engine: auto}` in model.yaml the library that fitted the model answers" in job.failure
    assert not list((job.root / "model").iterdir())


def test_such_a_model_is_left_as_it_was_fitted_where_model_yaml_allows_it(
    release: jobs.Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "model.yaml").write_text((jobs.CODE / "model.yaml").read_text() + "\nserving: {engine: auto}\n")
    (code / "train.py").write_text(BAD_EXPORT)
    job = jobs.train(tmp_path / "job", release.prepared.output("train"), code)
    monkeypatch.setenv("ML_ROOT", str(job.root))
    assert run(train) == 0
    assert {file.name for file in (job.root / "model").iterdir()} == {"model.skops", "signature.json"}
    signature = json.loads((job.root / "model" / "signature.json").read_text())
    assert signature["engine"] == "native"
    assert signature["parity"]["onnx"].startswith("the packaged model differs")
