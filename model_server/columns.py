"""One column of a table, typed and checked against its feature."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from reprlib import Repr
from typing import Any, NamedTuple

import numpy as np

from model_server.bodies.table import Coded, Column
from model_server.errors import Violation
from model_server.signature import Category, Number

_LISTED = 30
_SHOWN = 80
# float() also reads "nan", "inf", "1_000" and the digits of other scripts; none of these characters can spell them.
_DIGITS = re.compile(r"[0-9.eE+-]*")
_REPR = Repr()  # a caller's value may be as long and as deep as its body
_REPR.maxlist = _REPR.maxdict = _REPR.maxlong = _SHOWN
_REPR.maxstring = 4 * _SHOWN
_NUMBERS = {int, float, type(None)}
_TEXTS = {str, int, type(None)}


class Problem(NamedTuple):
    """The rows of a column that break its feature; `answerable` says that the model could answer them all the same."""

    feature: Number | Category
    code: str
    places: np.ndarray
    expected: str
    answerable: bool = False

    def violation(self, values: Column, place: int, row: int) -> Violation:
        """What is wrong with the value at *place*, which is in *row*."""
        if self.code == "value_missing":
            sentence = f"{self.feature.name} is empty; the model needs it in every row"
        else:
            sentence = f"{self.feature.name} is {_shown(values, place)}; {self.expected}"
        return Violation(self.code, sentence, field=self.feature.name, row=row)


def number(feature: Number, values: Column, *, textual: bool) -> tuple[np.ndarray, list[Problem]]:
    """The column as float32 with NaN for null, and what is wrong with it."""
    wide, wrong = _wide(values, textual=textual)
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
    good = np.isfinite(narrow)
    if feature.minimum is not None:
        good &= wide >= feature.minimum
    if feature.maximum is not None:
        good &= wide <= feature.maximum
    if good.all():
        return narrow, []
    null = np.isnan(wide)
    null[wrong] = False
    infinite = np.isinf(narrow)
    outside = ~good & ~np.isnan(wide)
    found = [
        Problem(feature, "type", np.array(wrong, int), "expected a number"),
        Problem(feature, "value_missing", _where(null & (not feature.nullable)), ""),
        Problem(feature, "out_of_range", _where(infinite), _range(feature)),
        Problem(feature, "out_of_range", _where(outside & ~infinite), _range(feature), answerable=True),
    ]
    return narrow, [problem for problem in found if len(problem.places)]


def category(feature: Category, values: Column, *, textual: bool) -> tuple[np.ndarray, list[Problem]]:
    """The column as texts with "" for null, and what is wrong with it."""
    texts, distinct, wrong = _texts(values, textual=textual)
    if not wrong and feature.known.issuperset(distinct) and (feature.nullable or "" not in distinct):
        return texts, []
    is_wrong = np.zeros(len(texts), bool)
    is_wrong[wrong] = True
    missing: set[str] = set() if feature.nullable else {""}
    unknown = distinct - feature.allowed - {""}
    unseen = distinct - feature.known - unknown - missing
    among = f"expected one of: {_listed(feature.values)}"
    learnt = f"training had none like it, only: {_listed(feature.seen)}"
    found = [
        Problem(feature, "type", np.array(wrong, int), "expected a text"),
        Problem(feature, "value_missing", _where(_among(texts, missing) & ~is_wrong), ""),
        Problem(feature, "category_unknown", _where(_among(texts, unknown)), among, answerable=True),
        Problem(feature, "category_unseen", _where(_among(texts, unseen) & ~is_wrong), learnt, answerable=True),
    ]
    return texts, [problem for problem in found if len(problem.places)]


def _wide(values: Column, *, textual: bool) -> tuple[np.ndarray, list[int]]:
    """As float64 with NaN for null, and the places of those that are no numbers."""
    if isinstance(values, np.ndarray):
        return values, []
    if isinstance(values, Coded):
        values = _spread(values).tolist()
        textual = True
    try:
        return np.array(_textual(values) if textual else _plain(values), np.float64), []
    except (ValueError, OverflowError):
        read = [_read(_textual if textual else _plain, value) for value in values]
        wrong = [place for place, value in enumerate(read) if value is None]
        return np.array(read, np.float64), wrong


def _textual(values: Sequence[str]) -> list[float | None]:
    if not _DIGITS.fullmatch("".join(values).replace(" ", "")):
        raise ValueError
    return [float(value) if value else None for value in values]


def _plain(values: Sequence[Any]) -> Sequence[float | None]:
    if not _NUMBERS.issuperset(map(type, values)):
        raise ValueError
    return values


def _read(convert: Callable[[Sequence[Any]], Sequence[float | None]], value: Any) -> float | None:
    """One number; NaN for null, infinity for one that is too large, None for what is no number."""
    try:
        (converted,) = convert([value])
        return np.nan if converted is None else float(converted)
    except OverflowError:
        return np.inf
    except ValueError:
        return None


def _texts(values: Column, *, textual: bool) -> tuple[np.ndarray, set[str], list[int]]:
    """Texts, the distinct ones, and the places of those that are none.

    Whole numbers become their digits, because codes such as 16 are often sent so; null becomes "".
    """
    if isinstance(values, Coded):
        used = set(np.unique(values.places).tolist())
        return _spread(values), {text for place, text in enumerate(values.texts) if place in used}, []
    wrong = [] if textual else [place for place, value in enumerate(values) if type(value) not in _TEXTS]
    given = set(wrong)
    texts = np.array(
        values
        if textual
        else ["" if value is None or place in given else str(value) for place, value in enumerate(values)],
        dtype=object,
    )
    return texts, set(texts.tolist()), wrong


def _spread(values: Coded) -> np.ndarray:
    return np.array(values.texts, dtype=object)[values.places] if len(values.texts) else np.empty(0, object)


def _among(texts: np.ndarray, wanted: AbstractSet[str]) -> np.ndarray:
    if not wanted:
        return np.zeros(len(texts), bool)
    return np.fromiter((text in wanted for text in texts.tolist()), bool, len(texts))


def _where(mask: np.ndarray) -> np.ndarray:
    return np.flatnonzero(mask)


def _shown(values: Column, place: int) -> str:
    value = values.texts[values.places[place]] if isinstance(values, Coded) else values[place]
    text = f"{value:.12g}" if isinstance(value, np.floating) else _REPR.repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _range(feature: Number) -> str:
    least = "" if feature.minimum is None else f" of at least {feature.minimum:.12g}"
    most = "" if feature.maximum is None else f" of at most {feature.maximum:.12g}"
    return f"expected a number{least}{' and' if least and most else ''}{most}" if least or most else "it is too large"


def _listed(values: Sequence[str]) -> str:
    more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
    return ", ".join(values[:_LISTED]) + more
