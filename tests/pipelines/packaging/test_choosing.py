"""Which engine a package gets, on models whose conversion is right, wrong, or slow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from lightgbm import LGBMClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from xgboost import XGBClassifier

from config.model import Model
from model_server.engines import Fitted
from model_server.scoring import Columns, matrices
from model_server.scoring import Model as Packaged
from model_server.testing import Client
from pipelines.container import StepError
from pipelines.packaging import choosing
from tests.pipelines import models
from tests.pipelines.tables import CATEGORY, NUMBER, model

NULLABLE = [NUMBER | {"nullable": True}, CATEGORY | {"nullable": True}]
FULL, SPARSE = models.random_rows(), models.random_rows(nulls=True)
LATE = FULL["late"].to_numpy().astype(int)
VALUE = np.exp(FULL["size"].to_numpy() / 4)
RED = np.array(FULL["colour"].to_pylist()) == "red"
PARTS = np.array(["early", "late", "on time"])[np.digitize(FULL["size"].to_numpy() + 3 * RED, [3, 6])]

WRONG: dict[str, tuple[dict[str, Any], Any, pa.Table, np.ndarray]] = {
    "native categories": (
        {},
        models.ordinals(HistGradientBoostingClassifier(max_iter=10, categorical_features=[0])),
        FULL,
        LATE,
    ),
    "native categories of several classes": (
        {"task": "multiclass"},
        models.ordinals(HistGradientBoostingClassifier(max_iter=10, categorical_features=[0])),
        FULL,
        PARTS,
    ),
    "poisson": (
        {"task": "regression"},
        models.one_hot(HistGradientBoostingRegressor(max_iter=10, loss="poisson")),
        FULL,
        VALUE,
    ),
    "gamma": (
        {"task": "regression"},
        models.one_hot(HistGradientBoostingRegressor(max_iter=10, loss="gamma")),
        FULL,
        VALUE,
    ),
    "a forest with nulls": ({"features": NULLABLE}, models.one_hot(RandomForestClassifier(10)), SPARSE, LATE),
    "a forest of LightGBM": (
        {},
        models.one_hot(
            LGBMClassifier(boosting_type="rf", bagging_freq=1, bagging_fraction=0.5, n_estimators=10, verbose=-1)
        ),
        FULL,
        LATE,
    ),
    "categories of pandas, HistGradientBoosting": (
        {},
        HistGradientBoostingClassifier(max_iter=10, categorical_features="from_dtype"),
        FULL,
        LATE,
    ),
    "categories of pandas, LightGBM": ({}, LGBMClassifier(n_estimators=10, verbose=-1), FULL, LATE),
    "categories of pandas, XGBoost": ({}, XGBClassifier(n_estimators=10, enable_categorical=True), FULL, LATE),
}
"""Changes of the model, its pipeline, rows and target, where ONNX would be silently wrong or is not to be had."""


def served_by(engine: str, **changes: Any) -> Model:
    return model(serving={"engine": engine}, **changes)


def with_unknown(columns: Columns) -> Columns:
    """The same rows, a fifth of them with a category that nobody has heard of."""
    colours = columns["colour"].copy()
    colours[::5] = "violet"
    return {**columns, "colour": colours}


def largest_difference(found: Packaged, fitted: Any, columns: Columns) -> float:
    expected = Fitted(found.signature, fitted)(matrices(found.signature, columns))
    return float(np.abs(found.score(columns).scores - expected).max())


@pytest.mark.parametrize("case", WRONG)
def test_onnx_refuses_what_its_conversion_gets_wrong_and_says_what_to_do(case: str) -> None:
    changes, pipeline, table, target = WRONG[case]
    pipeline, columns = models.fitted(served_by("onnx", **changes), table, pipeline, target)
    with pytest.raises(StepError, match=r"with `serving: \{engine: auto\}` in model.yaml the library"):
        models.chosen(served_by("onnx", **changes), pipeline, columns)


@pytest.mark.parametrize("case", WRONG)
def test_auto_serves_the_same_model_by_its_own_library(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, pipeline, table, target = WRONG[case]
    described = served_by("auto", **changes)
    pipeline, columns = models.fitted(described, table, pipeline, target)
    chosen = models.chosen(described, pipeline, columns)
    assert (chosen.signature.engine, list(chosen.files)) == ("native", ["model.skops"])
    assert chosen.signature.parity["onnx"] in capsys.readouterr().out
    found = Packaged.read(models.written(tmp_path / "model", chosen))
    assert largest_difference(found, pipeline, with_unknown(columns)) <= 1e-6
    assert len(Client(tmp_path / "model").predict([{"size": 1, "colour": "red"}])) == 1


def test_onnx_is_the_default_and_packs_nothing_else() -> None:
    pipeline, columns = models.fitted(model(), FULL, models.one_hot(LogisticRegression()), LATE)
    chosen = models.chosen(model(), pipeline, columns)
    assert (chosen.signature.engine, list(chosen.files)) == ("onnx", ["model.onnx"])
    assert (chosen.signature.batch_engine, chosen.signature.batch_from) == (None, None)


def test_native_packs_the_fitted_model_and_checks_it_on_the_same_rows() -> None:
    described = served_by("native")
    pipeline, columns = models.fitted(described, FULL, models.one_hot(LogisticRegression()), LATE)
    chosen = models.chosen(described, pipeline, columns)
    assert (chosen.signature.engine, list(chosen.files)) == ("native", ["model.skops"])
    assert chosen.signature.parity["largest_difference"] == 0
    assert chosen.signature.parity["by_probe"].keys() >= {"sample", "every category", "unseen category"}


def test_auto_keeps_to_onnx_where_the_other_is_not_clearly_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing.speed, "batch_from", lambda *_: None)
    described = served_by("auto")
    pipeline, columns = models.fitted(described, FULL, models.one_hot(LogisticRegression()), LATE)
    assert list(models.chosen(described, pipeline, columns).files) == ["model.onnx"]


def test_auto_packs_both_engines_where_large_batches_are_faster_by_the_library(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    numbers = [{"name": f"n{place}", "type": "number"} for place in range(15)]
    described = served_by("auto", features=numbers)
    columns = {number["name"]: generator.normal(size=(3000, 1)).astype(np.float32) for number in numbers}
    target = (columns["n0"][:, 0] + columns["n1"][:, 0] * columns["n2"][:, 0] > 0).astype(int)
    pipeline = XGBClassifier(n_estimators=300, max_depth=8).fit(
        models.training_frame(columns, described.features), target
    )
    chosen = models.chosen(described, pipeline, columns)
    assert chosen.signature.engine == "onnx"
    assert chosen.files.keys() == {"model.onnx", "model.skops"}
    fewest = chosen.signature.batch_from
    assert chosen.signature.batch_engine == "native"
    assert fewest is not None
    assert 10 <= fewest <= 20_000
    assert chosen.signature.parity["native"]["largest_difference"] <= 1e-6

    found = Packaged.read(models.written(tmp_path / "model", chosen))
    many = {name: np.resize(column, (fewest, 1)) for name, column in columns.items()}
    few = {name: column[:5] for name, column in many.items()}
    np.testing.assert_allclose(found.score(many).scores[:5], found.score(few).scores, atol=1e-6)


def test_a_library_that_wins_with_a_single_row_is_the_only_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing.speed, "batch_from", lambda *_: 1)
    described = served_by("auto")
    pipeline, columns = models.fitted(described, FULL, models.one_hot(LogisticRegression()), LATE)
    assert models.chosen(described, pipeline, columns).signature.engine == "native"


def test_auto_does_without_a_library_that_cannot_keep_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> bytes:
        raise StepError("the fitted model cannot be kept as it is")

    monkeypatch.setattr(choosing.native, "dump", refuse)
    described = served_by("auto")
    pipeline, columns = models.fitted(described, FULL, models.one_hot(LogisticRegression()), LATE)
    assert list(models.chosen(described, pipeline, columns).files) == ["model.onnx"]


@pytest.mark.parametrize("engine", ["onnx", "native", "auto"])
def test_no_engine_takes_a_model_that_stumbles_over_an_unseen_category(engine: str) -> None:
    strict = models.ordinals(LogisticRegression())
    strict[0].transformers[0][1].set_params(handle_unknown="error", unknown_value=None)
    pipeline, columns = models.fitted(served_by(engine), FULL, strict, LATE)
    with pytest.raises(StepError, match=r"the fitted model cannot answer rows with unseen category: .*~unseen~"):
        models.chosen(served_by(engine), pipeline, columns)


def test_the_signature_names_the_versions_of_the_libraries_in_use() -> None:
    pipeline, columns = models.fitted(model(), FULL, models.one_hot(XGBClassifier(n_estimators=5)), LATE)
    assert models.chosen(model(), pipeline, columns).signature.versions.keys() >= {"skops", "xgboost", "skl2onnx"}


def test_what_happens_to_odd_rows_is_what_model_yaml_says() -> None:
    described = model(serving={"invalid": "quarantine", "unseen": "refuse"})
    pipeline, columns = models.fitted(described, FULL, models.one_hot(LogisticRegression()), LATE)
    policy = models.chosen(described, pipeline, columns).signature.policy
    assert (policy.invalid, policy.unseen) == ("quarantine", "refuse")
