"""The contract of a model that has no code of its own: its exported form and its signature suffice."""

from __future__ import annotations

from model_server import media, payload, schema
from model_server.contract import Answer
from model_server.scoring import OnnxModel
from model_server.signature import Signature


class Exported:
    """Decodes, checks, scores and encodes."""

    quick = True

    def __init__(self, model: OnnxModel) -> None:
        self._model = model

    def answer(self, body: bytes, content_type: str, accept: str) -> Answer:
        kind = media.negotiate(accept, asked=media.spoken(content_type))
        predictions = self._model.score(read(self._model.signature, body, content_type))
        return Answer(kind, payload.encode(predictions, kind), len(predictions))


def read(signature: Signature, body: bytes, content_type: str) -> schema.Columns:
    """The checked columns of a body; raises Refused."""
    return schema.check(signature, payload.decode(signature.names, body, content_type))
