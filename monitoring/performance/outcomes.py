"""How right a classifier was: counted against labels, or expected from calibrated probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from monitoring.counting.grid import Grid
from monitoring.counting.tally import Groups, Part, Sums
from monitoring.counting.values import Values
from monitoring.outputs import UNKNOWN, Outputs
from monitoring.performance import curves

MOST_SCORES = 1 << 17
"""A period with more distinct scores than this has them in as many cells as the grid has."""

_GRID = Grid(np.linspace(0, 1, 10_001))


class Outcomes:
    """A classifier's outcomes by period, one class against the rest.

    Rows come with the truth about each class: 1 or 0 where labels are known, else how probable it is. Both add up in
    the same way, so a performance is realized or estimated by the same sums. A binary model has one class.
    """

    def __init__(self, classes: Sequence[str], most: int = MOST_SCORES) -> None:
        self.classes = tuple(classes)
        by_class = [f"{part}/{name}" for name in self.classes for part in ("predicted", "hit", "true")]
        self.sums = Sums(("n", "hit", *by_class))
        self.ranks = [Values(_GRID, most) for _ in self.classes]

    def estimate(self, groups: Groups, outputs: Outputs, expected: np.ndarray) -> None:
        """Adds rows with the probability of each class (rows x classes)."""
        self._add(groups, outputs.scores, outputs.predicted, expected)

    def realize(self, groups: Groups, outputs: Outputs) -> None:
        """Adds rows with their labels."""
        self._add(groups, outputs.scores, outputs.predicted, one_hot(outputs.labels, len(self.classes)))

    def _add(self, groups: Groups, scores: np.ndarray, predicted: np.ndarray, truth: np.ndarray) -> None:
        """A row with NaN in scores or truth is left out where that matters."""
        binary = len(self.classes) == 1
        known = ~np.isnan(truth).any(axis=1)
        judged = np.asarray(known & (predicted >= 0))
        some, truths, said = groups.where(judged), truth[judged], predicted[judged]
        self.sums.add(some, {"n": np.ones(len(said))})
        hit = np.zeros(len(said))
        for place, name in enumerate(self.classes):
            yes = said == (1 if binary else place)
            hits = np.where(yes, truths[:, place], 0.0)
            hit += hits
            if binary:
                hit += np.where(yes, 0.0, 1 - truths[:, place])
            self.sums.add(some, {f"predicted/{name}": yes.astype(float), f"hit/{name}": hits})
            self.sums.add(some, {f"true/{name}": truths[:, place]})
        self.sums.add(some, {"hit": hit})
        ranked = np.asarray(known & ~np.isnan(scores).any(axis=1))
        some = groups.where(ranked)
        for place, values in enumerate(self.ranks):
            values.add(some, scores[ranked, place], truth[ranked, place])

    def parts(self) -> dict[str, Part]:
        """What adds up, by name."""
        parts: dict[str, Part] = {"sums": self.sums}
        return parts | {f"rank/{name}": each for name, each in zip(self.classes, self.ranks, strict=True)}

    def periods(self) -> list[int]:
        """The periods that have rows."""
        return sorted({*self.sums.periods(), *(period for values in self.ranks for period in values.periods())})

    def rows(self, period: int) -> float:
        """How many rows have a truth, and a prediction or at least a score."""
        return self.sums.of(period)["n"] or float(self.ranks[0].of(period)[1].sum())

    def confusion(self, period: int) -> dict[str, float]:
        """The confusion matrix of a binary model."""
        [(hits, false, missed, rest)] = self._matrices(period)
        return {"true_positive": hits, "false_positive": false, "false_negative": missed, "true_negative": rest}

    def metrics(self, period: int, *, realized: bool) -> dict[str, float]:
        """Every metric, over classes the plain mean; NaN where it is not defined.

        Realized metrics are not defined where labels or predictions are all of one class.
        """
        matrices = np.array(self._matrices(period))
        sums = self.sums.of(period)
        found = dict.fromkeys((*_FORMULAS, "accuracy"), np.nan)
        if sums["n"] and not (realized and self._one_sided(period)):
            found = {name: float(np.mean([formula(*each) for each in matrices])) for name, formula in _FORMULAS.items()}
            found["accuracy"] = sums["hit"] / sums["n"]
        areas = [self._areas(values, period, realized=realized) for values in self.ranks]
        found["roc_auc"], found["average_precision"] = np.mean(areas, axis=0).tolist()
        return found

    def _areas(self, values: Values, period: int, *, realized: bool) -> tuple[float, float]:
        _, counts, true = values.of(period)
        if realized:
            return curves.roc_auc(counts, true), curves.average_precision(counts, true)
        return curves.expected_areas(counts, true)

    def _matrices(self, period: int) -> list[tuple[float, float, float, float]]:
        sums = self.sums.of(period)
        matrices = []
        for name in self.classes:
            predicted, hit, true = (sums[f"{part}/{name}"] for part in ("predicted", "hit", "true"))
            matrices.append((hit, predicted - hit, true - hit, sums["n"] - predicted - true + hit))
        return matrices

    def _one_sided(self, period: int) -> bool:
        sums = self.sums.of(period)
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
