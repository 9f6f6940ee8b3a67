"""The exported model, computed by ONNX Runtime: the one path by which serving, batch and evaluation score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from model_server.errors import PackageError
from model_server.predictions import Predictions
from model_server.schema import Columns
from model_server.signature import Signature

FILE = "model.onnx"


class OnnxModel:
    """A model of one output, with one input for each feature."""

    def __init__(self, signature: Signature, exported: bytes) -> None:
        self.signature = signature
        self._session = onnxruntime.InferenceSession(exported, _options(), providers=["CPUExecutionProvider"])
        (output,) = self._session.get_outputs()
        self._output = [output.name]

    @classmethod
    def read(cls, folder: Path) -> OnnxModel:
        """Reads the model of an unpacked package; raises PackageError."""
        signature = Signature.read(folder)
        try:
            exported = (folder / FILE).read_bytes()
        except FileNotFoundError as error:
            raise PackageError(f"{folder} has no {FILE}; unpack a released model.tar.gz there") from error
        return cls(signature, exported)

    def score(self, columns: Columns) -> Predictions:
        """The model's answer to each row of checked columns; raises ArithmeticError when one is not finite."""
        scores = np.asarray(self._session.run(self._output, dict(columns))[0])
        if not np.isfinite(scores).all():
            raise ArithmeticError("the model answered with a number that is not finite")
        return Predictions(self.signature, scores.reshape(-1) if self.signature.task == "regression" else scores)


def _options() -> onnxruntime.SessionOptions:
    # One thread each: the server runs requests side by side, and threads of one would spin against those of another.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options
