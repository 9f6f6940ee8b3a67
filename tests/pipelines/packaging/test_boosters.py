"""LightGBM and XGBoost, exported to ONNX with the same answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from xgboost import XGBClassifier, XGBRegressor

from pipelines.packaging import boosters
from pipelines.packaging.export import export
from pipelines.rows.columns import model_columns, training_frame
from tests.pipelines import models
from tests.pipelines.tables import CATEGORY, NUMBER, model

NULLABLE = [NUMBER | {"nullable": True}, CATEGORY | {"nullable": True}]
TABLE = models.random_rows()
LATE = TABLE["late"].to_numpy().astype(int)
VALUE = np.exp(TABLE["size"].to_numpy() / 4)
PARTS = np.digitize(TABLE["size"].to_numpy(), [3, 6])
PROBES = {"sample", "threshold edges", "every category", "unseen category"}

classifiers = pytest.mark.parametrize(
    "estimator",
    [LGBMClassifier(n_estimators=50, verbose=-1), XGBClassifier(n_estimators=50)],
    ids=lambda estimator: type(estimator).__name__,
)
encodings = pytest.mark.parametrize("encoded", [models.one_hot, models.ordinals])


@classifiers
@encodings
def test_a_classifier_with_categories_is_exported_right(encoded: Callable[[Any], Any], estimator: Any) -> None:
    pipeline, columns = models.fitted(model(), TABLE, encoded(clone(estimator)), LATE)
    found = models.checked(model(), pipeline, columns)
    assert found.largest_difference <= found.tolerance == 1e-6
    assert found.by_probe.keys() == PROBES


@classifiers
@encodings
def test_so_it_is_with_nulls(encoded: Callable[[Any], Any], estimator: Any) -> None:
    nullable = model(features=NULLABLE)
    pipeline, columns = models.fitted(nullable, models.random_rows(nulls=True), encoded(clone(estimator)), LATE)
    found = models.checked(nullable, pipeline, columns)
    assert found.largest_difference <= 1e-6
    assert found.by_probe.keys() == {*PROBES, "nulls"}


@classifiers
def test_so_it_is_with_several_classes(estimator: Any) -> None:
    task = model(task="multiclass")
    pipeline, columns = models.fitted(task, TABLE, models.one_hot(clone(estimator)), PARTS)
    assert models.checked(task, pipeline, columns).largest_difference <= 1e-6


@classifiers
def test_so_it_is_with_numbers_alone(estimator: Any) -> None:
    numbers = model(features=[NUMBER])
    pipeline, columns = models.fitted(numbers, TABLE, clone(estimator), LATE)
    assert models.checked(numbers, pipeline, columns).largest_difference <= 1e-6


@pytest.mark.parametrize(
    "estimator",
    [
        LGBMRegressor(verbose=-1),
        LGBMRegressor(verbose=-1, objective="poisson"),
        XGBRegressor(),
        XGBRegressor(objective="reg:gamma"),
    ],
    ids=lambda estimator: f"{type(estimator).__name__} {estimator.objective}",
)
@encodings
def test_a_regression_is_exported_right(encoded: Callable[[Any], Any], estimator: Any) -> None:
    task = model(task="regression")
    pipeline, columns = models.fitted(task, TABLE, encoded(clone(estimator)), VALUE)
    assert models.checked(task, pipeline, columns).largest_difference <= 1e-5


def test_codes_that_lightgbm_splits_as_categories_are_exported_right() -> None:
    pipeline = models.ordinals(LGBMClassifier(n_estimators=20, verbose=-1))
    columns = model_columns(TABLE, model().features)
    frame = training_frame(columns, model().features)
    pipeline.fit(frame, LATE, lgbmclassifier__categorical_feature=[0])
    assert "num_cat=0" not in pipeline[-1].booster_.model_to_string()
    assert models.checked(model(), pipeline, columns).largest_difference <= 1e-6


def test_no_threshold_of_lightgbm_is_above_its_own() -> None:
    numbers = model(features=[NUMBER])
    estimator, _ = models.fitted(numbers, TABLE, LGBMClassifier(n_estimators=50, verbose=-1), LATE)
    lines = re.findall(r"^threshold=(.*)$", estimator.booster_.model_to_string(), re.MULTILINE)
    exact = np.unique([float(value) for line in lines for value in line.split()])
    attributes = (
        attribute
        for node in onnx.load_from_string(export(estimator, numbers.features)).graph.node
        for attribute in node.attribute
        if attribute.name == "nodes_values"
    )
    narrow = np.unique([value for attribute in attributes for value in attribute.floats if value])
    assert set(narrow) == set(boosters.below(exact).tolist())
    assert np.any(exact.astype(np.float32) > exact)


def test_the_fitted_boosters_are_left_as_they_are() -> None:
    numbers = model(features=[NUMBER])
    one, columns = models.fitted(numbers, TABLE, LGBMClassifier(n_estimators=5, verbose=-1), LATE)
    other, _ = models.fitted(numbers, TABLE, XGBClassifier(n_estimators=5), LATE)
    before = one.booster_.model_to_string(), other.get_booster().feature_names
    for estimator in (one, other):
        models.exported(numbers, estimator, columns)
    assert (one.booster_.model_to_string(), other.get_booster().feature_names) == before


def test_numbers_that_32_bits_hold_are_their_own_threshold() -> None:
    exact = np.array([0.5, 0.1, -0.1, 1e-35, 0.0])
    assert np.all(boosters.below(exact) <= exact)
    assert boosters.below(exact)[[0, 4]].tolist() == [0.5, 0.0]
    assert not boosters.is_booster(HistGradientBoostingClassifier())
