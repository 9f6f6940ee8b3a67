"""Answers of a gradient boosting model in LightGBM's text form, by NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from monitoring.errors import MonitoringError

_CATEGORICAL, _DEFAULT_LEFT, _NAN_IS_MISSING = 1, 2, 8
_MOST_LEAVES = 32
_ROWS = 1 << 15


class Trees:
    """The sum of a forest's trees for many rows at once.

    A feature's values fall into the bins between all its thresholds (a category is its own bin), and for a tree and a
    feature each bin knows, as bits, which leaves it leaves possible. Of the leaves that all features leave possible
    the leftmost is the row's (Lucchese et al., QuickScorer, SIGIR 2015): a few look-ups a tree, without walking it.
    """

    def __init__(self, model: str) -> None:
        blocks = model.partition("end of trees")[0].split("Tree=")[1:]
        if not blocks:
            raise MonitoringError("the loss model has no trees; fit the baseline again")
        trees = [_tree(block) for block in blocks]
        self._cuts: dict[int, np.ndarray] = {}
        self._most: dict[int, int] = {}
        for split in (split for tree in trees for split in tree.splits):
            if split.categories is None:
                self._cuts[split.feature] = np.append(self._cuts.get(split.feature, []), split.threshold)
            else:
                last = int(split.categories.max(initial=-1))
                self._most[split.feature] = max(self._most.get(split.feature, 0), last + 1)
        self._cuts = {feature: np.unique(each) for feature, each in self._cuts.items()}
        self._trees = [(tree.leaves, self._tables(tree)) for tree in trees]

    def __call__(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        """The model's value for each row; columns are float64 in the order of training, categories their codes."""
        rows = len(columns[0])
        parts = [self._some([each[at : at + _ROWS] for each in columns]) for at in range(0, rows, _ROWS)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _some(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        bins = {feature: self._bins(feature, columns[feature]) for feature in (*self._cuts, *self._most)}
        total = np.zeros(len(columns[0]))
        for leaves, tables in self._trees:
            if not tables:
                total += leaves[0]
                continue
            possible = np.bitwise_and.reduce([table[bins[feature]] for feature, table in tables])
            total += leaves[np.bitwise_count((possible & -possible) - np.uint32(1))]
        return total

    def _bins(self, feature: int, column: np.ndarray) -> np.ndarray:
        if feature in self._most:
            most = self._most[feature]
            with np.errstate(invalid="ignore"):
                return np.where((column >= 0) & (column < most), column, most).astype(np.intp)
        cuts = self._cuts[feature]
        bins = np.searchsorted(cuts, column, "left")
        bins[np.isnan(column)] = len(cuts) + 1
        return bins

    def _tables(self, tree: _Tree) -> Sequence[tuple[int, np.ndarray]]:
        tables: dict[int, np.ndarray] = {}
        for split in tree.splits:
            left = self._goes_left(split)
            table = tables.setdefault(split.feature, np.full(len(left), ~np.uint32(0)))
            table[~left] &= ~np.uint32(split.below)
        return list(tables.items())

    def _goes_left(self, split: _Split) -> np.ndarray:
        if split.categories is not None:
            return np.isin(np.arange(self._most[split.feature] + 1), split.categories)
        cuts = self._cuts[split.feature]
        left = np.empty(len(cuts) + 2, bool)
        left[:-1] = np.append(cuts, np.inf) <= split.threshold
        # Where training saw no null, LightGBM takes one for 0.
        left[-1] = split.default_left if split.nan_is_missing else split.threshold >= 0
        return left


@dataclass(frozen=True)
class _Split:
    feature: int
    threshold: float
    default_left: bool
    nan_is_missing: bool
    categories: np.ndarray | None
    """The codes that go left, where the feature is categorical."""
    below: int
    """The leaves below the left child, as bits."""


@dataclass(frozen=True)
class _Tree:
    leaves: np.ndarray
    """The leaves' values from left to right."""
    splits: Sequence[_Split]


def _tree(block: str) -> _Tree:
    fields = dict(line.split("=", 1) for line in block.strip().splitlines() if "=" in line)
    values = _numbers(fields["leaf_value"], np.float64)
    if len(values) == 1:
        return _Tree(values, ())
    if len(values) > _MOST_LEAVES:
        raise MonitoringError(f"a tree of the loss model has {len(values)} leaves; allowed are {_MOST_LEAVES}")
    order, below = _from_left_to_right(fields)
    features, kinds = _numbers(fields["split_feature"], int), _numbers(fields["decision_type"], int)
    thresholds = _numbers(fields["threshold"], np.float64)
    sets = _category_sets(fields)
    splits = [
        _Split(
            feature=int(features[node]),
            threshold=float(thresholds[node]),
            default_left=bool(kinds[node] & _DEFAULT_LEFT),
            nan_is_missing=bool(kinds[node] & _NAN_IS_MISSING),
            categories=sets[int(thresholds[node])] if kinds[node] & _CATEGORICAL else None,
            below=below[node],
        )
        for node in range(len(features))
    ]
    return _Tree(values[order], splits)


def _from_left_to_right(fields: Mapping[str, str]) -> tuple[list[int], dict[int, int]]:
    """The leaves in their order, and for each node the bits of those below its left child. A child -k is leaf k - 1."""
    left, right = _numbers(fields["left_child"], int), _numbers(fields["right_child"], int)
    order: list[int] = []
    below: dict[int, int] = {}

    def visit(child: int) -> int:
        if child < 0:
            order.append(~child)
            return 1 << (len(order) - 1)
        below[child] = visit(int(left[child]))
        return below[child] | visit(int(right[child]))

    visit(0)
    return order, below


def _category_sets(fields: Mapping[str, str]) -> list[np.ndarray]:
    if not int(fields["num_cat"]):
        return []
    bounds = _numbers(fields["cat_boundaries"], int)
    words = _numbers(fields["cat_threshold"], np.uint32).astype("<u4")
    bits = (words[first:last].view(np.uint8) for first, last in pairwise(bounds))
    return [np.flatnonzero(np.unpackbits(each, bitorder="little")) for each in bits]


def _numbers(text: str, kind: type) -> np.ndarray:
    return np.array(text.split(), kind)
