"""A model's trees at once answer as the fitted model does, and are taken only where they are right and faster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from xgboost import XGBClassifier, XGBRegressor

from model_server.engines import Onnx
from model_server.forest import Forest
from model_server.scoring import Model as Packaged
from model_server.scoring import Rows
from pipelines.container import StepError
from pipelines.packaging import choosing, forest
from pipelines.packaging.export import export
from tests.pipelines import models
from tests.pipelines.packaging.test_choosing import served_by

WIDTH = 8
NUMBERS = [{"name": f"n{place}", "type": "number", "nullable": place < 3} for place in range(WIDTH)]

BINARY: dict[str, Callable[[], Any]] = {
    "HistGradientBoosting": lambda: HistGradientBoostingClassifier(max_iter=40),
    "LightGBM": lambda: LGBMClassifier(n_estimators=40, verbose=-1),
    "XGBoost": lambda: XGBClassifier(n_estimators=40, max_depth=6),
}
REGRESSION: dict[str, Callable[[], Any]] = {
    "HistGradientBoosting": lambda: HistGradientBoostingRegressor(max_iter=40),
    "GradientBoosting": lambda: GradientBoostingRegressor(n_estimators=40),
    "LightGBM": lambda: LGBMRegressor(n_estimators=40, verbose=-1),
    "XGBoost": lambda: XGBRegressor(n_estimators=40),
}


def table(rows: int, *, nulls: bool = True) -> np.ndarray:
    draw = np.random.default_rng(rows)
    numbers = draw.normal(size=(rows, WIDTH)).astype(np.float32).round(2)
    if nulls:
        numbers[draw.random((rows, WIDTH)) < 0.1] = np.nan
        numbers[:, 3:] = np.nan_to_num(numbers[:, 3:])
    return numbers


def target(numbers: np.ndarray) -> np.ndarray:
    known = np.nan_to_num(numbers)
    return known[:, 0] + known[:, 3] * known[:, 4] + 0.3 * np.isnan(numbers[:, 1])


def engines(fitted: Any, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What ONNX Runtime says, and what the forest says."""
    described = served_by("onnx", features=NUMBERS)
    exported = export(fitted, described.features)
    trees = forest.export(exported)
    rows = Rows(numbers, np.empty((len(numbers), 0), object))
    return Onnx(exported)(rows), Forest(trees.forest, Onnx(trees.before) if trees.before else None)(rows)


def fitted(estimator: Any, labels: Callable[[np.ndarray], np.ndarray], *, nulls: bool) -> Any:
    numbers = table(2_000, nulls=nulls)
    columns = {each["name"]: numbers[:, [place]] for place, each in enumerate(NUMBERS)}
    frame = models.training_frame(columns, served_by("onnx", features=NUMBERS).features)
    return estimator.fit(frame, labels(target(numbers)))


@pytest.mark.parametrize("name", list(BINARY))
@pytest.mark.parametrize("rows", [1, 255, 256, 257, 3_000])
def test_binary_models(name: str, rows: int) -> None:
    model = fitted(BINARY[name](), lambda values: (values > 0).astype(int), nulls=True)
    expected, found = engines(model, table(rows))
    assert found.shape == expected.shape == (rows, 2)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", list(BINARY))
def test_multiclass_models(name: str) -> None:
    model = fitted(BINARY[name](), lambda values: np.digitize(values, [-0.5, 0.7]), nulls=True)
    expected, found = engines(model, table(1_000))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", list(REGRESSION))
def test_regressions(name: str) -> None:
    model = fitted(REGRESSION[name](), lambda values: 10 * values, nulls=name != "GradientBoosting")
    expected, found = engines(model, table(1_000, nulls=name != "GradientBoosting"))
    np.testing.assert_allclose(found.ravel(), expected.ravel(), atol=2e-5)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda: RandomForestClassifier(n_estimators=5), "leaves|votes for several|joined by none"),
        (
            lambda: HistGradientBoostingClassifier(max_iter=5, max_leaf_nodes=200, min_samples_leaf=2),
            "leaves; allowed are 64",
        ),
    ],
)
def test_other_trees_are_left_to_onnx_runtime(model: Callable[[], Any], reason: str) -> None:
    some = fitted(model(), lambda values: (values > 0).astype(int), nulls=False)
    with pytest.raises(StepError, match=reason):
        forest.export(export(some, served_by("onnx", features=NUMBERS).features))


def test_a_package_has_its_trees_at_once_and_answers_alike_on_both_sides(tmp_path: Path) -> None:
    described = served_by("onnx", features=NUMBERS)
    numbers = table(3_000)
    columns = {each["name"]: numbers[:, [place]] for place, each in enumerate(NUMBERS)}
    model = fitted(HistGradientBoostingClassifier(max_iter=150), lambda values: (values > 0).astype(int), nulls=True)
    chosen = models.chosen(described, model, columns)
    assert chosen.files.keys() == {"model.onnx", "forest.npz"}
    assert chosen.signature.batch_engine == "forest"
    fewest = chosen.signature.batch_from
    assert fewest is not None
    assert 1 < fewest <= 1_000
    assert chosen.signature.parity["forest"]["largest_difference"] <= 1e-6
    found = Packaged.read(models.written(tmp_path / "model", chosen))
    few = {name: column[:1] for name, column in columns.items()}
    np.testing.assert_allclose(found.score(columns).scores[:1], found.score(few).scores, atol=1e-6)


def test_a_forest_that_answers_otherwise_is_not_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = forest.export
    monkeypatch.setattr(
        choosing.forest, "export", lambda content: right(content)._replace(forest=_shifted(right(content).forest))
    )
    described = served_by("onnx", features=NUMBERS)
    numbers = table(2_000)
    columns = {each["name"]: numbers[:, [place]] for place, each in enumerate(NUMBERS)}
    model = fitted(HistGradientBoostingClassifier(max_iter=40), lambda values: (values > 0).astype(int), nulls=True)
    chosen = models.chosen(described, model, columns)
    assert (list(chosen.files), chosen.signature.batch_engine) == (["model.onnx"], None)


def _shifted(content: bytes) -> bytes:
    import io

    arrays = dict(np.load(io.BytesIO(content)))
    arrays["base"] = arrays["base"] + 0.01
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()
