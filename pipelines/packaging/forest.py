"""The trees of an exported model, in the form that answers many rows at once (model_server/forest.py)."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper

from pipelines.container import StepError

MOST_LEAVES = 64
_LARGEST_TABLES = 16 << 20
_LINKS = {"NONE": "none", "LOGISTIC": "logistic", "SOFTMAX": "softmax"}


class Exported(NamedTuple):
    """The forest, and the exported model's part before its trees; None where they read the row's own numbers."""

    forest: bytes
    before: bytes | None


def export(exported: bytes) -> Exported:
    """The trees of a model of ONNX; raises StepError with the reason where they are not of the kind that is known."""
    model = onnx.load_from_string(exported)
    trees = [node for node in model.graph.node if node.op_type.startswith("TreeEnsemble")]
    if len(trees) != 1 or trees[0].op_type not in ("TreeEnsembleClassifier", "TreeEnsembleRegressor"):
        raise StepError(f"the exported model has {len(trees)} ensembles of trees; a forest is made of one")
    [node] = trees
    same = {each.output[0]: each.input[0] for each in model.graph.node if each.op_type == "Identity"}
    answer = model.graph.output[0].name
    while answer in same:
        answer = same[answer]
    if answer not in node.output:
        raise StepError("the exported model's answer is not that of its trees, but is made of it")
    ensemble = _Ensemble(node)
    content = io.BytesIO()
    np.savez_compressed(content, **ensemble.arrays())
    numbers = next(iter(node.input))
    return Exported(content.getvalue(), None if numbers == "numbers" else _before(model, numbers))


class _Ensemble:
    """An ensemble of trees as its node describes it: arrays of all trees' nodes, a row each."""

    def __init__(self, node: Any) -> None:
        said: dict[str, Any] = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        self._trees, self._nodes, self._features = (
            np.array(said[f"nodes_{name}"]) for name in ("treeids", "nodeids", "featureids")
        )
        self._values = np.array(said["nodes_values"], np.float32)
        self._true, self._false = (np.array(said[f"nodes_{side}nodeids"]) for side in ("true", "false"))
        self._modes = [mode.decode() for mode in said["nodes_modes"]]
        self._null_is_true = np.array(said.get("nodes_missing_value_tracks_true") or [0] * len(self._trees), bool)
        kind = "class" if "class_weights" in said else "target"
        places = zip(said[f"{kind}_treeids"], said[f"{kind}_nodeids"], strict=True)
        votes = dict(zip(places, zip(said[f"{kind}_ids"], said[f"{kind}_weights"], strict=True), strict=True))
        if len(votes) != len(said[f"{kind}_weights"]):
            raise StepError("a leaf of the trees votes for several classes")
        self._votes: Mapping[tuple[int, int], tuple[int, float]] = votes
        self._row = {
            place: row for row, place in enumerate(zip(self._trees.tolist(), self._nodes.tolist(), strict=True))
        }
        self._base = np.array(said.get("base_values") or [0.0] * len({label for label, _ in votes.values()}))
        self._link = _LINKS.get(said.get("post_transform", b"NONE").decode(), "")
        self._labels = len(said.get("classlabels_int64s") or said.get("classlabels_strings") or ())
        if unknown := set(self._modes) - {"BRANCH_LEQ", "BRANCH_LT", "LEAF"}:
            raise StepError(f"the trees compare by {', '.join(sorted(unknown))}; known are BRANCH_LEQ and BRANCH_LT")
        if said.get("aggregate_function", b"SUM") != b"SUM" or not self._link:
            raise StepError("the trees' answers are not a sum with a known link")
        # A number is below a threshold where it is at most the next smaller one.
        below = np.array([mode == "BRANCH_LT" for mode in self._modes])
        self._values[below] = np.nextafter(self._values[below], np.float32(-np.inf))

    def arrays(self) -> dict[str, Any]:
        """What `model_server.forest.Forest` reads."""
        order, starts = self._order()
        branches = np.array([mode != "LEAF" for mode in self._modes])
        cuts = [np.unique(self._values[branches & (self._features == place)]) for place in range(self._width(branches))]
        most = max(Counter(self._trees[~branches].tolist()).values())
        if most > MOST_LEAVES:
            raise StepError(f"a tree has {most} leaves; allowed are {MOST_LEAVES}")
        bits = np.uint32 if most <= 32 else np.uint64
        size = sum(len(each) + 2 for each in cuts) * len(order) * bits().nbytes
        if size > _LARGEST_TABLES:
            raise StepError(f"its tables would take {size >> 20} MB; allowed are {_LARGEST_TABLES >> 20}")
        tables = [np.full((len(each) + 2, len(order)), ~bits(0)) for each in cuts]
        leaves = np.zeros((len(order), most), np.float32)
        for column, tree in enumerate(order):
            self._fill(tree, column, cuts, tables, leaves[column])
        return {
            "cuts": np.concatenate(cuts),
            "edges": np.cumsum([0, *map(len, cuts)]),
            "possible": np.concatenate(tables),
            "leaves": leaves,
            "starts": np.array(starts),
            "base": self._base,
            "link": np.array(self._link),
        }

    def _width(self, branches: np.ndarray) -> int:
        return int(self._features[branches].max(initial=-1)) + 1

    def _order(self) -> tuple[Sequence[int], Sequence[int]]:
        """The trees by the class that they vote for, and where each class begins."""
        voted: dict[int, set[int]] = {}
        for (tree, _), (label, _) in self._votes.items():
            voted.setdefault(tree, set()).add(label)
        if any(len(labels) > 1 for labels in voted.values()):
            raise StepError("the leaves of a tree vote for different classes")
        labels = {tree: next(iter(each)) for tree, each in voted.items()}
        classes = sorted(set(labels.values()))
        known = {"none": not self._labels, "logistic": len(classes) == 1, "softmax": len(classes) > 1}
        if not known[self._link]:
            raise StepError(f"{len(classes)} sums of trees are joined by {self._link}, which is not known")
        if len(self._base) != len(classes):
            raise StepError(f"{len(classes)} sums of trees begin with {len(self._base)} values")
        order = sorted(labels, key=lambda tree: (labels[tree], tree))
        return order, [next(place for place, tree in enumerate(order) if labels[tree] == each) for each in classes]

    def _fill(
        self, tree: int, column: int, cuts: Sequence[np.ndarray], tables: Sequence[np.ndarray], leaves: np.ndarray
    ) -> None:
        count = 0

        def visit(node: int) -> int:
            """The bits of the leaves below a node, which are numbered from left to right."""
            nonlocal count
            row = self._row[tree, node]
            if self._modes[row] == "LEAF":
                leaves[count] = self._votes[tree, node][1]
                count += 1
                return 1 << (count - 1)
            left = visit(int(self._true[row]))
            place = int(self._features[row])
            goes_left = np.concatenate([cuts[place] <= self._values[row], [False, self._null_is_true[row]]])
            tables[place][~goes_left, column] &= ~tables[place].dtype.type(left)
            return left | visit(int(self._false[row]))

        visit(0)


def _before(model: Any, numbers: str) -> bytes:
    """The part of the model that makes the trees' numbers."""
    part = onnx.ModelProto()
    part.CopyFrom(model)
    wanted, nodes = {numbers}, []
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            nodes.append(node)
    del part.graph.node[:], part.graph.output[:]
    part.graph.node.extend(reversed(nodes))
    part.graph.output.append(helper.make_tensor_value_info(numbers, TensorProto.FLOAT, [None, None]))
    unused = [each for each in part.graph.input if each.name not in wanted]
    for each in unused:
        part.graph.input.remove(each)
    return part.SerializeToString()
