"""Records without what they would tell of people: sensitive values become bands, keyed hashes, or "unseen"."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from model_server import media
from model_server.bodies.reader import Reader
from model_server.bodies.table import Coded, Column, Table
from model_server.errors import PackageError
from model_server.recording.answered import cleaned
from model_server.recording.lines import Seen
from model_server.signature import Category, Signature

FILE = "masks.json"
FORMAT = 1
UNSEEN = "unseen"
"""What stands for every value that the reference never had, and for those that are none."""
_LETTERS = 16
_EMPTY = "", "null", "none", "nan", "na", "n/a", "<na>"
"""Texts by which a number is missing, as monitoring reads them."""

Mask = Callable[[Any], str | None]


class UnmaskableError(Exception):
    """A body of which nobody can say which value is whose; it is in no record."""


class Masker:
    """Masks the sensitive features of one package."""

    def __init__(self, signature: Signature, masks: Mapping[str, Any]) -> None:
        self.id: str = masks["id"]
        key = bytes.fromhex(masks["key"])
        self._signature = signature
        self._row_id: str | None = masks["row_id"]
        self._with_id = _with(signature, self._row_id)
        # As a name in JSON, in a header, in a schema: a longer name that holds it is another.
        self._named = re.compile(rb"(?<!\w)%b(?!\w)" % re.escape((self._row_id or "").encode()))
        numbers = {name: _by_band(edges) for name, edges in masks["numbers"].items()}
        categories = {name: _by_hash(key, name, known) for name, known in masks["categories"].items()}
        self._masks: Mapping[str, Mask] = {**numbers, **categories}

    @classmethod
    def read(cls, folder: Path) -> Masker | None:
        """That of an unpacked package; None where no feature is sensitive. Raises PackageError."""
        file = folder / FILE
        if not file.exists():
            return None
        masks = json.loads(file.read_bytes())
        if masks.get("format") != FORMAT:
            raise PackageError(f"{FILE} is not of format {FORMAT}; serve it with the image that it was released with")
        return cls(Signature.read(folder), masks)

    def __call__(self, seen: Seen) -> Seen:
        """The same invocation, masked: the caller's attributes are left out. Raises UnmaskableError."""
        body = self.request(seen.content_type, seen.body)
        answer_type, answer = self.answer(seen.answer_type, seen.answer)
        return Seen(seen.id, "", media.JSON, body, answer_type, answer, seen.at, self.id)

    def request(self, content_type: str, body: bytes) -> bytes:
        """The rows of a request as a JSON document, of which only what is no sensitive value is as it was sent."""
        try:
            tables, names = self._tables(content_type, body)
            rows = [row for table in tables for row in zip(*self._columns(table, names), strict=True)]
        except Exception as error:  # whatever it is about a body, its error may quote it
            raise UnmaskableError from error
        return orjson.dumps({"dataframe_split": {"columns": names, "data": rows}})

    def answer(self, content_type: str, body: bytes) -> tuple[str, bytes]:
        """An answer, and its type, without reasons and flags, which quote the row that they are about."""
        try:
            return cleaned(self._signature, content_type, body)
        except Exception as error:  # as above
            raise UnmaskableError from error

    def _tables(self, content_type: str, body: bytes) -> tuple[list[Table], list[str]]:
        """The rows with the id that the caller gives each, where it gives one."""
        if self._row_id and self._row_id.encode() in body and self._named.search(body):
            try:
                return _read(self._with_id, content_type, body)
            except Exception:  # noqa: BLE001, S110  then it is somewhere else in the body
                pass
        return _read(self._signature, content_type, body)

    def _columns(self, table: Table, names: Sequence[str]) -> list[Sequence[Any]]:
        return [
            self._column(name, column, textual=table.textual) for name, column in zip(names, table.columns, strict=True)
        ]

    def _column(self, name: str, column: Column, *, textual: bool) -> Sequence[Any]:
        """Python's own values, None for null."""
        mask = self._masks.get(name)
        if isinstance(column, Coded):
            texts: list[str | None] = [text or None for text in column.texts]
            told = texts if mask is None else list(map(mask, texts))
            return [told[place] for place in column.places.tolist()]
        if isinstance(column, np.ndarray):
            values: Sequence[Any] = [None if value != value else value for value in column.tolist()]  # noqa: PLR0124  NaN
        else:
            values = [value or None for value in column] if textual else column
        return values if mask is None else list(map(mask, values))


def _read(signature: Signature, content_type: str, body: bytes) -> tuple[list[Table], list[str]]:
    pieces = Reader(signature, content_type).pieces(body, last=True)
    tables = [table for piece in pieces for table in piece.tables()]
    if any(table.misshapen for table in tables):
        raise UnmaskableError
    return tables, list(signature.names)


def _with(signature: Signature, row_id: str | None) -> Signature:
    if row_id is None or row_id in signature.names:
        return signature
    return replace(signature, features=(*signature.features, Category(row_id, ())))


def _by_band(edges: Sequence[float]) -> Mask:
    def mask(value: Any) -> str | None:
        number = _number(value)
        if number is None or not edges:
            return None if number is None else UNSEEN
        return UNSEEN if isinstance(number, str) else f"band {bisect_right(edges, number)}"

    return mask


def _number(value: Any) -> float | str | None:
    """None for null, `unseen` for what is no number."""
    if value is None or (isinstance(value, str) and value.strip().lower() in _EMPTY):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return UNSEEN
    try:
        number = float(value)
    except OverflowError:
        return float("inf") if isinstance(value, int) and value > 0 else float("-inf")
    except ValueError:
        return UNSEEN
    return None if number != number else number  # noqa: PLR0124  NaN


def _by_hash(key: bytes, name: str, known: Sequence[str]) -> Mask:
    hashes = {
        value: hmac.new(key, f"{name}\0{value}".encode(), hashlib.sha256).hexdigest()[:_LETTERS] for value in known
    }

    def mask(value: Any) -> str | None:
        text = value if type(value) is str else _text(value)
        return None if text is None else hashes.get(text, UNSEEN)

    return mask


def _text(value: Any) -> str | None:
    """A category as monitoring writes it: 3 and 3.0 are the same."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            if value != value:  # noqa: PLR0124  NaN
                return None
            return str(int(value)) if value.is_integer() and abs(value) < 1 << 53 else repr(value)
    return str(value)
