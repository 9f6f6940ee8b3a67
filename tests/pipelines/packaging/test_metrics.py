from __future__ import annotations

import numpy as np
import pytest

from config.model import METRICS, Task
from model_server.predictions import Predictions
from model_server.signature import Signature
from pipelines.packaging.metrics import expected_calibration_error, measure


def binary(probability: list[float]) -> Predictions:
    scores = np.array([[1 - p, p] for p in probability], dtype=np.float32)
    return Predictions(Signature("binary", "late", (), (0, 1)), scores)


def test_binary_metrics_by_hand() -> None:
    found = measure(np.array([0, 0, 1, 1]), binary([0.1, 0.6, 0.4, 0.9]))
    assert found["roc_auc"] == 0.75
    assert (found["precision"], found["recall"], found["f1"], found["accuracy"]) == (0.5, 0.5, 0.5, 0.5)
    assert found["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)


def test_multiclass_metrics_by_hand() -> None:
    signature = Signature("multiclass", "kind", (), ("a", "b", "c"))
    scores = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.5, 0.3, 0.2]], dtype=np.float32)
    found = measure(np.array(["a", "b", "c", "b"]), Predictions(signature, scores))
    assert found["accuracy"] == 0.75
    assert found["f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert 0.9 < found["roc_auc"] <= 1


def test_regression_metrics_by_hand() -> None:
    predictions = Predictions(Signature("regression", "hours", ()), np.array([1.0, 2.0, 4.0], dtype=np.float32))
    found = measure(np.array([1.0, 2.0, 3.0]), predictions)
    assert found["r2"] == pytest.approx(0.5)
    assert found["mean_absolute_error"] == pytest.approx(1 / 3)
    assert found["root_mean_squared_error"] == pytest.approx(3**-0.5)


@pytest.mark.parametrize("task", METRICS)
def test_every_metric_that_a_gate_may_ask_for_is_measured(task: Task) -> None:
    classes = {"binary": (0, 1), "multiclass": ("a", "b", "c"), "regression": ()}[task]
    scores = np.full((6, len(classes)), 1 / len(classes)) if classes else np.arange(6.0)
    truth = np.array([classes[row % len(classes)] for row in range(6)]) if classes else np.arange(6.0)
    found = measure(truth, Predictions(Signature(task, "y", (), classes), scores))
    assert found.keys() >= set(METRICS[task])


def test_what_one_class_does_not_define_is_left_out() -> None:
    found = measure(np.array([1, 1]), binary([0.2, 0.8]))
    assert "roc_auc" not in found
    assert found["recall"] == 0.5


def test_calibration_error_is_the_distance_weighted_by_rows() -> None:
    truth = np.array([1, 1, 0, 0, 0, 0, 0, 0])
    assert expected_calibration_error(truth, np.array([0.95, 1.0, 0.05, 0, 0, 0, 0, 0])) == pytest.approx(0.1 / 8)
    assert expected_calibration_error(np.array([0, 0]), np.array([1.0, 1.0])) == 1
