"""What computes a model's answers: ONNX Runtime, or the library that fitted it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model_server.errors import PackageError
from model_server.forest import Forest
from model_server.scoring import Engine, Rows, columns
from model_server.signature import Signature

ONNX_FILE = "model.onnx"
NATIVE_FILE = "model.skops"
FOREST_FILE = "forest.npz"
BEFORE_FILE = "forest_before.onnx"

_LIBRARIES = ("sklearn.", "lightgbm.", "xgboost.")
_ALSO = {
    "collections.OrderedDict",
    "collections.defaultdict",
    "functools.partial",
    "numpy.dtype",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines.BSpline",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "sklearn.utils.validation.check_array",
}
"""What else fitted estimators hold, such as HistGradientBoosting with categorical features and SplineTransformer."""


def read(signature: Signature, folder: Path) -> tuple[Engine, Engine | None]:
    """The engine of an unpacked package, and the one for large batches where that is another; raises PackageError."""
    if signature.engine == "native":
        return Native(signature, folder / NATIVE_FILE), None
    onnx = Onnx(_content(folder / ONNX_FILE))
    match signature.batch_engine:
        case "native":
            return onnx, Native(signature, folder / NATIVE_FILE)
        case "forest":
            before = folder / BEFORE_FILE
            return onnx, Forest(_content(folder / FOREST_FILE), Onnx(_content(before)) if before.exists() else None)
    return onnx, None


class Onnx:
    """An exported model of one output; its inputs are `numbers` and `categories`, or the one that it needs."""

    def __init__(self, exported: bytes) -> None:
        # Else, from its import on, a thread of its reports to its makers, and leaves an identifier on the disk.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime  # noqa: PLC0415  a native model does without

        # One thread each: the server runs requests side by side, and threads of one would spin against another's.
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(exported, options, providers=["CPUExecutionProvider"])
        (output,) = session.get_outputs()
        self._inputs = tuple(given.name for given in session.get_inputs())
        self._outputs = [output.name]
        self._run = session.run

    def __call__(self, rows: Rows) -> np.ndarray:
        feed = {name: getattr(rows, name) for name in self._inputs}
        return np.asarray(self._run(self._outputs, feed)[0])


class Categorical:
    """Makes columns of pandas that know all of a feature's values, seen or not, with "" for null where it may be."""

    def __init__(self, values: Sequence[str], *, nullable: bool) -> None:
        import pandas as pd  # noqa: PLC0415  only the native engine needs it, and only its image has it

        known = ["", *values] if nullable and "" not in values else [*values]
        self._places = {value: place for place, value in enumerate(known)}
        # Plain objects: what else pandas makes of texts depends on whether PyArrow is there.
        self._type = pd.CategoricalDtype(pd.Index(known, dtype=object))
        self._from_codes = pd.Categorical.from_codes

    def column(self, texts: np.ndarray) -> Any:
        """*texts* as a pandas.Categorical; one that is no value of the feature is missing."""
        return self._from_codes([self._places.get(text, -1) for text in texts.tolist()], dtype=self._type)


class Fitted:
    """A fitted estimator, asked with a table of the kind that it was fitted on."""

    def __init__(self, signature: Signature, estimator: Any) -> None:
        import pandas as pd  # noqa: PLC0415  as above

        self._signature = signature
        self._frame = pd.DataFrame
        self._answer = estimator.predict if signature.task == "regression" else estimator.predict_proba
        self._categories: dict[str, Categorical] = {}
        if signature.categories and not self._takes_texts():
            self._categories = {
                feature.name: Categorical(feature.values, nullable=feature.nullable) for feature in signature.categories
            }

    def __call__(self, rows: Rows) -> np.ndarray:
        named: dict[str, Any] = {name: column[:, 0] for name, column in columns(self._signature, rows).items()}
        named |= {name: category.column(named[name]) for name, category in self._categories.items()}
        return np.asarray(self._answer(self._frame(named)))

    def _takes_texts(self) -> bool:
        """Whether the estimator encodes texts itself; LightGBM and XGBoost read nothing but pandas' own categories."""
        row = np.array([[feature.values[0] for feature in self._signature.categories]], dtype=object)
        try:
            self(Rows(np.zeros((1, len(self._signature.numbers)), np.float32), row))
        except (TypeError, ValueError):
            return False
        return True


class Native(Fitted):
    """The fitted estimator itself, from a file that holds no code."""

    def __init__(self, signature: Signature, file: Path) -> None:
        _content(file)
        try:
            super().__init__(signature, _load(file))
        except ModuleNotFoundError as error:
            raise PackageError(
                f"this package runs on its native library, and {error.name} is not in this image; "
                "serve it with the image target serving-native"
            ) from error


def _load(file: Path) -> Any:
    import skops.io  # noqa: PLC0415  as above

    unknown = skops.io.get_untrusted_types(file=file)
    foreign = [name for name in unknown if name not in _ALSO and not _is_library_class(name)]
    if foreign:
        raise PackageError(f"{NATIVE_FILE} holds {', '.join(foreign)}; keep to scikit-learn, LightGBM and XGBoost")
    estimator: Any = skops.io.load(file, trusted=unknown)
    if hasattr(estimator, "get_params"):  # one thread each, as above
        threads = [name for name in estimator.get_params() if name.rpartition("__")[2] == "n_jobs"]
        estimator.set_params(**dict.fromkeys(threads, 1))
    return estimator


def _is_library_class(name: str) -> bool:
    """Whether *name* is a class of one of the libraries; a function of theirs could be made to run by loading."""
    module, _, attribute = name.rpartition(".")
    if not name.startswith(_LIBRARIES):
        return False
    found = getattr(importlib.import_module(module), attribute, None)
    return isinstance(found, type) and found.__module__ == module


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise PackageError(f"{file.parent} has no {file.name}; unpack a released model.tar.gz there") from error
