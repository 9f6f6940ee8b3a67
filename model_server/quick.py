"""The short way of small requests that keep to every rule; any other goes the long way, which alone can tell why.

What this reads, the long way reads alike; it gives up (None) on whatever it is not sure of.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isnan
from typing import Any, NamedTuple

import numpy as np
import orjson

from model_server import media
from model_server.contract import Request
from model_server.errors import Refused
from model_server.scoring import Rows
from model_server.signature import Number, Signature

_NUMBERS = frozenset({int, float, type(None)})
_LARGEST = float(np.finfo(np.float32).max)

Values = Sequence[Any]


class Small(NamedTuple):
    """The rows of a request, split by the kind of feature, and the type and id of its answer."""

    numbers: list[Values]
    categories: list[list[str]]
    wanted: str
    id: str


class Quick:
    """Reads JSON documents of `instances` and CSV without header, quotes and nulls."""

    def __init__(self, signature: Signature) -> None:
        features = signature.features
        self._names = signature.names
        self._width = len(features)
        self._number_at = [place for place, feature in enumerate(features) if isinstance(feature, Number)]
        self._category_at = [place for place, feature in enumerate(features) if not isinstance(feature, Number)]
        self._known = [feature.known if feature.nullable else feature.known - {""} for feature in signature.categories]
        # A header is told from a row by its names: among numbers none can be meant, unless one is named like a number.
        self._csv = bool(self._number_at) and not any(_is_number(name) for name in self._names)
        bound = [(feature.minimum, feature.maximum) for feature in signature.numbers]
        self._least = np.array([-_LARGEST if least is None else least for least, _ in bound])
        self._most = np.array([_LARGEST if most is None else most for _, most in bound])
        self._nullable = np.array([feature.nullable for feature in signature.numbers])

    def read(self, request: Request) -> Small | None:
        """The request's rows; None where the long way has to look."""
        reader, wanted = _agreed(request.content_type, request.accept)
        if reader is None:
            return None
        try:
            rows = self._json(request.body) if reader == media.JSON else self._csv_rows(request.body)
            return self._split(rows, wanted, request.id, textual=reader == media.CSV) if rows else None
        except (ValueError, KeyError, TypeError):
            return None

    def check(self, numbers: list[Values], categories: list[list[str]]) -> tuple[Rows, np.ndarray | None]:
        """The rows of several requests as the model reads them, and which of them keep to the rules; None: all do."""
        wide = np.array(numbers, np.float64) if self._number_at else np.empty((len(numbers), 0))
        good = (wide >= self._least) & (wide <= self._most)
        rows = Rows(wide.astype(np.float32), np.array(categories, object).reshape(len(numbers), -1))
        if not good.all():
            good |= np.isnan(wide) & self._nullable
        return rows, None if good.all() else np.all(good, axis=1)

    def _json(self, body: bytes) -> list[Values] | None:
        content = orjson.loads(body)
        if type(content) is not dict or "instances" not in content:
            return None
        instances = content["instances"]
        if type(instances) is not list:
            return None
        names = self._names
        return [[row[name] for name in names] if type(row) is dict else row for row in instances]

    def _csv_rows(self, body: bytes) -> list[Values] | None:
        text = body.decode("ascii")
        # float() reads digits with underscores.
        if not self._csv or '"' in text or "_" in text or "\r" in text:
            return None
        return [line.split(",") for line in text.split("\n") if line]

    def _split(self, rows: list[Values], wanted: str, identity: str, *, textual: bool) -> Small | None:
        numbers: list[Values] = []
        categories: list[list[str]] = []
        for row in rows:
            if type(row) is not list or len(row) != self._width:
                return None
            own = [row[place] for place in self._number_at] if self._category_at else row
            if textual:
                own = list(map(float, own))
                if isnan(sum(own)):  # "nan" and "inf" are words of float() alone
                    return None
            elif not _NUMBERS.issuperset(map(type, own)):
                return None
            numbers.append(own)
            if self._category_at:
                texts = [_text(row[place]) for place in self._category_at]
                if not all(map(_contains, self._known, texts)):
                    return None
                categories.append(texts)
        return Small(numbers, categories, wanted, identity)


def _contains(known: frozenset[str], text: str) -> bool:
    return text in known


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if value is None:
        return ""
    if type(value) is int:
        return str(value)
    raise TypeError


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=256)
def _agreed(content_type: str, accept: str) -> tuple[str | None, str]:
    """What the body is read as, and what it is answered in; no reader where the long way has to look."""
    try:
        kind, parameters = media.content_type(content_type)
        wanted = media.negotiate(accept, asked=kind)
    except Refused:
        return None, ""
    plain = not (parameters.keys() - {"charset"}) and wanted.type in media.TEXTUAL
    return (kind if plain and kind in (media.JSON, media.CSV) else None), wanted.type
