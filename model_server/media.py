"""Content types: what a body is, and what the caller wants back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from model_server.errors import BadRequest, NotAcceptable, UnsupportedType

JSON = "application/json"
JSON_LINES = "application/jsonlines"
CSV = "text/csv"
NPY = "application/x-npy"
PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"
TYPES = (JSON, JSON_LINES, CSV, NPY, PARQUET, ARROW)
TEXTUAL = (JSON, JSON_LINES, CSV)

_ALIASES = {
    "application/jsonl": JSON_LINES,
    "application/x-jsonlines": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/csv": CSV,
    "application/x-parquet": PARQUET,
    "application/parquet": PARQUET,
    "application/x-apache-arrow-stream": ARROW,
}
_CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii")


class Wanted(NamedTuple):
    """The type of the answer, and whether rows that break the schema leave the others their answers."""

    type: str
    partial: bool


def content_type(header: str) -> tuple[str, Mapping[str, str]]:
    """The body's type and its parameters; raises UnsupportedType."""
    kind, parameters = _parse(header)
    if kind not in TYPES:
        got = f"is {header!r}" if header else "is missing"
        raise UnsupportedType("content_type", f"Content-Type {got}; send one of: {', '.join(TYPES)}")
    charset = parameters.get("charset", "utf-8")
    if charset not in _CHARSETS:
        raise UnsupportedType("charset", f"charset is {charset!r}; send the body in utf-8")
    return kind, parameters


def spoken(header: str) -> str:
    """The body's type where it is one of ours, else JSON: what a caller without a wish is answered in."""
    kind, _ = _parse(header)
    return kind if kind in TYPES else JSON


def negotiate(accept: str, asked: str) -> Wanted:
    """What *accept* prefers, on a tie the type *asked* in; `partial=true` beside a type asks for partial results.

    Raises NotAcceptable.
    """
    parsed = [(kind, parameters) for kind, parameters in map(_parse, accept.split(",")) if kind]
    ranges = {kind: _quality(parameters) for kind, parameters in parsed} or {"*/*": 1.0}
    offers = dict.fromkeys((asked, *TYPES))
    quality = {offer: _first(ranges, (offer, offer.split("/")[0] + "/*", "*/*")) for offer in offers}
    best = max(offers, key=quality.__getitem__)
    if quality[best] <= 0:
        raise NotAcceptable("accept", f"Accept is {accept!r}; this model answers in: {', '.join(TYPES)}")
    return Wanted(best, any(parameters.get("partial") == "true" for _, parameters in parsed))


def _parse(header: str) -> tuple[str, Mapping[str, str]]:
    kind, *parameters = header.split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    name = kind.strip().lower()
    return _ALIASES.get(name, name), {key.strip().lower(): value.strip(' "').lower() for key, _, value in pairs}


def _quality(parameters: Mapping[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError as error:
        raise BadRequest("accept", f"q is {parameters['q']!r} in Accept; write a number from 0 to 1") from error


def _first(ranges: Mapping[str, float], names: Iterable[str]) -> float:
    return next((ranges[name] for name in names if name in ranges), 0.0)
