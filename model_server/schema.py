"""Checks each row against the model's schema, and hands on the columns as the exported model reads them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from model_server.errors import Violation
from model_server.payload import Table
from model_server.signature import Category, Feature, Number, Signature

Columns = Mapping[str, np.ndarray]
"""By feature, rows x 1: numbers as float32 with NaN for null, categories as texts with "" for null."""

_LISTED = 30
_SHOWN = 80
# float() also reads "nan", "inf", "1_000" and the digits of other scripts; none of these characters can spell them.
_DIGITS = re.compile(r"[0-9.eE+-]*")


def check(signature: Signature, table: Table) -> Columns:
    """The table's columns, typed; raises the Violation of the first row that breaks the schema."""
    columns: dict[str, np.ndarray] = {}
    violations: list[Violation] = []
    for feature, values in zip(signature.features, table.columns, strict=True):
        try:
            columns[feature.name] = _column(feature, values, textual=table.textual)
        except Violation as violation:
            violations.append(violation)
    if violations:
        raise min(violations, key=lambda violation: violation.row or 0)
    return columns


def _column(feature: Feature, values: Sequence[Any], *, textual: bool) -> np.ndarray:
    if isinstance(feature, Number):
        return _number(feature, values, textual=textual)
    return _category(feature, values, textual=textual)


def _number(feature: Number, values: Sequence[Any], *, textual: bool) -> np.ndarray:
    wide = np.array(_textual_numbers(feature, values) if textual else _json_numbers(feature, values), dtype=np.float64)
    null = np.isnan(wide)
    if null.any() and not feature.nullable:
        raise _missing(feature, int(null.argmax()))
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
    outside = np.isinf(narrow)
    if feature.minimum is not None:
        outside |= wide < feature.minimum
    if feature.maximum is not None:
        outside |= wide > feature.maximum
    if outside.any():
        row = int(outside.argmax())
        raise _violation("out_of_range", feature, values[row], row, _range(feature))
    return narrow.reshape(-1, 1)


def _textual_numbers(feature: Number, values: Sequence[str]) -> Sequence[float | None]:
    if _DIGITS.fullmatch("".join(values)):
        with contextlib.suppress(ValueError):
            return [float(value) if value else None for value in values]
    raise _first(feature, values, _is_no_number, "type", "expected a number")


def _is_no_number(text: str) -> bool:
    try:
        float(text or "0")
    except ValueError:
        return True
    return not _DIGITS.fullmatch(text)


def _json_numbers(feature: Number, values: Sequence[Any]) -> Sequence[float | None]:
    allowed = {int, float, type(None)}
    if not allowed.issuperset(map(type, values)):
        raise _first(feature, values, lambda value: type(value) not in allowed, "type", "expected a number")
    return values


def _category(feature: Category, values: Sequence[Any], *, textual: bool) -> np.ndarray:
    texts = values if textual else _json_texts(feature, values)
    if not feature.allowed.issuperset(texts):
        row = next(row for row, text in enumerate(texts) if text not in feature.allowed)
        if not texts[row]:
            raise _missing(feature, row)
        raise _violation("category_unknown", feature, values[row], row, f"expected one of: {_listed(feature.values)}")
    return np.array(texts, dtype=object).reshape(-1, 1)


def _json_texts(feature: Category, values: Sequence[Any]) -> Sequence[str]:
    """Texts as they are; whole numbers as their digits, because codes such as 16 are often sent so; null as ""."""
    allowed = {str, int, type(None)}
    if not allowed.issuperset(map(type, values)):
        raise _first(feature, values, lambda value: type(value) not in allowed, "type", "expected a text")
    return ["" if value is None else str(value) for value in values]


def _first(
    feature: Feature, values: Sequence[Any], wrong: Callable[[Any], bool], code: str, expected: str
) -> Violation:
    row = next(row for row, value in enumerate(values) if wrong(value))
    return _violation(code, feature, values[row], row, expected)


def _missing(feature: Feature, row: int) -> Violation:
    message = f"row {row}: {feature.name} is empty; the model needs it in every row"
    return Violation("value_missing", message, field=feature.name, row=row)


def _violation(code: str, feature: Feature, value: Any, row: int, expected: str) -> Violation:
    shown = repr(value) if len(repr(value)) <= _SHOWN else repr(value)[:_SHOWN] + "..."
    return Violation(code, f"row {row}: {feature.name} is {shown}; {expected}", field=feature.name, row=row)


def _range(feature: Number) -> str:
    least = "" if feature.minimum is None else f" of at least {feature.minimum:.12g}"
    most = "" if feature.maximum is None else f" of at most {feature.maximum:.12g}"
    return f"expected a number{least}{' and' if least and most else ''}{most}" if least or most else "it is too large"


def _listed(values: Sequence[str]) -> str:
    more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
    return ", ".join(values[:_LISTED]) + more
