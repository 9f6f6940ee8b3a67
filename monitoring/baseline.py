"""What is normal for a model: its reference data and its outputs on them, as plain JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from monitoring import columns, frame, normal, outputs, tier
from monitoring.errors import DataError, MonitoringError
from monitoring.features.categorical import Categorical
from monitoring.features.multivariate import Multivariate
from monitoring.features.numeric import LARGEST, Numeric
from monitoring.frame import Feature, Frame
from monitoring.performance.reference import Classifier, Reference, Regression
from monitoring.periods import moments
from monitoring.spec import Spec

FORMAT = 1
_MOST_SEGMENTS = 20
_ENCODED = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class Baseline:
    """A model's reference.

    `losses` are for each feature and each of its bins the mean loss there less the mean loss of all (accuracy, or the
    absolute error), `thresholds` what every measure was on parts of the reference itself.
    """

    spec: Spec
    n: int
    features: Mapping[str, Feature]
    multivariate: Multivariate | None
    performance: Reference
    losses: Mapping[str, np.ndarray]
    thresholds: normal.Thresholds = field(default_factory=lambda: normal.Thresholds((), {}))
    metrics: Mapping[str, float] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    fingerprint: str = ""
    """What tells this baseline from any other; only profiles of the same one add up."""

    @classmethod
    def parse(cls, body: Any) -> Baseline:
        """The baseline that JSON says; raises MonitoringError where it is none of this format."""
        if not isinstance(body, dict) or body.get("format") != FORMAT:
            said = body.get("format") if isinstance(body, dict) else type(body).__name__
            raise MonitoringError(f"the baseline's format is {said!r}, this program reads {FORMAT}; make it again")
        spec = Spec.parse(body["spec"])
        kinds = {"numeric": Numeric, "categorical": Categorical}
        features = {name: kinds[each["kind"]].parse(each) for name, each in body["features"].items()}
        performed = body["performance"]
        return cls(
            spec=spec,
            n=body["n"],
            features=features,
            multivariate=body["multivariate"] and Multivariate.parse(body["multivariate"]),
            performance=(
                Regression.parse(performed, features) if spec.task == "regression" else Classifier.parse(performed)
            ),
            losses={name: np.array(each, np.float64) for name, each in body["losses"].items()},
            thresholds=normal.Thresholds.parse(body["thresholds"]),
            metrics={name: float("nan") if value is None else value for name, value in body["metrics"].items()},
            problems=tuple(body["problems"]),
            fingerprint=body["fingerprint"],
        )

    def body(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "format": FORMAT,
            "spec": self.spec.body(),
            "n": self.n,
            "features": {name: feature.body() for name, feature in self.features.items()},
            "multivariate": self.multivariate and self.multivariate.body(),
            "performance": self.performance.body(),
            "losses": {name: each.tolist() for name, each in self.losses.items()},
            "thresholds": self.thresholds.body(),
            "metrics": {name: None if np.isnan(value) else value for name, value in self.metrics.items()},
            "problems": list(self.problems),
            "fingerprint": self.fingerprint,
        }

    @property
    def deciding(self) -> Sequence[str]:
        """The metrics that decide the tier, the first of them before all."""
        return self.spec.rules.metrics or tier.DECIDING[self.spec.task]

    @cached_property
    def segments(self) -> Sequence[tuple[str, str]]:
        """Each sensitive feature with each of its most frequent bins' numbers."""
        found = []
        for name in self.spec.sensitive:
            shares = self.features[name].shares if name in self.features else np.zeros(0)
            most = np.argsort(-shares, kind="stable")[:_MOST_SEGMENTS]
            found += [(name, str(place)) for place in sorted(most.tolist()) if shares[place] > 0]
        return found

    def bins(self, features: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The bin of each row, for each sensitive feature."""
        return {
            name: feature.bin_of(features[name]) if isinstance(feature, Numeric) else features[name]
            for name, feature in self.features.items()
            if name in self.spec.sensitive
        }


def fit(spec: Spec, batches: Iterable[pa.RecordBatch]) -> Baseline:
    """The baseline of reference rows with the model's outputs and, where there are any, labels.

    All rows are in memory at once. Raises DataError where they cannot be a reference.
    """
    canonical = [_canonical(spec, batch) for batch in batches]
    if not sum(len(batch) for batch in canonical):
        raise DataError("the reference has no rows; bring the rows that the model was validated on")
    table = pa.Table.from_batches(canonical).unify_dictionaries().combine_chunks()
    [batch] = table.to_batches()
    _refuse_labels(spec, batch)
    features, problems = _features(spec, batch)
    order = np.argsort(moments(batch.column(spec.timestamp)), kind="stable") if spec.timestamp else None
    rows = frame.frame(replace(spec, timestamp=None, row_id=None), features, batch)
    inputs = list(rows.features.values())
    multivariate = Multivariate.fit(list(features.values()), inputs) if len(features) > 1 else None
    performance = _performance(spec, features, rows)
    baseline = Baseline(spec, rows.rows, features, multivariate, performance, _losses(features, rows, performance))
    problems += _missing_outputs(baseline, rows)
    fitted = normal.fit(baseline, rows, np.arange(rows.rows) if order is None else order)
    baseline = replace(
        baseline, thresholds=fitted.thresholds, metrics=fitted.metrics, problems=(*problems, *fitted.problems)
    )
    written = json.dumps(baseline.body(), sort_keys=True).encode()
    return replace(baseline, fingerprint=hashlib.sha256(written).hexdigest()[:16])


def _canonical(spec: Spec, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows with one type for each column, whatever file they came from."""
    needed = [*spec.features, *spec.scores.values(), *([spec.prediction] if spec.prediction else [])]
    if missing := [name for name in needed if name not in batch.schema.names]:
        there = ", ".join(batch.schema.names)
        raise DataError(
            f"the reference has no column {', '.join(missing)}; of those that the spec names it has: {there}"
        )
    names, arrays = [], []
    textual = [*spec.categorical, *([] if spec.task == "regression" else [spec.prediction, spec.label]), spec.row_id]
    for name in spec.columns:
        names.append(name)
        if name not in batch.schema.names:
            kind = _ENCODED if name in textual else pa.timestamp("us") if name == spec.timestamp else pa.float64()
            arrays.append(pa.nulls(len(batch), kind))
        elif name in textual:
            distinct, codes = columns.text(batch.column(name))
            places = pa.array(codes, mask=codes < 0)
            arrays.append(pa.DictionaryArray.from_arrays(places, pa.array(distinct, pa.string())))
        elif name == spec.timestamp:
            arrays.append(pa.array(moments(batch.column(name)).astype("datetime64[us]")))
        else:
            arrays.append(pa.array(columns.number(batch.column(name))[0], from_pandas=True))
    return pa.RecordBatch.from_arrays(arrays, names)


def _features(spec: Spec, batch: pa.RecordBatch) -> tuple[dict[str, Feature], list[str]]:
    features: dict[str, Feature] = {}
    problems = []
    for name, kind in spec.features.items():
        column = batch.column(name)
        if kind == "categorical":
            distinct, codes = columns.text(column)
            if (codes >= 0).any():
                features[name] = Categorical.fit(distinct, codes)
        else:
            values, _ = columns.number(column)
            if (np.abs(values) < LARGEST).any():
                features[name] = Numeric.fit(values, sensitive=name in spec.sensitive)
        if name not in features:
            problems.append(f"{name} has no value in the reference and is not monitored")
    if not features:
        raise DataError(f"none of the features has a value in the reference: {', '.join(spec.features)}")
    return features, problems


def _performance(spec: Spec, features: Mapping[str, Feature], rows: Frame) -> Reference:
    if spec.task == "regression":
        return Regression.fit(features, rows.features, rows.outputs)
    return Classifier.fit(list(spec.scores), rows.outputs)


def _losses(features: Mapping[str, Feature], rows: Frame, performance: Reference) -> dict[str, np.ndarray]:
    loss = performance.loss(rows.outputs)
    known = ~np.isnan(loss)
    if not known.any():
        return {}
    mean = loss[known].mean()
    found = {}
    for name, feature in features.items():
        column = rows.features[name][known]
        bins = feature.bin_of(column) if isinstance(feature, Numeric) else column
        counts = np.bincount(bins, minlength=len(feature.bins))
        sums = np.bincount(bins, loss[known], len(feature.bins))
        # Where the reference has no row, nothing is known, and nothing is blamed.
        found[name] = np.where(counts > 0, sums / np.maximum(counts, 1) - mean, 0.0)
    return found


def _refuse_labels(spec: Spec, batch: pa.RecordBatch) -> None:
    """Labels of which none is of a class that the model has are a spec's error, not a bad model."""
    if spec.label is None or spec.task == "regression":
        return
    known = outputs.positives(spec) if spec.task == "binary" else set(spec.scores)
    labels, _ = columns.text(batch.column(spec.label))
    # A reference that is all negative is a poor one, but nothing says that the spec is wrong.
    if not known & set(labels) and not {"0", "false", "False"} >= set(labels):
        some, what = ", ".join(sorted(labels)[:5]), "positive" if spec.task == "binary" else "a class of score"
        raise DataError(f"{spec.label} has the values {some}, none of which is {what}; say in the spec which it is")


def _missing_outputs(baseline: Baseline, rows: Frame) -> list[str]:
    spec = baseline.spec
    labelled = ~np.isnan(baseline.performance.loss(rows.outputs))
    if not spec.label:
        return ["the spec names no label: performance can neither be estimated nor realized"]
    if not labelled.any():
        return [f"the reference has no row with both a prediction and a {spec.label}: performance cannot be estimated"]
    return []
