"""SageMaker's four functions: `model_fn`, `input_fn`, `predict_fn`, `output_fn`, each with a default."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import orjson

from model_server import media, payload, signature
from model_server.contract import Answer
from model_server.errors import BadRequest, PackageError
from model_server.exported import read
from model_server.predictions import Predictions
from model_server.scoring import OnnxModel
from model_server.signature import Signature


class Scripted:
    """A model whose author gives some of the four functions in `code/inference.py`.

    A function that is missing is ours. As in AWS's own containers, `input_fn` gets JSON and CSV as text and all else as
    bytes, `output_fn` gets the Accept header, and may return a pair of body and content type.
    """

    quick = False

    def __init__(self, folder: Path, script: ModuleType) -> None:
        self._functions: dict[str, Callable[..., Any]] = vars(script)
        self._signature = Signature.read(folder) if (folder / signature.FILE).exists() else None
        if self._signature is None and not {"model_fn", "input_fn"} <= self._functions.keys():
            raise PackageError(
                f"the package has no {signature.FILE}, so its inference.py must give model_fn and input_fn; add them"
            )
        own = self._functions.get("model_fn")
        self._one_at_a_time = threading.Lock()
        self._model = own(str(folder)) if own else OnnxModel.read(folder)

    def answer(self, body: bytes, content_type: str, accept: str) -> Answer:
        # AWS's containers too call the functions of one process one after the other.
        with self._one_at_a_time:
            return self._answer(body, content_type, accept)

    def _answer(self, body: bytes, content_type: str, accept: str) -> Answer:
        data = self._input(body, content_type)
        prediction = self._functions.get("predict_fn", _predict)(data, self._model)
        if "output_fn" not in self._functions:
            return _encode(prediction, media.negotiate(accept, asked=media.spoken(content_type)))
        wanted = media.JSON if accept in ("", "*/*") else accept
        written = self._functions["output_fn"](prediction, wanted)
        content, kind = written if isinstance(written, tuple) else (written, wanted)
        return Answer(kind, content.encode() if isinstance(content, str) else bytes(content), None)

    def _input(self, body: bytes, content_type: str) -> Any:
        if "input_fn" in self._functions:
            # What an author's parser raises on a body that it cannot read is the caller's fault, as in our own.
            try:
                return self._functions["input_fn"](_as_aws_gives_it(body, content_type), content_type)
            except ValueError as error:
                raise BadRequest("malformed", f"the body cannot be read: {error}") from error
        assert self._signature is not None
        columns = read(self._signature, body, content_type)
        return columns if isinstance(self._model, OnnxModel) else np.concatenate(list(columns.values()), axis=1)


def _as_aws_gives_it(body: bytes, content_type: str) -> str | bytes:
    return body.decode() if content_type.partition(";")[0].strip().lower() in media.TYPES else body


def _predict(data: Any, model: Any) -> Any:
    return model.score(data) if isinstance(model, OnnxModel) else model.predict(data)


def _encode(prediction: Any, kind: str) -> Answer:
    """Our own predictions in our own form, anything else as AWS's containers write arrays."""
    if isinstance(prediction, Predictions):
        return Answer(kind, payload.encode(prediction, kind), len(prediction))
    rows = np.asarray(prediction).tolist()
    match kind:
        case media.CSV:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(row if isinstance(row, list) else [row] for row in rows)
            return Answer(kind, text.getvalue().encode(), len(rows))
        case media.JSON_LINES:
            return Answer(kind, b"".join(orjson.dumps(row) + b"\n" for row in rows), len(rows))
        case _:
            return Answer(kind, orjson.dumps(rows), len(rows))
