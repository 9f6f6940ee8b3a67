"""What a model says about each row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_server.signature import Label, Signature


@dataclass(frozen=True)
class Predictions:
    """The answers to a table of rows.

    `scores` has for a classifier the probability of each class (rows x classes), for a regression the value (rows).
    """

    signature: Signature
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def values(self) -> list[Label]:
        """The predicted value or class of each row; on a tie the class that comes first."""
        if self.signature.task == "regression":
            return self.scores.tolist()
        return [self.signature.classes[place] for place in self.scores.argmax(axis=1).tolist()]

    def records(self) -> list[dict[str, Any]]:
        """One object per row, as JSON answers hold them."""
        values = self.values()
        match self.signature.task:
            case "binary":
                positive = self.scores[:, 1].tolist()
                return [{"probability": p, "prediction": value} for p, value in zip(positive, values, strict=True)]
            case "multiclass":
                names = [str(label) for label in self.signature.classes]
                return [
                    {"probabilities": dict(zip(names, row, strict=True)), "prediction": value}
                    for row, value in zip(self.scores.tolist(), values, strict=True)
                ]
            case "regression":
                return [{"prediction": value} for value in values]

    def lines(self) -> Iterable[tuple[Any, ...]]:
        """One tuple per row, as CSV answers hold them: the columns are `signature.outputs`."""
        values = self.values()
        match self.signature.task:
            case "binary":
                return zip(self.scores[:, 1].tolist(), values, strict=True)
            case "multiclass":
                return ((*row, value) for row, value in zip(self.scores.tolist(), values, strict=True))
            case "regression":
                return ((value,) for value in values)
