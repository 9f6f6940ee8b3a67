"""What nannyml 0.13.1 says: runs in the environment of requirements.txt only."""

from __future__ import annotations

import functools
import logging
import os
import warnings
from typing import Any

os.environ.setdefault("NML_DISABLE_USAGE_LOGGING", "1")

import nannyml
import numpy as np
import pandas as pd
from nannyml.calibration import NoopCalibrator
from nannyml.performance_estimation.confidence_based.cbpe import _calibrate_predicted_probabilities

warnings.simplefilter("ignore")
logging.disable(logging.ERROR)

UNIVARIATE = {
    "numeric": ["jensen_shannon", "hellinger", "kolmogorov_smirnov", "wasserstein"],
    "categorical": ["jensen_shannon", "hellinger", "l_infinity", "chi2"],
}
CLASSIFICATION = ["roc_auc", "precision", "recall", "f1", "specificity", "accuracy", "average_precision"]
NULL = "null"
"""What stands for a null of a categorical column in the multivariate measure: nannyml would impute it."""

Found = dict[str, dict[str, Any]]


class Oracle:
    """One data set in nannyml's hands; every answer is by period."""

    def __init__(self, spec: dict[str, Any], reference: pd.DataFrame, analysis: pd.DataFrame) -> None:
        self._spec, self._reference, self._analysis = spec, reference, analysis
        self._chunks = {"chunk_period": "M", "timestamp_column_name": spec["timestamp"]}
        self._of_kind = {kind: [name for name, each in spec["features"].items() if each == kind] for kind in UNIVARIATE}

    def univariate(self) -> tuple[dict[str, Found], dict[str, dict[str, float]]]:
        """By period and feature, the measures; and by feature, their upper thresholds."""
        calculator = nannyml.UnivariateDriftCalculator(
            column_names=list(self._spec["features"]),
            continuous_methods=UNIVARIATE["numeric"],
            categorical_methods=UNIVARIATE["categorical"],
            **self._chunks,
        )
        rows = self._run(calculator)
        periods: dict[str, Found] = {}
        thresholds: dict[str, dict[str, float]] = {}
        for _, row in rows.iterrows():
            found = periods.setdefault(row[("chunk", "chunk", "key")], {})
            for name, kind in self._spec["features"].items():
                found[name] = {measure: row[(name, measure, "value")] for measure in UNIVARIATE[kind]}
                thresholds[name] = {
                    measure: row[(name, measure, "upper_threshold")]
                    for measure in UNIVARIATE[kind]
                    if measure != "chi2"
                }
        return periods, thresholds

    def rates(self) -> dict[str, Found]:
        """Missing and out of range; what nannyml calls unseen counts nulls, and is not asked."""
        numeric = self._of_kind["numeric"]
        missing = self._run(
            nannyml.MissingValuesCalculator(column_names=list(self._spec["features"]), normalize=True, **self._chunks)
        )
        outside = self._run(nannyml.NumericalRangeCalculator(column_names=numeric, normalize=True, **self._chunks))
        periods: dict[str, Found] = {}
        for (_, one), (_, other) in zip(missing.iterrows(), outside.iterrows(), strict=True):
            found = periods.setdefault(one[("chunk", "key")], {})
            for name in self._spec["features"]:
                found[name] = {"missing_rate": one[(name, "value")]}
                if name in numeric:
                    found[name]["out_of_range_rate"] = other[(name, "value")]
        return periods

    def multivariate(self) -> tuple[Found, dict[str, Any]]:
        """The reconstruction error by period, and how many components it is of."""
        filled = dict.fromkeys(self._of_kind["categorical"], NULL)
        reference, analysis = (each.fillna(filled) for each in (self._reference, self._analysis))
        calculator = nannyml.DataReconstructionDriftCalculator(
            column_names=list(self._spec["features"]), **self._chunks
        )
        calculator.fit(reference)
        rows = calculator.calculate(analysis).filter(period="analysis").to_df()
        periods = {}
        for _, row in rows.iterrows():
            each = {name: row[("reconstruction_error", name)] for name in ("value", "sampling_error", "alert")}
            each["pca_reconstruction_error"] = each.pop("value")
            each |= _bounds(row, "reconstruction_error")
            periods[row[("chunk", "key")]] = each
        pca = calculator._pca
        ratios = [float(ratio) for ratio in pca.explained_variance_ratio_]
        return periods, {"components": int(pca.n_components_), "solver": pca._fit_svd_solver, "ratios": ratios}

    def estimated(self) -> tuple[dict[str, Found], dict[str, Any]]:
        """The estimated metrics by period, and what was decided about calibration."""
        if self._spec["task"] == "regression":
            return self._direct_loss(), {}
        np.random.seed(0)  # noqa: NPY002 - the sampling error of average precision draws from it
        estimator = nannyml.CBPE(
            y_pred_proba=self._spec["score"],
            y_pred=self._spec["prediction"],
            y_true=self._spec["label"],
            problem_type=f"classification_{self._spec['task']}",
            metrics=CLASSIFICATION,
            **self._chunks,
        )
        rows = self._run(estimator)
        self._estimator = estimator
        decided: Any = estimator.needs_calibration
        if self._spec["task"] == "multiclass":
            each = estimator._calibrators
            decided = {name: not isinstance(found, NoopCalibrator) for name, found in each.items()}
        return self._estimates(rows, CLASSIFICATION), {"needs_calibration": decided}

    def calibrated(self, rows: pd.DataFrame) -> list[tuple[Any, Any]]:
        """Of each class that has a score, the calibrated probabilities of *rows* and the scores; after `estimated`."""
        score, estimator = self._spec["score"], self._estimator
        if self._spec["task"] == "binary":
            raw = rows[score].to_numpy()
            return [(estimator.calibrator.calibrate(raw) if estimator.needs_calibration else raw, raw)]
        found = _calibrate_predicted_probabilities(rows, self._spec["label"], score, estimator._calibrators)
        return [(found[score[name]].to_numpy(), rows[score[name]].to_numpy()) for name in sorted(score)]

    def realized(self) -> dict[str, Found]:
        """By period; nannyml has no R2."""
        metrics = ["mae", "rmse"] if self._spec["task"] == "regression" else CLASSIFICATION
        problem = "regression" if self._spec["task"] == "regression" else f"classification_{self._spec['task']}"
        calculator = nannyml.PerformanceCalculator(
            y_true=self._spec["label"],
            y_pred=self._spec["prediction"],
            y_pred_proba=self._spec.get("score"),
            problem_type=problem,
            metrics=metrics,
            **self._chunks,
        )
        rows = self._run(calculator)
        return {
            row[("chunk", "key")]: {
                metric: {name: row[(metric, name)] for name in ("value", "sampling_error")} for metric in metrics
            }
            for _, row in rows.iterrows()
        }

    @functools.cached_property
    def loss_models(self) -> dict[str, Any]:
        """The fitted loss models of a regression by metric, and the columns that they read."""
        return {metric.column_name: metric._dee_model for metric in self._estimator.metrics}

    def _direct_loss(self) -> dict[str, Found]:
        self._estimator = nannyml.DLE(
            feature_column_names=list(self._spec["features"]),
            y_pred=self._spec["prediction"],
            y_true=self._spec["label"],
            metrics=["mae", "rmse"],
            **self._chunks,
        )
        return self._estimates(self._run(self._estimator), ["mae", "rmse"])

    def _estimates(self, rows: pd.DataFrame, metrics: list[str]) -> dict[str, Found]:
        periods = {}
        for _, row in rows.iterrows():
            periods[row[("chunk", "key")]] = {
                metric: {name: row[(metric, name)] for name in ("value", "sampling_error", "alert")}
                | _bounds(row, metric)
                for metric in metrics
            }
        return periods

    def _run(self, calculator: Any) -> pd.DataFrame:
        calculator.fit(self._reference)
        run = getattr(calculator, "calculate", None) or calculator.estimate
        return run(self._analysis).filter(period="analysis").to_df()


def _bounds(row: pd.Series, metric: str) -> dict[str, Any]:
    return {
        "lower": row[(metric, "lower_confidence_boundary")],
        "upper": row[(metric, "upper_confidence_boundary")],
        "lower_threshold": row[(metric, "lower_threshold")],
        "upper_threshold": row[(metric, "upper_threshold")],
    }
