"""The three programs on a regression and on several classes, with nulls."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from config.model import METRICS, Task
from model_server.testing import Client
from pipelines.container import Container
from pipelines.packaging import package
from pipelines.steps.evaluate import evaluate
from pipelines.steps.prepare import prepare
from pipelines.steps.train import train
from tests.pipelines import jobs, models
from tests.pipelines.tables import CATEGORY, NUMBER, model

FIT = """
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import {estimator}
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder


def fit(frame, max_iter):
    columns = [("codes", OneHotEncoder(handle_unknown="ignore"), ["colour"])]
    columns = ColumnTransformer(columns, remainder="passthrough", sparse_threshold=0)
    return make_pipeline(columns, {estimator}(max_iter=max_iter)).fit(frame.drop(columns="late"), frame["late"])
"""


def folder(path: Path, task: Task, estimator: str, **changes: Any) -> Path:
    """The folder of a model that takes nulls."""
    features = [NUMBER | {"nullable": True}, CATEGORY | {"nullable": True}]
    described = model(task=task, features=features, hyperparameters={"max_iter": 10}, **changes)
    path.mkdir()
    (path / "model.yaml").write_text(
        yaml.safe_dump(described.model_dump(mode="json", exclude={"name"}, exclude_none=True))
    )
    (path / "train.py").write_text(FIT.format(estimator=estimator))
    return path


def table(task: Task) -> pa.Table:
    rows = models.random_rows(1200, nulls=True)
    size = np.nan_to_num(rows["size"].to_numpy())
    target = size * 100 if task == "regression" else np.array(["early", "late", "on time"])[(size // 4).astype(int)]
    return rows.set_column(rows.column_names.index("late"), "late", pa.array(target.tolist()))


def released(root: Path, code: Path, task: Task) -> jobs.Job:
    """The evaluation that follows the other two programs."""
    data = root / "data"
    data.mkdir()
    pq.write_table(table(task), data / "rows.parquet")
    prepared = jobs.prepare(root / "prepare", data, code)
    prepare(Container(prepared.root))
    trained = jobs.train(root / "train", prepared.output("train"), code)
    train(Container(trained.root))
    evaluated = jobs.evaluate(root / "evaluate", prepared, trained, code)
    evaluate(Container(evaluated.root))
    return evaluated


def evaluation(job: jobs.Job) -> dict[str, Any]:
    return json.loads((job.output("evaluation") / "evaluation.json").read_text())


@pytest.mark.parametrize(
    ("task", "estimator", "engine"),
    [
        ("regression", "HistGradientBoostingRegressor", "onnx"),
        ("multiclass", "HistGradientBoostingClassifier", "onnx"),
        ("regression", "HistGradientBoostingRegressor", "native"),
        ("multiclass", "HistGradientBoostingClassifier", "native"),
    ],
)
def test_data_becomes_a_measured_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: Task, estimator: str, engine: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["evaluate"])
    code = folder(tmp_path / "code", task, estimator, serving={"engine": engine})
    evaluated = released(tmp_path, code, task)
    found = evaluation(evaluated)
    assert found["metrics"].keys() >= set(METRICS[task])
    assert found["periods"].keys() == {"2022", "2023"}
    assert found["promotion"]["value"] > 0.8
    client = Client(package.unpack(evaluated.output("package") / package.ARCHIVE, tmp_path / "package"))
    (prediction,) = client.predict([{"size": None, "colour": None}])
    assert "prediction" in prediction
    assert client.invoke(",\n", "text/csv").status == 200


def test_an_error_is_held_against_the_highest_that_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["evaluate"])
    asked = {"metric": "mean_absolute_error", "at_most": 250.0}
    code = folder(tmp_path / "code", "regression", "HistGradientBoostingRegressor", promotion=asked)
    found = evaluation(released(tmp_path, code, "regression"))
    assert found["promotion"]["value"] == found["metrics"]["mean_absolute_error"]["value"] < 250
    assert found["promotion"]["bar"] == found["promotion"]["at_most"] == 250
    assert found["champion"]["bar"] == 1e9
