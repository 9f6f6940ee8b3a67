"""What the monitoring kernel is told of a model."""

from __future__ import annotations

from typing import Any

from config.features import Number
from config.model import Model

PREDICTION, TIMESTAMP = "prediction", "predicted_at"
SCORE = "score"
"""The names of columns that a record of a prediction has besides the features, the id and the label."""


def spec(model: Model, classes: tuple[Any, ...]) -> dict[str, Any]:
    """The kernel's spec of *model*; classes in the order of the signature (binary: the positive one last)."""
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
        "rules": model.monitoring.light.model_dump(mode="json"),
    }
    return said | ({"positive": classes[-1]} if model.task == "binary" else {})
