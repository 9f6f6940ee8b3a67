"""The one path by which serving, batch and evaluation score rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from model_server.predictions import Predictions
from model_server.signature import Signature

Columns = Mapping[str, np.ndarray]
"""By feature, rows x 1: numbers as float32 with NaN for null, categories as texts with "" for null."""


class Rows(NamedTuple):
    """Checked rows: float32 of rows x numbers with NaN for null, texts of rows x categories with "" for null."""

    numbers: np.ndarray
    categories: np.ndarray

    def __len__(self) -> int:  # rows, not fields
        return len(self.numbers)


class Engine(Protocol):
    """Computes the probability of each class (rows x classes), or the value of a regression (rows, or rows x 1)."""

    def __call__(self, rows: Rows) -> np.ndarray: ...


class Model:
    """An engine and what it reads and answers; `batch_engine` takes over from `signature.batch_from` rows on."""

    def __init__(self, signature: Signature, engine: Engine, batch_engine: Engine | None = None) -> None:
        self.signature = signature
        self._engine = engine
        self._batch_engine = batch_engine or engine
        self._batch_from = signature.batch_from or 0

    @classmethod
    def read(cls, folder: Path) -> Model:
        """Reads the model of an unpacked package; raises PackageError."""
        from model_server import engines  # noqa: PLC0415  the engines know this module's types

        signature = Signature.read(folder)
        return cls(signature, *engines.read(signature, folder))

    def score(self, columns: Columns) -> Predictions:
        """The model's answer to each row of checked columns; raises ArithmeticError when one is not finite."""
        return Predictions(self.signature, self.scores(matrices(self.signature, columns)))

    def scores(self, rows: Rows) -> np.ndarray:
        """As `Predictions.scores` has them; raises ArithmeticError when one is not finite."""
        engine = self._batch_engine if len(rows.numbers) >= self._batch_from else self._engine
        scores = engine(rows)
        if not np.isfinite(scores).all():
            raise ArithmeticError("the model answered with a number that is not finite")
        return scores.reshape(-1) if self.signature.task == "regression" else scores


def matrices(signature: Signature, columns: Columns) -> Rows:
    """The same rows, each kind of feature in one matrix."""
    count = len(next(iter(columns.values())))
    numbers = [columns[feature.name] for feature in signature.numbers]
    categories = [columns[feature.name] for feature in signature.categories]
    return Rows(
        np.hstack(numbers).astype(np.float32, copy=False) if numbers else np.empty((count, 0), np.float32),
        np.hstack(categories).astype(object, copy=False) if categories else np.empty((count, 0), object),
    )


def columns(signature: Signature, rows: Rows) -> Columns:
    """The same rows, feature by feature in the signature's order."""
    by_name = {feature.name: rows.numbers[:, [place]] for place, feature in enumerate(signature.numbers)}
    by_name |= {feature.name: rows.categories[:, [place]] for place, feature in enumerate(signature.categories)}
    return {name: by_name[name] for name in signature.names}
