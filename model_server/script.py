"""SageMaker's four functions: `model_fn`, `input_fn`, `predict_fn`, `output_fn`, each with a default."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from model_server import arrays, media, openapi, predictions, signature
from model_server.bodies.pieces import Whole
from model_server.bodies.reader import Reader
from model_server.contract import Answer, Request, one_by_one
from model_server.errors import BadRequest, PackageError
from model_server.predictions import Predictions
from model_server.schema import check
from model_server.scoring import Columns, Model, Rows, columns
from model_server.signature import Signature
from model_server.times import Times


class Scripted:
    """A model whose author gives some of the four functions in `code/inference.py`.

    A function that is missing is ours where the package has a signature, else that of AWS's containers. As there,
    `input_fn` gets JSON and CSV as text and all else as bytes, `output_fn` gets the Accept header, and may return a
    pair of body and content type.
    """

    quick = False

    def __init__(self, folder: Path, script: ModuleType) -> None:
        self.times = Times()
        self.busy_since: float | None = None
        self._functions: dict[str, Callable[..., Any]] = vars(script)
        self._signature = Signature.read(folder) if (folder / signature.FILE).exists() else None
        own = self._functions.get("model_fn")
        if self._signature is None and own is None:
            raise PackageError(f"the package has no {signature.FILE}, so its inference.py must give model_fn; add it")
        self._one_at_a_time = threading.Lock()
        self._model = own(str(folder)) if own else Model.read(folder)

    def answer(self, request: Request) -> Answer:
        """The answer to one request; raises Refused."""
        # AWS's containers too call the functions of one process one after the other.
        with self._one_at_a_time:
            self.busy_since = time.monotonic()
            try:
                return self._answer(request)
            finally:
                self.busy_since = None

    def answer_many(self, requests: Sequence[Request]) -> list[Answer | Exception]:
        """Each request's answer, or the exception that it met."""
        return one_by_one(self.answer, requests)

    def exchange(self, request: Request) -> ScriptExchange:
        """For a body that still arrives: the functions get all of it."""
        return ScriptExchange(self, request)

    def describe(self) -> dict[str, Any] | None:
        """The OpenAPI schema of requests and answers, where none of them is the script's own."""
        own = self._signature is None or not {"input_fn", "predict_fn", "output_fn"}.isdisjoint(self._functions)
        return None if own or self._signature is None else openapi.bodies(self._signature)

    def _answer(self, request: Request) -> Answer:
        data = self._input(request.body, request.content_type)
        prediction = self._functions.get("predict_fn", _predict)(data, self._model)
        if "output_fn" not in self._functions:
            return _encode(prediction, request)
        wanted = media.JSON if request.accept in ("", "*/*") else request.accept
        written = self._functions["output_fn"](prediction, wanted)
        content, kind = written if isinstance(written, tuple) else (written, wanted)
        return Answer(kind, content.encode() if isinstance(content, str) else bytes(content))

    def _input(self, body: bytes, content_type: str) -> Any:
        if "input_fn" in self._functions:
            # What an author's parser raises on a body that it cannot read is the caller's fault, as in our own.
            try:
                return self._functions["input_fn"](_as_aws_gives_it(body, content_type), content_type)
            except ValueError as error:
                raise BadRequest("malformed", f"the body cannot be read: {error}") from error
        if self._signature is None:
            return arrays.read(body, content_type)
        given = _columns(self._signature, body, content_type)
        return given if isinstance(self._model, Model) else np.concatenate(list(given.values()), axis=1)


class ScriptExchange:
    """Collects a body, and has the script answer it."""

    def __init__(self, script: Scripted, request: Request) -> None:
        self._script = script
        self._request = request
        self._whole = Whole()

    def pieces(self, more: bytes, *, last: bool) -> Iterable[bytes]:
        """All of the body, at its end."""
        return self._whole.cut(more, last=last)

    def part(self, piece: bytes) -> Answer:
        """The script's answer; raises Refused."""
        return self._script.answer(self._request._replace(body=piece))

    def settled(self, part: Answer) -> bool:  # noqa: ARG002  the protocol's
        """Never: there is one part."""
        return False

    def finish(self, parts: Sequence[Answer]) -> Answer:
        """The same."""
        return parts[0]


def _as_aws_gives_it(body: bytes, content_type: str) -> str | bytes:
    return body.decode() if content_type.partition(";")[0].strip().lower() in media.TEXTUAL else body


def _columns(signature: Signature, body: bytes, content_type: str) -> Columns:
    pieces = Reader(signature, content_type).pieces(body, last=True)
    rows = [check(signature, table).rows for piece in pieces for table in piece.tables()]
    if not any(len(part.numbers) for part in rows):
        raise BadRequest("no_rows", "the body has no rows; send at least one")
    return columns(signature, Rows(*(np.concatenate(parts) for parts in zip(*rows, strict=True))))


def _predict(data: Any, model: Any) -> Any:
    return model.score(data) if isinstance(model, Model) else model.predict(data)


def _encode(prediction: Any, request: Request) -> Answer:
    """Our own predictions in our own form, anything else as AWS's containers write arrays."""
    kind = media.negotiate(request.accept, asked=media.spoken(request.content_type)).type
    if isinstance(prediction, Predictions) and kind in media.TEXTUAL:
        return Answer(kind, predictions.body(prediction.fragments(kind), kind, request.id), len(prediction))
    return arrays.write(prediction.numbers() if isinstance(prediction, Predictions) else prediction, kind)
