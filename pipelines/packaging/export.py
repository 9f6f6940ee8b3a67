"""From a fitted scikit-learn model to ONNX, with one named input for each feature and one output."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from config.features import Feature
from model_server.schema import Columns
from pipelines.container import StepError
from pipelines.rows.columns import frame


def export(fitted: Any, features: Sequence[Feature], sample: Columns) -> bytes:
    """The ONNX model: its output is the probability of each class, or the value of a regression.

    `sample` is some rows of the features. Raises StepError where scikit-learn's model has no conversion.
    """
    model = _by_column(_with_narrow_thresholds(fitted), features, sample)
    inputs = [
        (feature.name, FloatTensorType([None, 1]) if feature.type == "number" else StringTensorType([None, 1]))
        for feature in features
    ]
    options = {id(model): {"zipmap": False}} if is_classifier(fitted) else None
    try:
        exported: Any = convert_sklearn(model, "model", inputs, options=options)
    except Exception as error:
        raise StepError(f"the fitted model cannot be exported to ONNX: {type(error).__name__}: {error}") from error
    if is_classifier(fitted):
        del exported.graph.output[0]  # the label: it follows from the probabilities
    exported.opset_import.sort(key=lambda opset: opset.domain)  # else their order changes from run to run
    return exported.SerializeToString()


def _with_narrow_thresholds(fitted: Any) -> Any:
    """A copy whose boosted trees compare with 32-bit thresholds, rounded down: on 32-bit numbers it answers the same.

    skl2onnx 1.20 rounds them to the nearest instead, so that a number just above a threshold goes the wrong way.
    """
    model = copy.deepcopy(fitted)
    for predictors in getattr(model[-1] if isinstance(model, Pipeline) else model, "_predictors", ()):
        for tree in predictors:
            exact = tree.nodes["num_threshold"]
            nearest = exact.astype(np.float32)
            below = np.nextafter(nearest, np.float32(-np.inf))
            tree.nodes["num_threshold"] = np.where(nearest > exact, below, nearest)
    return model


def _by_column(fitted: Any, features: Sequence[Feature], sample: Columns) -> Any:
    """Puts columns in front of a model that reads one matrix: it has no conversion with an input for each feature."""
    first = fitted.steps[0][1] if isinstance(fitted, Pipeline) else fitted
    if isinstance(first, ColumnTransformer):
        return fitted
    names = [feature.name for feature in features]
    columns = ColumnTransformer([("features", "passthrough", names)]).fit(frame(sample))
    return Pipeline([("columns", columns), ("model", fitted)])
