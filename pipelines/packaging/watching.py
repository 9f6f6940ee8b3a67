"""What the monitoring kernel is told of a model, and what is normal for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from config.features import Number
from config.model import Model
from model_server.predictions import Predictions
from model_server.scoring import Columns
from monitoring import baseline as baselines
from monitoring.baseline import Baseline
from monitoring.spec import Spec

BASELINE = "baseline.json"
"""The file of a package that holds its baseline."""

PREDICTION, TIMESTAMP = "prediction", "predicted_at"
SCORE = "score"
"""The names of columns that a record of a prediction has besides the features, the id and the label."""


def spec(model: Model, classes: tuple[Any, ...], masked_by: str | None = None) -> dict[str, Any]:
    """The kernel's spec of *model*; classes in the order of the signature (binary: the positive one last).

    *masked_by* is the id of the key of its masks.
    """
    score: str | dict[str, str] | None = None
    if model.task == "binary":
        score = SCORE
    elif model.task == "multiclass":
        score = {str(name): f"{SCORE}_{name}" for name in classes}
    said: dict[str, Any] = {
        "name": model.name,
        "task": model.task,
        "features": {each.name: "numeric" if isinstance(each, Number) else "categorical" for each in model.features},
        "score": score,
        "prediction": PREDICTION,
        "label": model.target,
        "timestamp": TIMESTAMP,
        "row_id": model.data.id,
        "period": model.monitoring.period,
        "sensitive": [each.name for each in model.features if each.sensitive],
        "masked_by": masked_by,
        "rules": model.monitoring.light.model_dump(mode="json"),
    }
    return said | ({"positive": classes[-1]} if model.task == "binary" else {})


def baseline(
    model: Model, rows: Columns, labels: np.ndarray, predictions: Predictions, masked_by: str | None = None
) -> Baseline:
    """What is normal for a model: held-out rows, what it said of them, and what was true.

    They have no time of their own; their order stands for it.
    """
    classes = predictions.signature.classes
    said = Spec.parse(spec(model, classes, masked_by))
    columns: dict[str, Any] = {
        feature.name: pa.array(rows[feature.name][:, 0].astype(np.float64), from_pandas=True)
        if isinstance(feature, Number)
        else pa.array([text or None for text in rows[feature.name][:, 0].tolist()], pa.string())
        for feature in model.features
    }
    columns |= {name: pa.array(each) for name, each in zip(said.scores.values(), predictions.numbers().T, strict=False)}
    columns |= {PREDICTION: pa.array(predictions.values()), model.target: pa.array(labels)}
    return baselines.fit(said, [pa.RecordBatch.from_pydict(columns)])
