"""What nannyml has not, or says otherwise than the convention: straight from the definitions, as simply as can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp, wasserstein_distance
from sklearn import metrics
from sklearn.preprocessing import label_binarize

FLOOR = 1e-4
RESAMPLES = 400

Array = np.ndarray[Any, Any]


def feature(kind: str, reference: pd.Series, period: pd.Series) -> dict[str, Any]:
    """PSI, the rates, and for numbers the two measures of order without any bins."""
    found: dict[str, Any] = {"psi": psi(kind, reference, period), "missing_rate": float(period.isna().mean())}
    if kind == "categorical":
        known = set(reference.dropna())
        found["unseen_rate"] = float((period.notna() & ~period.isin(known)).mean())
        return found
    found["out_of_range_rate"] = float(((period < reference.min()) | (period > reference.max())).mean())
    one, other = reference.dropna(), period.dropna()
    found["exact"] = {
        "kolmogorov_smirnov": float(ks_2samp(one, other).statistic),
        "wasserstein": float(wasserstein_distance(one, other)),
    }
    return found


def psi(kind: str, reference: pd.Series, period: pd.Series) -> float:
    """Deciles of the reference with open ends, [a, b), or its categories and one bin for all others; a bin for nulls.

    Shares are of all rows, nulls among them, and at least FLOOR; they are not made to sum up to 1 again.
    """
    if kind == "numeric":
        cuts = np.unique(np.quantile(reference.dropna(), np.arange(1, 10) / 10))
        count = len(cuts) + 1
        places = [np.searchsorted(cuts, each.dropna(), side="right") for each in (reference, period)]
    else:
        categories = sorted(set(reference.dropna()))
        count = len(categories) + 1
        place_of = {category: place for place, category in enumerate(categories)}
        places = [each.dropna().map(lambda value: place_of.get(value, count - 1)) for each in (reference, period)]
    shares = []
    for place, column in zip(places, (reference, period), strict=True):
        counts = [*np.bincount(np.asarray(place, dtype=np.int64), minlength=count), column.isna().sum()]
        shares.append(np.maximum(np.asarray(counts) / len(column), FLOOR))
    p, q = shares
    return float(np.sum((q - p) * np.log(q / p)))


def realized(spec: dict[str, Any], period: pd.DataFrame) -> dict[str, float]:
    """The metrics of the rows that have a label."""
    rows = period.dropna(subset=[spec["label"]])
    label, prediction = rows[spec["label"]], rows[spec["prediction"]]
    if spec["task"] == "regression":
        return {
            "mae": metrics.mean_absolute_error(label, prediction),
            "rmse": metrics.root_mean_squared_error(label, prediction),
            "r2": metrics.r2_score(label, prediction),
        }
    classes, truth, scores = ranked(spec, rows)
    average = "macro" if spec["task"] == "multiclass" else "binary"
    labels = classes if spec["task"] == "multiclass" else None
    confusion = metrics.multilabel_confusion_matrix(label, prediction, labels=classes)
    chosen = confusion if spec["task"] == "multiclass" else confusion[-1:]
    common = {"labels": labels, "average": average, "zero_division": 0}
    return {
        "roc_auc": float(np.mean([metrics.roc_auc_score(truth[k], scores[k]) for k in range(len(truth))])),
        "precision": metrics.precision_score(label, prediction, **common),
        "recall": metrics.recall_score(label, prediction, **common),
        "f1": metrics.f1_score(label, prediction, **common),
        "specificity": float(np.mean(chosen[:, 0, 0] / chosen[:, 0].sum(axis=1))),
        "accuracy": metrics.accuracy_score(label, prediction),
        "average_precision": float(
            np.mean([metrics.average_precision_score(truth[k], scores[k]) for k in range(len(truth))])
        ),
    }


def ranked(spec: dict[str, Any], rows: pd.DataFrame) -> tuple[list[Any], list[Array], list[Array]]:
    """The classes, and of each that has a score whether a row is of it, and the score."""
    label = rows[spec["label"]]
    if spec["task"] == "binary":
        return [0, 1], [label.to_numpy().astype(np.int64)], [rows[spec["score"]].to_numpy()]
    classes = sorted(spec["score"])
    return classes, list(label_binarize(label, classes=classes).T), [rows[spec["score"][c]].to_numpy() for c in classes]


def estimated_order(calibrated: Array, raw: Array) -> dict[str, float]:
    """The estimates of ROC AUC and average precision of a class as nannyml has them, but without rounding its sums."""
    order = np.argsort(raw, kind="stable")[::-1]
    hits = np.cumsum(calibrated[order])
    misses = np.cumsum(1 - calibrated[order])
    area = metrics.auc(np.r_[0, misses] / misses[-1], np.r_[0, hits] / hits[-1])
    steps = np.diff(np.r_[0, hits]) / hits[-1]
    return {"roc_auc": float(area), "average_precision": float(np.sum(steps * hits / np.arange(1, len(hits) + 1)))}


def auc_spread(truth: Array, score: Array) -> tuple[float, float]:
    """What the sampling error of ROC AUC is made of; a tie of a positive and a negative counts half, in any order.

    The variance over the rarer class of the share of the other class that a row beats, and the rarer class's share.
    """
    if truth.mean() > 0.5:
        truth, score = 1 - truth, -score
    positives, negatives = score[truth == 1], np.sort(score[truth == 0])
    below = np.searchsorted(negatives, positives, side="left") + np.searchsorted(negatives, positives, side="right")
    return float(np.var(below / 2 / len(negatives))), len(positives) / len(truth)


def average_precision_spread(truth: Array, score: Array) -> tuple[float, int]:
    """The variance of average precision over many resamples of half the reference's size, and that size."""
    size = min(len(truth) // 2, 50_000)
    generator = np.random.default_rng(0)
    drawn = [generator.integers(0, len(truth), size) for _ in range(RESAMPLES)]
    return float(np.var([metrics.average_precision_score(truth[rows], score[rows]) for rows in drawn])), size
