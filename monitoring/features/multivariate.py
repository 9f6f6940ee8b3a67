"""How far a period's rows are from the plane in which most of the reference's variance lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitoring.features.categorical import Categorical
from monitoring.features.numeric import LARGEST, Numeric

VARIANCE = 0.65
"""The part of the reference's variance that the kept components have at least."""

_ROWS = 1 << 15
_SINGLE_THREADED = 1 << 18
"""Multiplications up to which OpenBLAS stays in one thread."""


@dataclass(frozen=True)
class Multivariate:
    """Principal components of the encoded and standardized features, and what they leave out.

    A numeric feature enters as its value, a null as the mean; a categorical one as the reference's share of its
    category, where null is a category of its own and an unseen one has the share 0. `rest` (components x features) are
    the directions left out, divided by the features' standard deviations: their length is a row's reconstruction
    error, without the cancellation of subtracting what is kept from what there was.
    """

    means: np.ndarray
    rest: np.ndarray

    @classmethod
    def fit(cls, features: Sequence[Numeric | Categorical], columns: Sequence[np.ndarray]) -> Multivariate | None:
        """The components from one pass over the reference's columns, of which only cross-products are added up.

        None where no feature varies.
        """
        means = np.array([_mean(feature) for feature in features])
        cross, count = np.zeros((len(features), len(features))), len(columns[0])
        for block in _blocks(columns):
            for part in _parts(_centred(features, block, means), cross.size):
                cross += part @ part.T
        variances = np.diag(cross) / count
        scales = np.sqrt(np.where(variances > np.finfo(float).eps * 10 * np.maximum(means**2, 1e-300), variances, 1))
        values, vectors = np.linalg.eigh(cross / count / np.outer(scales, scales))
        if values.sum() <= 0:
            return None
        order = np.argsort(values)[::-1]
        explained = np.cumsum(values[order]) / values.sum()
        kept = int(np.searchsorted(explained, VARIANCE, "right")) + 1
        return cls(means, vectors[:, order[kept:]].T / scales)

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Multivariate:
        """The components from a baseline's JSON."""
        means = np.array(body["means"], np.float64)
        return cls(means, np.array(body["rest"], np.float64).reshape(-1, len(means)))

    def body(self) -> dict[str, Any]:
        """The same as JSON."""
        return {"means": self.means.tolist(), "rest": self.rest.tolist()}

    def errors(self, features: Sequence[Numeric | Categorical], columns: Sequence[np.ndarray]) -> np.ndarray:
        """Each row's reconstruction error; columns are values of numeric features and cells of categorical ones."""
        parts = []
        for block in _blocks(columns):
            centred = _centred(features, block, self.means)
            for part in _parts(centred, self.rest.size):
                projected = self.rest @ part
                parts.append(np.sqrt(np.einsum("ij,ij->j", projected, projected)))
        return np.concatenate(parts) if parts else np.zeros(0)


def _mean(feature: Numeric | Categorical) -> float:
    return feature.mean if isinstance(feature, Numeric) else float((feature.shares**2).sum())


def _blocks(columns: Sequence[np.ndarray]) -> Iterable[Sequence[np.ndarray]]:
    for start in range(0, len(columns[0]), _ROWS):
        yield [column[start : start + _ROWS] for column in columns]


def _parts(centred: np.ndarray, products: int) -> Iterable[np.ndarray]:
    """Columns so few that the linear algebra library does not start threads, which spin longer than the work takes."""
    step = max(_SINGLE_THREADED // max(products, 1), 1)
    for start in range(0, centred.shape[1], step):
        yield centred[:, start : start + step]


def _centred(features: Sequence[Numeric | Categorical], columns: Sequence[np.ndarray], means: np.ndarray) -> np.ndarray:
    """The encoded columns less their means: features x rows."""
    encoded = np.empty((len(columns), len(columns[0])))
    for row, feature, column, mean in zip(encoded, features, columns, means, strict=True):
        if isinstance(feature, Categorical):
            np.take(feature.shares, column, out=row)
        else:
            row[:] = column
            row[~(np.abs(row) < LARGEST)] = mean
        np.subtract(row, mean, out=row)
    return encoded
