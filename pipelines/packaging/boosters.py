"""What skl2onnx has to be told of LightGBM and XGBoost."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from skl2onnx import get_latest_tested_opset_version, update_registered_converter
from skl2onnx.common.shape_calculator import (
    calculate_linear_classifier_output_shapes,
    calculate_linear_regressor_output_shapes,
)

OPSET = {"": get_latest_tested_opset_version(), "ai.onnx.ml": 3}
"""The newest operators that the converters of these libraries know."""

_THRESHOLDS = re.compile(r"^threshold=(.*)$", re.MULTILINE)
_SIZES = re.compile(r"^tree_sizes=.*\n", re.MULTILINE)


def is_booster(estimator: Any) -> bool:
    """Whether the estimator is of one of the two libraries."""
    return type(estimator).__module__.split(".")[0] in ("lightgbm", "xgboost")


def register() -> None:
    """Makes skl2onnx convert estimators of the libraries that are in use; others are not imported for it."""
    if "lightgbm" in sys.modules:
        from lightgbm import LGBMClassifier, LGBMRegressor  # noqa: PLC0415
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm  # noqa: PLC0415

        _register(LGBMClassifier, LGBMRegressor, convert_lightgbm, {"split": None})
    if "xgboost" in sys.modules:
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost  # noqa: PLC0415
        from xgboost import XGBClassifier, XGBRegressor  # noqa: PLC0415

        _register(XGBClassifier, XGBRegressor, convert_xgboost, {})


def _register(classifier: type, regressor: type, convert: Callable[..., Any], options: dict[str, Any]) -> None:
    shapes = calculate_linear_classifier_output_shapes
    choices = {"zipmap": [True, False, "columns"], "nocl": [True, False]}
    update_registered_converter(classifier, classifier.__name__, shapes, convert, options=choices)
    shapes = calculate_linear_regressor_output_shapes
    update_registered_converter(regressor, regressor.__name__, shapes, convert, options=options)


def prepare(estimator: Any) -> None:
    """Changes *estimator* so that it answers as before, and its conversion answers the same.

    LightGBM compares with 64-bit thresholds, which its converter rounds to the nearest of 32 bits; here they are
    rounded down, with the same effect on 32-bit numbers. The converter of XGBoost reads no names of columns.
    """
    match type(estimator).__module__.split(".")[0]:
        case "lightgbm":
            from lightgbm import Booster  # noqa: PLC0415

            # Without the sizes of its trees the text is read from one to the next.
            text = _SIZES.sub("", estimator.booster_.model_to_string())
            estimator._Booster = Booster(model_str=_THRESHOLDS.sub(_narrowed, text))  # noqa: SLF001
        case "xgboost":
            estimator.get_booster().feature_names = None


def below(numbers: np.ndarray) -> np.ndarray:
    """The largest 32-bit numbers that are not above *numbers*."""
    nearest = numbers.astype(np.float32)
    return np.where(nearest > numbers, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _narrowed(line: re.Match[str]) -> str:
    thresholds = below(np.array(line[1].split(), np.float64))
    return "threshold=" + " ".join(map(repr, thresholds.astype(np.float64).tolist()))
