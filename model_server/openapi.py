"""What this very model reads and answers, as an OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model_server import media
from model_server.signature import Category, Feature, Label, Signature

Json = dict[str, Any]

_BINARY: Json = {"type": "string", "format": "binary"}
_ID: Json = {"type": "string", "description": "of this answer, to join labels by: the InferenceId, or a new one"}
_ERROR: Json = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string", "description": "for programs"},
        "message": {"type": "string", "description": "for people: what is wrong, the value, what is allowed"},
        "field": {"type": "string"},
        "row": {"type": "integer", "minimum": 0, "description": "the first row is 0"},
    },
}
_FAULTS = {
    400: "the body can't be read",
    406: "no type of answer is acceptable",
    408: "the request took too long to arrive",
    413: "the body is too large",
    415: "the content type is unknown",
    422: "a row breaks the schema",
    431: "the headers are too large",
    500: "the model failed",
    503: "starting or draining, or too many connections",
}


def document(bodies: Json | None) -> Json:
    """The document for a model whose requests and answers are *bodies*; None where only the model's code knows."""
    request, answer = (bodies["request"], bodies["answer"]) if bodies else ({"*/*": {}}, {"*/*": {}})
    healthy = {"200": {"description": "healthy"}, "503": _fault(503)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "SageMaker container", "version": "1"},
        "paths": {
            "/ping": {"get": {"summary": "Whether the model answers", "responses": healthy}},
            "/invocations": {
                "post": {
                    "summary": "Predictions for one or more rows",
                    "requestBody": {"required": True, "content": request},
                    "responses": {
                        "200": {"description": "one prediction for each row, in order", "content": answer},
                        **{str(status): _fault(status) for status in _FAULTS},
                    },
                }
            },
            "/execution-parameters": _get("What batch transform may send at once"),
            "/metrics": _get("Prometheus metrics of all workers", "text/plain"),
            "/openapi.json": _get("This document"),
        },
    }


def bodies(signature: Signature) -> Json:
    """The schemas of requests and answers by content type."""
    row = _row(signature)
    listed: Json = {"type": "array", "prefixItems": list(row["properties"].values()), "items": False}
    rows: Json = {"type": "array", "minItems": 1, "items": {"anyOf": [row, listed]}}
    document = {"type": "object", "required": ["instances"], "properties": {"instances": rows}}
    columns = f"columns: {', '.join(signature.names)}; a header is optional"
    outputs = f"columns: {', '.join(signature.outputs)}; no header"
    answers = {
        "type": "object",
        "required": ["predictions"],
        "properties": {"predictions": {"type": "array", "items": _answer(signature)}, "id": _ID},
    }
    return {"request": _content(document, columns), "answer": _content(answers, outputs)}


def _content(document: Json, lines: str) -> Json:
    texts = {media.JSON: document, media.CSV: {"type": "string", "description": lines}}
    return {kind: {"schema": texts.get(kind, _BINARY)} for kind in media.TYPES}


def _row(signature: Signature) -> Json:
    properties = {feature.name: _feature(feature) for feature in signature.features}
    return {"type": "object", "required": list(signature.names), "properties": properties}


def _feature(feature: Feature) -> Json:
    null = ["null"] if feature.nullable else []
    if isinstance(feature, Category):
        return {"type": ["string", *null], "enum": [*feature.values, *([None] if feature.nullable else [])]}
    bounds = {"minimum": feature.minimum, "maximum": feature.maximum}
    return {"type": ["number", *null], **{name: bound for name, bound in bounds.items() if bound is not None}}


def _answer(signature: Signature) -> Json:
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    label = {"enum": list(signature.classes)} if signature.classes else {"type": "number"}
    properties: Mapping[str, Json] = {
        "binary": {"probability": probability, "prediction": label},
        "multiclass": {
            "probabilities": {"type": "object", "properties": {_text(each): probability for each in signature.classes}},
            "prediction": label,
        },
        "regression": {"prediction": label},
    }[signature.task]
    flags = {"flags": {"type": "array", "items": _ERROR}}
    answered = {"type": "object", "required": list(properties), "properties": {**properties, **flags}}
    return {"anyOf": [answered, {"type": "object", "required": ["error"], "properties": {"error": _ERROR}}]}


def _text(label: Label) -> str:
    return str(label)


def _get(summary: str, kind: str = media.JSON) -> Json:
    return {"get": {"summary": summary, "responses": {"200": {"description": "always", "content": {kind: {}}}}}}


def _fault(status: int) -> Json:
    return {"description": _FAULTS[status], "content": {media.JSON: {"schema": _ERROR}}}
