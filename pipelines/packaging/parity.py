"""Whether the packaged model says what the fitted one says: conversion is sometimes silently wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import onnx

from config.features import Feature, Number
from model_server.engines import Fitted
from model_server.scoring import Columns
from model_server.scoring import Model as Packaged
from pipelines.container import StepError
from pipelines.rows.columns import values

TOLERANCE = {"binary": 1e-6, "multiclass": 1e-6, "regression": 1e-5}
"""The largest difference of a probability; for a regression, in proportion to the value or to the values' spread.

A sum of trees in 32 bits is as exact as its largest terms: near zero its error is in proportion to these, not to it.
"""

_SAMPLE = 2000
_ROWS_EACH = 5
_EDGES = 2000
_UNSEEN = "~unseen~"


@dataclass(frozen=True)
class Parity:
    """What the gate has measured; `by_probe` has the largest difference for each kind of rows."""

    rows: int
    largest_difference: float
    tolerance: float
    by_probe: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def gate(fitted: Any, model: Packaged, probes: Iterator[tuple[str, Columns]]) -> Parity:
    """Compares the two on every probe; raises StepError where they differ by more than the task's tolerance.

    The first probe is of ordinary rows: it tells the spread of a regression's values.
    """
    reference = Packaged(model.signature, Fitted(model.signature, fitted))
    tolerance = TOLERANCE[model.signature.task]
    rows = 0
    by_probe: dict[str, float] = {}
    spread = 0.0
    for probe, columns in probes:
        expected = _scores("fitted", reference, probe, columns)
        spread = spread or float(expected.std()) or 1.0
        difference = _difference(expected, _scores("packaged", model, probe, columns), spread)
        largest = float(difference.max())
        if largest > tolerance:
            raise StepError(_sentence(probe, difference, tolerance))
        rows += len(difference)
        by_probe[probe] = max(by_probe.get(probe, 0.0), largest)
    return Parity(rows, max(by_probe.values()), tolerance, by_probe)


def probes(features: Sequence[Feature], columns: Columns, exported: bytes = b"") -> Iterator[tuple[str, Columns]]:
    """Training rows, and rows on which conversions are known to fail.

    Every category, an unseen one, nulls, and numbers on and beside the thresholds of the exported model's trees.
    """
    rows = len(next(iter(columns.values())))
    chosen = np.random.default_rng(0).permutation(rows)[:_SAMPLE]
    sample = {name: column[chosen] for name, column in columns.items()}
    yield "sample", sample
    thresholds = _thresholds(exported)
    for feature in features:
        if isinstance(feature, Number):
            edges = _edges(feature, thresholds)
            yield "threshold edges", _with(sample, feature.name, edges.reshape(-1, 1))
            if feature.nullable:
                yield "nulls", _with(sample, feature.name, np.full((_ROWS_EACH, 1), np.nan, dtype=np.float32))
        else:
            texts = np.array(values(feature) * _ROWS_EACH, dtype=object)
            yield "every category", _with(sample, feature.name, texts.reshape(-1, 1))
            yield "unseen category", _with(sample, feature.name, np.full((_ROWS_EACH, 1), _UNSEEN, dtype=object))


def _with(sample: Columns, name: str, column: np.ndarray) -> Columns:
    """As many rows of the sample as *column* has, with *column* in the place of one feature."""
    rows = np.arange(len(column)) % len(next(iter(sample.values())))
    return {**{other: part[rows] for other, part in sample.items()}, name: column}


def _edges(feature: Number, thresholds: np.ndarray) -> np.ndarray:
    """Numbers on and next to the thresholds of any tree, and the ends of the range; at most 3 x 2000."""
    bounds = [bound for bound in (feature.minimum, feature.maximum) if bound is not None]
    spread = thresholds[np.linspace(0, len(thresholds) - 1, min(len(thresholds), _EDGES)).astype(int)]
    at = np.concatenate([spread, np.array([*bounds, 0.0], dtype=np.float32)])
    edges = np.concatenate([at, np.nextafter(at, np.float32(-np.inf)), np.nextafter(at, np.float32(np.inf))])
    least = -np.inf if feature.minimum is None else feature.minimum
    most = np.inf if feature.maximum is None else feature.maximum
    return edges[(edges >= least) & (edges <= most)]


def _thresholds(exported: bytes) -> np.ndarray:
    """Every threshold of every tree ensemble in the model, in order."""
    attributes = (attribute for node in onnx.load_from_string(exported).graph.node for attribute in node.attribute)
    values = [value for attribute in attributes if attribute.name == "nodes_values" for value in attribute.floats]
    return np.unique(np.array(values, dtype=np.float32))


def _scores(which: str, model: Packaged, probe: str, columns: Columns) -> np.ndarray:
    try:
        return model.score(columns).scores
    except Exception as error:  # the libraries have no type of error in common
        raise StepError(
            f"the {which} model cannot answer rows with {probe}: {error}; make it ignore or encode them"
        ) from error


def _difference(expected: np.ndarray, got: np.ndarray, spread: float) -> np.ndarray:
    difference = np.abs(expected - got)
    return difference.max(axis=1) if expected.ndim == 2 else difference / np.maximum(spread, np.abs(expected))


def _sentence(probe: str, difference: np.ndarray, tolerance: float) -> str:
    wrong = int((difference > tolerance).sum())
    return (
        f"the packaged model differs from the fitted one by up to {difference.max():.2g} on {wrong} of "
        f"{len(difference)} rows ({probe}), and {tolerance:g} is allowed"
    )
