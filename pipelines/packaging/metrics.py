"""A model's performance metrics, by task; `config.model.METRICS` names those that a gate may ask for."""

from __future__ import annotations

import math
import warnings

import numpy as np
from sklearn import metrics as sk

from model_server.predictions import Predictions

_BINS = 10


def measure(truth: np.ndarray, predictions: Predictions) -> dict[str, float]:
    """Every metric of the model's task; those that these rows do not define are left out."""
    with warnings.catch_warnings():
        # A period of one class has no ROC AUC, and scikit-learn warns besides saying so with NaN.
        warnings.simplefilter("ignore")
        match predictions.signature.task:
            case "binary":
                found = _binary(truth, predictions)
            case "multiclass":
                found = _multiclass(truth, predictions)
            case "regression":
                found = _regression(truth, predictions)
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}


def expected_calibration_error(truth: np.ndarray, probability: np.ndarray) -> float:
    """Mean distance of predicted probability and observed share over ten equal-width bins, weighted by rows."""
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    predicted = np.bincount(bins, weights=probability, minlength=_BINS)
    observed = np.bincount(bins, weights=truth, minlength=_BINS)
    return float(np.abs(predicted - observed).sum() / len(truth))


def _binary(truth: np.ndarray, predictions: Predictions) -> dict[str, float]:
    probability = predictions.scores[:, 1].astype(np.float64)
    predicted = np.array(predictions.values())
    precision, recall, f1, _ = sk.precision_recall_fscore_support(truth, predicted, average="binary", zero_division=0)
    return {
        "roc_auc": sk.roc_auc_score(truth, probability),
        "f1": f1,
        "precision": precision,
        "recall": recall,
        "accuracy": sk.accuracy_score(truth, predicted),
        "brier": float(np.mean((probability - truth) ** 2)),
        "expected_calibration_error": expected_calibration_error(truth, probability),
    }


def _multiclass(truth: np.ndarray, predictions: Predictions) -> dict[str, float]:
    classes = list(predictions.signature.classes)
    probability = predictions.scores.astype(np.float64)
    probability /= probability.sum(axis=1, keepdims=True)
    predicted = np.array(predictions.values())
    return {
        "roc_auc": sk.roc_auc_score(truth, probability, multi_class="ovr", labels=classes),
        "f1": sk.f1_score(truth, predicted, average="macro", labels=classes, zero_division=0),
        "accuracy": sk.accuracy_score(truth, predicted),
    }


def _regression(truth: np.ndarray, predictions: Predictions) -> dict[str, float]:
    error = predictions.scores.astype(np.float64) - truth
    return {
        "r2": sk.r2_score(truth, predictions.scores),
        "root_mean_squared_error": math.sqrt(np.mean(error**2)),
        "mean_absolute_error": float(np.mean(np.abs(error))),
    }
