"""What a model said about the rows of a batch, and what turned out to be true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from monitoring import columns
from monitoring.features.numeric import LARGEST
from monitoring.spec import Spec

UNKNOWN = -1
"""The code of a class, and the value NaN of a number, that a row does not have."""

THRESHOLD = 0.5
"""Where a binary model without a column of predictions says yes."""


@dataclass(frozen=True)
class Outputs:
    """A batch's outputs and labels.

    For a classifier `scores` are rows x classes (binary: one, the positive one) and `predicted` and `labels` are the
    numbers of classes (binary: 1 and 0), with UNKNOWN where there is none and the number of classes for one that the
    model does not have. For a regression `scores` has no column, and the others are values with NaN.
    """

    scores: np.ndarray
    predicted: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.predicted)

    def where(self, chosen: np.ndarray) -> Outputs:
        """The chosen rows alone (a mask, or row numbers)."""
        return Outputs(self.scores[chosen], self.predicted[chosen], self.labels[chosen])


def read(spec: Spec, batch: Mapping[str, pa.Array], rows: int) -> tuple[Outputs, dict[str, int]]:
    """The outputs in a batch of so many rows, and how many values of a column could not be read."""
    invalid: dict[str, int] = {}

    def numbers(name: str | None) -> np.ndarray:
        if name is None or name not in batch:
            return np.full(rows, np.nan)
        values, wrong = columns.number(batch[name])
        infinite = np.abs(values) >= LARGEST
        if infinite.any():
            values = np.where(infinite, np.nan, values)
        if wrong := wrong + int(infinite.sum()):
            invalid[name] = wrong
        return values

    if spec.task == "regression":
        return Outputs(np.zeros((rows, 0)), numbers(spec.prediction), numbers(spec.label)), invalid
    scores = np.column_stack([numbers(name) for name in spec.scores.values()])
    for place, name in enumerate(spec.scores.values()):
        strange = (scores[:, place] < 0) | (scores[:, place] > 1)
        if strange.any():
            invalid[name] = invalid.get(name, 0) + int(strange.sum())
            scores[strange, place] = np.nan
    if spec.task == "binary" and spec.prediction is None:
        predicted = np.where(np.isnan(scores[:, 0]), UNKNOWN, scores[:, 0] >= THRESHOLD)
    else:
        predicted = classes(spec, batch.get(spec.prediction or ""), rows)
    return Outputs(scores, predicted.astype(np.int32), classes(spec, batch.get(spec.label or ""), rows)), invalid


def truth(spec: Spec, array: pa.Array, rows: int) -> np.ndarray:
    """The labels of a column as `Outputs` has them."""
    if spec.task != "regression":
        return classes(spec, array, rows)
    values, _ = columns.number(array)
    return np.where(np.abs(values) < LARGEST, values, np.nan)


def classes(spec: Spec, array: pa.Array | None, rows: int) -> np.ndarray:
    """The numbers of the classes that a column of labels or predictions names."""
    if array is None:
        return np.full(rows, UNKNOWN, np.int32)
    distinct, codes = columns.text(array)
    if spec.task == "binary":
        positive = positives(spec)
        known = [int(each in positive) for each in distinct]
    else:
        places = {name: place for place, name in enumerate(spec.scores)}
        known = [places.get(each, len(places)) for each in distinct]
    return np.array([*known, UNKNOWN], np.int32)[codes]


def positives(spec: Spec) -> frozenset[str]:
    """How the positive class of a binary model may be written."""
    written = columns.written(spec.positive)
    return frozenset({"1", "true", "True"} if written in ("1", "true") else {str(written)})
