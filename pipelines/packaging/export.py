"""From a fitted model to ONNX, with an input for each kind of feature and one output."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from config.features import Feature
from pipelines.container import StepError
from pipelines.packaging import boosters


def export(fitted: Any, features: Sequence[Feature]) -> bytes:
    """The ONNX model: its output is the probability of each class, or the value of a regression.

    Its inputs are two matrices, `numbers` and `categories`, each with its features in order; a model without features
    of a kind has no such input. Raises StepError where the model has no conversion.
    """
    try:
        exported = _convert(copy.deepcopy(fitted), features)
    except Exception as error:
        reason = str(error).partition("\n")[0]  # what follows lists every estimator that has a conversion
        raise StepError(f"the fitted model cannot be exported to ONNX: {type(error).__name__}: {reason}") from error
    if is_classifier(fitted):
        del exported.graph.output[0]  # the label: it follows from the probabilities
    exported.opset_import.sort(key=lambda opset: opset.domain)  # else their order changes from run to run
    return exported.SerializeToString()


def _convert(model: Any, features: Sequence[Feature]) -> Any:
    readers = list(_readers(model))
    inputs = [
        _Input(name, kind, own, any(_shuffles(reader, own) for reader in readers))
        for name, kind, own in (
            ("numbers", FloatTensorType, [feature.name for feature in features if feature.type == "number"]),
            ("categories", StringTensorType, [feature.name for feature in features if feature.type == "category"]),
        )
        if own
    ]
    if len(inputs) > 1 and not readers:
        raise ValueError("it reads numbers and categories as one table; begin it with a ColumnTransformer")
    for reader in readers:
        _read_by_place(reader, inputs)
    last = model[-1] if isinstance(model, Pipeline) else model
    _narrow_thresholds(last)
    boosters.register()
    boosters.prepare(last)
    exported: Any = convert_sklearn(
        model,
        "model",
        [(given.name, given.kind([None, given.width])) for given in inputs],
        options={id(model): {"zipmap": False}} if is_classifier(model) else None,
        target_opset=boosters.OPSET if boosters.is_booster(last) else None,
    )
    for declared, given in zip(exported.graph.input, inputs, strict=True):
        declared.type.tensor_type.shape.dim[1].dim_value = len(given.columns)
    return exported


class _Input(NamedTuple):
    """One matrix; its conversion takes it for wider than it is where one transformer reads all of it in another order.

    skl2onnx 1.20 hands on an input as it is, shuffled or not, to whatever reads as many columns as it has.
    """

    name: str
    kind: type
    columns: list[str]
    shuffled: bool

    @property
    def width(self) -> int:
        return len(self.columns) + self.shuffled


def _readers(model: Any) -> Iterator[ColumnTransformer]:
    """The column transformers that read the table itself."""
    match model:
        case ColumnTransformer():
            yield model
        case Pipeline():
            yield from _readers(model.steps[0][1])
        case FeatureUnion():
            for _name, part in model.transformer_list:
                yield from _readers(part)


def _read(reader: ColumnTransformer) -> dict[str, list[str]]:
    """The columns that each part reads, by their names."""
    names = list(reader.feature_names_in_)
    indices = reader._transformer_to_input_indices  # noqa: SLF001  names, places, masks and slices, all resolved
    return {part: [names[index] for index in indices[part]] for part, _, _ in reader.transformers_}


def _shuffles(reader: ColumnTransformer, columns: Sequence[str]) -> bool:
    read = ([name for name in names if name in columns] for names in _read(reader).values())
    return any(sorted(names) == sorted(columns) and names != columns for names in read)


def _read_by_place(reader: ColumnTransformer, inputs: Sequence[_Input]) -> None:
    """Lets *reader* take its columns by their place, as skl2onnx counts them through all inputs."""
    starts = accumulate((given.width for given in inputs), initial=0)
    places = {
        name: start + place
        for start, given in zip(starts, inputs, strict=False)
        for place, name in enumerate(given.columns)
    }
    read = _read(reader)
    reader.transformers_ = [
        (part, estimator, [places[name] for name in read[part]]) for part, estimator, _ in reader.transformers_
    ]


def _narrow_thresholds(model: Any) -> None:
    """Lets boosted trees compare with 32-bit thresholds, rounded down: on 32-bit numbers they answer the same.

    skl2onnx 1.20 rounds them to the nearest instead, so that a number just above a threshold goes the wrong way.
    """
    for predictors in getattr(model, "_predictors", ()):
        for tree in predictors:
            tree.nodes["num_threshold"] = boosters.below(tree.nodes["num_threshold"])
