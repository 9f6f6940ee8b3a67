"""How right a classifier was: counted against labels, or expected from calibrated probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from monitoring.counting.grid import Grid
from monitoring.counting.tally import Groups, Part, Sums
from monitoring.counting.values import Values
from monitoring.outputs import UNKNOWN, Outputs
from monitoring.performance import curves

Kind = Literal["estimated", "realized"]
"""By probabilities, or by labels."""

MOST_SCORES = 1 << 17
"""A period with more distinct scores than this has them in as many cells as the grid has."""

KINDS: tuple[Kind, ...] = ("estimated", "realized")

_GRID = Grid(np.linspace(0, 1, 10_001))


class Outcomes:
    """A classifier's outcomes by period, one class against the rest.

    Rows come with the truth about each class: how probable it is, 1 or 0 where labels are known, or both. Both add up
    in the same way, so a performance is estimated or realized by the same sums. A binary model has one class.
    """

    def __init__(self, classes: Sequence[str], most: int = MOST_SCORES) -> None:
        self.classes = tuple(classes)
        by_class = [f"{part}/{name}" for name in self.classes for part in ("predicted", "hit", "true")]
        self._sums = {kind: Sums(("n", "hit", *by_class)) for kind in KINDS}
        # For each kind how many rows have a truth, and how much of it is of the class.
        self._ranks = [Values(_GRID, most, 2 * len(KINDS)) for _ in self.classes]

    def add(self, groups: Groups, outputs: Outputs, expected: np.ndarray | None, *, labelled: bool = True) -> None:
        """Adds rows with the probability of each class (rows x classes), where there is one, and their labels."""
        truths = {"estimated": expected, "realized": one_hot(outputs.labels, len(self.classes)) if labelled else None}
        weights = np.zeros((len(self.classes), 2 * len(KINDS), len(outputs)))
        for place, kind in enumerate(KINDS):
            truth = truths[kind]
            if truth is not None:
                known = np.asarray(~np.isnan(truth).any(axis=1))
                self._judge(self._sums[kind], groups, outputs.predicted, truth, known)
                weights[:, 2 * place] = known
                weights[:, 2 * place + 1] = np.where(known, truth.T, 0)
        ranked = np.asarray(~np.isnan(outputs.scores).any(axis=1) & weights[0, ::2].any(axis=0))
        some = groups.where(ranked)
        for values, scores, each in zip(self._ranks, outputs.scores.T, weights, strict=True):
            values.add(some, scores[ranked], each[:, ranked])

    def _judge(self, sums: Sums, groups: Groups, predicted: np.ndarray, truth: np.ndarray, known: np.ndarray) -> None:
        binary = len(self.classes) == 1
        judged = np.asarray(known & (predicted >= 0))
        some, truths, said = groups.where(judged), truth[judged], predicted[judged]
        sums.add(some, {"n": np.ones(len(said))})
        hit = np.zeros(len(said))
        for place, name in enumerate(self.classes):
            yes = said == (1 if binary else place)
            hits = np.where(yes, truths[:, place], 0.0)
            hit += hits
            if binary:
                hit += np.where(yes, 0.0, 1 - truths[:, place])
            added = {"predicted": yes.astype(float), "hit": hits, "true": truths[:, place]}
            sums.add(some, {f"{part}/{name}": each for part, each in added.items()})
        sums.add(some, {"hit": hit})

    def parts(self) -> dict[str, Part]:
        """What adds up, by name."""
        parts: dict[str, Part] = dict(self._sums.items())
        return parts | {f"rank/{name}": each for name, each in zip(self.classes, self._ranks, strict=True)}

    def rows(self, period: int, kind: Kind) -> float:
        """How many rows have a truth of the kind, and a prediction or at least a score."""
        return self._sums[kind].of(period)["n"] or float(self._rank(self._ranks[0], period, kind)[0].sum())

    def confusion(self, period: int, kind: Kind) -> dict[str, float]:
        """The confusion matrix of a binary model."""
        [(hits, false, missed, rest)] = self._matrices(self._sums[kind].of(period))
        return {"true_positive": hits, "false_positive": false, "false_negative": missed, "true_negative": rest}

    def metrics(self, period: int, kind: Kind) -> dict[str, float]:
        """Every metric, over classes the plain mean; NaN where it is not defined.

        Realized ones that are about the positive class, or about several, are not where labels or predictions are all
        of one class.
        """
        sums = self._sums[kind].of(period)
        found = dict.fromkeys((*_FORMULAS, "accuracy"), np.nan)
        if sums["n"]:
            matrices = self._matrices(sums)
            found = {name: float(np.mean([formula(*each) for each in matrices])) for name, formula in _FORMULAS.items()}
            found["accuracy"] = sums["hit"] / sums["n"]
            if kind == "realized" and self._one_sided(sums):
                found |= dict.fromkeys(("precision", "recall", "f1"), np.nan)
                if len(self.classes) > 1:
                    found |= dict.fromkeys(("specificity", "accuracy"), np.nan)
                elif sums[f"true/{self.classes[0]}"] == sums["n"]:
                    found["specificity"] = np.nan
        areas = [_AREAS[kind](*self._rank(values, period, kind)) for values in self._ranks]
        found["roc_auc"], found["average_precision"] = np.mean(areas, axis=0).tolist()
        return found

    def is_exact(self, period: int) -> bool:
        """Whether the areas under curves are those of all rows, not of cells."""
        return all(values.is_exact(period) for values in self._ranks)

    def _rank(self, values: Values, period: int, kind: Kind) -> tuple[np.ndarray, np.ndarray]:
        _, weights = values.of(period)
        place = 2 * KINDS.index(kind)
        counts, true = weights[place : place + 2]
        some = counts > 0
        return (counts, true) if some.all() else (counts[some], true[some])

    def _matrices(self, sums: Mapping[str, float]) -> list[tuple[float, float, float, float]]:
        matrices = []
        for name in self.classes:
            predicted, hit, true = (sums[f"{part}/{name}"] for part in ("predicted", "hit", "true"))
            matrices.append((hit, predicted - hit, true - hit, sums["n"] - predicted - true + hit))
        return matrices

    def _one_sided(self, sums: Mapping[str, float]) -> bool:
        for part in ("predicted", "true"):
            shares = [sums[f"{part}/{name}"] for name in self.classes]
            if max(shares) == sums["n"] or (len(shares) == 1 and shares[0] == 0):
                return True
        return False


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """The truth about each class (rows x classes): 1 or 0, NaN where there is no label."""
    numbers = np.arange(classes) if classes > 1 else np.array([1])
    truth = (labels[:, np.newaxis] == numbers).astype(float)
    truth[labels == UNKNOWN] = np.nan
    return truth


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


_FORMULAS: dict[str, Callable[[float, float, float, float], float]] = {
    "precision": lambda hits, false, _missed, _rest: _ratio(hits, hits + false),
    "recall": lambda hits, _false, missed, _rest: _ratio(hits, hits + missed),
    "f1": lambda hits, false, missed, _rest: _ratio(hits, hits + (false + missed) / 2),
    "specificity": lambda _hits, false, _missed, rest: _ratio(rest, rest + false),
}


def _realized_areas(counts: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    return curves.roc_auc(counts, true), curves.average_precision(counts, true)


_AREAS: Mapping[Kind, Callable[[np.ndarray, np.ndarray], tuple[float, float]]] = {
    "estimated": curves.expected_areas,
    "realized": _realized_areas,
}
