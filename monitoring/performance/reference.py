"""What a baseline knows of a model's performance, and how a period's is estimated and realized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from monitoring.features.categorical import Categorical
from monitoring.frame import Feature
from monitoring.outputs import Outputs
from monitoring.performance import sampling
from monitoring.performance.calibration import Calibration, calibrated
from monitoring.performance.outcomes import MOST_SCORES, Outcomes, one_hot
from monitoring.performance.residuals import Residuals
from monitoring.performance.sampling import Sampling
from monitoring.performance.trees import Trees

_FEWEST_LOSSES, _LARGEST_ERROR = 2, 1e19
FEW_SCORES = 1 << 12
"""A segment's distinct scores; it is one of many."""


@dataclass(frozen=True)
class Classifier:
    """A classifier's calibration for each class, and the chance in its metrics."""

    classes: tuple[str, ...]
    calibrations: tuple[Calibration, ...]
    sampling: Sampling

    @classmethod
    def fit(cls, classes: Sequence[str], outputs: Outputs) -> Classifier:
        """From the reference's outputs; without labels nothing can be estimated."""
        truth = one_hot(outputs.labels, len(classes))
        if not (outputs.labels >= 0).any():
            return cls(tuple(classes), (), Sampling({}))
        each = tuple(Calibration.fit(outputs.scores[:, place], truth[:, place]) for place in range(len(classes)))
        return cls(tuple(classes), each, sampling.of_classifier(outputs))

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Classifier:
        """From a baseline's JSON."""
        each = tuple(Calibration.parse(one) for one in body["calibrations"])
        return cls(tuple(body["classes"]), each, Sampling.parse(body["sampling"]))

    def body(self) -> dict[str, Any]:
        """The same as JSON."""
        each = [one.body() for one in self.calibrations]
        return {"classes": list(self.classes), "calibrations": each, "sampling": self.sampling.body()}

    def start(self, *, segment: bool = False) -> Outcomes:
        """Nothing counted yet."""
        return Outcomes(self.classes, FEW_SCORES if segment else MOST_SCORES)

    def expect(self, features: Mapping[str, np.ndarray], outputs: Outputs) -> np.ndarray | None:
        """How probable each class is (rows x classes); None where the reference had no labels."""
        del features
        return calibrated(list(self.calibrations), outputs.scores) if self.calibrations else None

    def loss(self, outputs: Outputs) -> np.ndarray:
        """Whether each row was right (1 or 0); NaN where that is not known."""
        known = (outputs.labels >= 0) & (outputs.predicted >= 0)
        return np.where(known, outputs.labels == outputs.predicted, np.nan)


@dataclass(frozen=True)
class Regression:
    """A regression's models of its own losses, and the chance in its metrics.

    The loss models are LightGBM's text; they read the features in the spec's order and then the prediction.
    """

    features: Mapping[str, Feature] = field(repr=False)
    centre: float
    absolute: str = field(repr=False)
    squared: str = field(repr=False)
    sampling: Sampling

    @classmethod
    def fit(cls, features: Mapping[str, Feature], columns: Mapping[str, np.ndarray], outputs: Outputs) -> Regression:
        """From the reference's features, outputs and labels; without labels nothing can be estimated."""
        known = np.abs(outputs.labels - outputs.predicted) < _LARGEST_ERROR
        some = outputs.where(known)
        centre = float(some.predicted.mean()) if known.any() else 0.0
        if known.sum() < _FEWEST_LOSSES:
            return cls(features, centre, "", "", Sampling({}))
        errors = some.labels - some.predicted
        unfitted = cls(features, centre, "", "", sampling.of_regression(errors, some.labels))
        inputs = unfitted.inputs({name: column[known] for name, column in columns.items()}, some)
        absolute, squared = (_loss_model(features, inputs, target) for target in (np.abs(errors), errors**2))
        return cls(features, centre, absolute, squared, unfitted.sampling)

    @classmethod
    def parse(cls, body: Mapping[str, Any], features: Mapping[str, Feature]) -> Regression:
        """From a baseline's JSON."""
        return cls(features, body["centre"], body["absolute"], body["squared"], Sampling.parse(body["sampling"]))

    def body(self) -> dict[str, Any]:
        """The same as JSON."""
        said = {name: getattr(self, name) for name in ("centre", "absolute", "squared")}
        return said | {"sampling": self.sampling.body()}

    def start(self, *, segment: bool = False) -> Residuals:
        """Nothing counted yet."""
        del segment
        return Residuals(self.centre)

    def expect(self, features: Mapping[str, np.ndarray], outputs: Outputs) -> np.ndarray | None:
        """Each row's expected absolute and squared error (rows x 2); None where the reference had no labels."""
        if not self.absolute:
            return None
        inputs = self.inputs(features, outputs)
        return np.column_stack([np.maximum(model(inputs), 0) for model in self._models])

    def loss(self, outputs: Outputs) -> np.ndarray:
        """Each row's absolute error; NaN where it is not known."""
        return np.abs(outputs.labels - outputs.predicted)

    def inputs(self, features: Mapping[str, np.ndarray], outputs: Outputs) -> list[np.ndarray]:
        """The columns that the loss models read."""
        each = [
            _codes(feature)[features[name]] if isinstance(feature, Categorical) else features[name]
            for name, feature in self.features.items()
        ]
        return [*each, outputs.predicted]

    @cached_property
    def _models(self) -> tuple[Trees, Trees]:
        return Trees(self.absolute), Trees(self.squared)


Reference = Classifier | Regression


def _codes(feature: Categorical) -> np.ndarray:
    """The code of each cell: 1 and up by the text's order, with nulls where their name would be; 0 was never seen."""
    null = "NML_missing_value"
    ordered = sorted([*feature.categories, *([null] if feature.nulls else [])])
    code = {category: float(place + 1) for place, category in enumerate(ordered)}
    return np.array([*(code[category] for category in feature.categories), 0.0, code.get(null, 0.0)])


def _loss_model(features: Mapping[str, Feature], inputs: Sequence[np.ndarray], target: np.ndarray) -> str:
    from lightgbm import LGBMRegressor  # noqa: PLC0415  only where a baseline is fitted

    categorical = [place for place, each in enumerate(features.values()) if isinstance(each, Categorical)]
    fitted = LGBMRegressor(verbose=-1).fit(np.column_stack(inputs), target, categorical_feature=categorical)
    # What follows the trees are the parameters of the fit, which nothing reads again.
    return fitted.booster_.model_to_string().split("end of trees")[0]
