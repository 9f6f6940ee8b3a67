"""Arrow's columns as the numbers and texts that the kernel counts, whatever their type."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from monitoring.arrays import nulls, numbers_of, places

_NO_TEXT = "", "null", "none", "nan", "na", "n/a", "<na>"
"""What writers put into text files where a number is missing."""


def number(array: pa.Array) -> tuple[np.ndarray, int]:
    """The column as float64, NaN for null, and how many values were none that a number could be read from.

    Text is read as a number; true and false are 1 and 0; a date or time counts in seconds since 1970.
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        values, invalid = _number_by_value(array.dictionary)
        values, invalid = np.append(values, np.nan), np.append(invalid, False)
        rows = places(array)
        return values[rows], int(invalid[rows].sum())
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return _plain(array), 0
    values, invalid = _number_by_value(array)
    return values, int(invalid.sum())


def text(array: pa.Array) -> tuple[list[str], np.ndarray]:
    """The column's distinct values as text, and each row's place among them; -1 is null, and so is NaN.

    A number is written in its shortest form, so 3 and 3.0 are the same category, and both that of the text "3".
    """
    if not pa.types.is_dictionary(array.type):
        try:
            array = array.dictionary_encode()
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            array = pa.array([written(value) for value in array.to_pylist()], pa.string()).dictionary_encode()
    distinct = [written(value) for value in array.dictionary.to_pylist()]
    return _without_doubles(distinct, places(array).astype(np.int32, copy=False))


def ids(array: pa.Array) -> pa.Array:
    """The column as plain texts, by which rows and labels find each other."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array if pa.types.is_string(array.type) else array.cast(pa.string(), safe=False)


def is_text(kind: pa.DataType) -> bool:
    """Whether a type is one of Arrow's for texts."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _without_doubles(distinct: Sequence[str | None], codes: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Texts that are written alike become one, and null the code -1."""
    place: dict[str, int] = {}
    moved = [-1 if each is None else place.setdefault(each, len(place)) for each in distinct]
    if moved == list(range(len(distinct))) and not (len(codes) and codes.max() == len(distinct)):
        return list(place), codes
    return list(place), np.array([*moved, -1], np.int32)[codes]


def _plain(array: pa.Array) -> np.ndarray:
    if array.null_count == 0:
        return numbers_of(array).astype(np.float64, copy=False)
    return np.where(nulls(array), np.nan, numbers_of(array.cast(pa.float64(), safe=False)))


def _number_by_value(array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    kind = array.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        whole = array.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        return _plain(whole) / 1e6, np.zeros(len(array), bool)
    try:
        if pa.types.is_boolean(kind):
            array = array.cast(pa.int8())
        return _plain(array.cast(pa.float64(), safe=False)), np.zeros(len(array), bool)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        pass
    if is_text(kind):
        encoded = array.dictionary_encode()
        values, invalid = _from_text([*encoded.dictionary.to_pylist(), None])
        return values[places(encoded)], invalid[places(encoded)]
    return np.full(len(array), np.nan), ~nulls(array)


def _from_text(texts: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
    values, invalid = np.full(len(texts), np.nan), np.zeros(len(texts), bool)
    for place, each in enumerate(texts):
        said = "" if each is None else each.strip()
        if said.lower() in _NO_TEXT:
            continue
        try:
            values[place] = float(said)
        except ValueError:
            invalid[place] = True
    return values, invalid


def written(value: object) -> str | None:
    """A value as the text of a category; None for null and NaN."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return _shortest(value)
        case bytes():
            return value.decode(errors="backslashreplace")
        case dict() | list() | tuple():
            return json.dumps(value, default=str)
    return str(value)


def _shortest(value: float) -> str | None:
    if math.isnan(value):
        return None
    return str(int(value)) if value.is_integer() and abs(value) < 1 << 53 else repr(value)
