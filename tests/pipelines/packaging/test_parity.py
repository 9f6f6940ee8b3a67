"""The gate, on models whose conversion is right and on those whose conversion is silently wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from pipelines.container import StepError
from tests.pipelines import models
from tests.pipelines.tables import CATEGORY, NUMBER, model

NULLABLE = [NUMBER | {"nullable": True}, CATEGORY | {"nullable": True}]
TABLE = models.random_rows()
LATE = TABLE["late"].to_numpy().astype(int)
VALUE = np.exp(TABLE["size"].to_numpy() / 4)


@pytest.mark.parametrize(
    "estimator",
    [HistGradientBoostingClassifier(max_iter=30), RandomForestClassifier(20), LogisticRegression()],
    ids=lambda estimator: type(estimator).__name__,
)
def test_a_right_conversion_passes_and_is_measured(estimator: Any) -> None:
    pipeline, columns = models.fitted(model(), TABLE, models.one_hot(estimator), LATE)
    found = models.checked(model(), pipeline, columns)
    assert found.largest_difference <= found.tolerance == 1e-6
    assert found.by_probe.keys() == {"sample", "threshold edges", "every category", "unseen category"}


def test_nulls_are_tried_where_the_schema_allows_them() -> None:
    nullable = model(features=NULLABLE)
    table = models.random_rows(nulls=True)
    pipeline, columns = models.fitted(
        nullable, table, models.one_hot(HistGradientBoostingClassifier(max_iter=20)), LATE
    )
    assert "nulls" in models.checked(nullable, pipeline, columns).by_probe


def test_several_classes_are_held_to_the_same_tolerance() -> None:
    task = model(task="multiclass")
    target = np.array(["early", "on time", "late"])[np.digitize(TABLE["size"].to_numpy(), [3, 6])]
    pipeline, columns = models.fitted(task, TABLE, models.one_hot(HistGradientBoostingClassifier(max_iter=10)), target)
    assert models.checked(task, pipeline, columns).tolerance == 1e-6


@pytest.mark.parametrize("estimator", [GradientBoostingRegressor(n_estimators=30), LinearRegression()])
def test_a_regression_passes(estimator: Any) -> None:
    task = model(task="regression")
    pipeline, columns = models.fitted(task, TABLE, models.one_hot(estimator), VALUE)
    assert models.checked(task, pipeline, columns).largest_difference <= 1e-5


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_regression_is_held_to_the_spread_of_its_values_in_whatever_unit(scale: float) -> None:
    """Near zero, a sum of trees in 32 bits has the error of its terms; a wrong conversion errs by a part of them."""
    task = model(task="regression")
    pipeline = models.ordinals(HistGradientBoostingRegressor(max_iter=300))
    pipeline, columns = models.fitted(task, TABLE, pipeline, (VALUE - VALUE.mean()) * scale)
    assert models.checked(task, pipeline, columns).largest_difference <= 1e-5
    wrong = models.ordinals(HistGradientBoostingRegressor(max_iter=30, categorical_features=[0]))
    pipeline, columns = models.fitted(task, TABLE, wrong, (VALUE + 4 * (TABLE["colour"].to_numpy() == "blue")) * scale)
    with pytest.raises(StepError, match="the packaged model differs"):
        models.checked(task, pipeline, columns)


def test_a_model_that_reads_one_matrix_gets_columns_in_front() -> None:
    numbers = model(features=[NUMBER])
    pipeline, columns = models.fitted(numbers, TABLE, make_pipeline(StandardScaler(), LogisticRegression()), LATE)
    assert models.checked(numbers, pipeline, columns).largest_difference <= 1e-6


def test_a_poisson_loss_is_refused() -> None:
    task = model(task="regression")
    pipeline, columns = models.fitted(
        task, TABLE, models.one_hot(HistGradientBoostingRegressor(loss="poisson", max_iter=10)), VALUE
    )
    with pytest.raises(StepError, match=r"the packaged model differs from the fitted one by up to .* rows \(sample\)"):
        models.checked(task, pipeline, columns)


def test_a_forest_that_learned_from_nulls_is_refused() -> None:
    nullable = model(features=NULLABLE)
    table = models.random_rows(nulls=True)
    pipeline, columns = models.fitted(nullable, table, models.one_hot(RandomForestClassifier(10)), LATE)
    with pytest.raises(StepError, match="the packaged model differs"):
        models.checked(nullable, pipeline, columns)


def test_a_model_that_stumbles_over_an_unseen_category_is_refused() -> None:
    strict = models.one_hot(LogisticRegression())
    strict[0].transformers[1] = ("codes", OrdinalEncoder(), ["colour"])
    pipeline, columns = models.fitted(model(), TABLE, strict, LATE)
    with pytest.raises(StepError, match=r"the fitted model cannot answer rows with unseen category: .*~unseen~"):
        models.checked(model(), pipeline, columns)


def test_a_model_without_a_conversion_is_said() -> None:
    class Unknown(LogisticRegression): ...

    pipeline, columns = models.fitted(model(), TABLE, models.one_hot(Unknown()), LATE)
    with pytest.raises(StepError, match=r"the fitted model cannot be exported to ONNX: .*Unknown"):
        models.checked(model(), pipeline, columns)
