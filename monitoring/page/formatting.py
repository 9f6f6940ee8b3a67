"""Numbers as people read them."""

from __future__ import annotations

import math

NOTHING = "\u2013"
MINUS = "\u2212"
LARGEST = 1e15


def number(value: float | None) -> str:
    """Four digits or more, without an exponent: 0.8035, 1.235, 123.5, 12,345."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    size = abs(value)
    sign = MINUS if value < 0 else ""
    if size >= LARGEST:
        return f"{'below ' if value < 0 else 'above '}{sign}{LARGEST:,.0f}"
    if 0 < size < 0.00005:
        return f"between {MINUS}0.0001 and 0" if value < 0 else "<0.0001"
    for limit, digits in ((10, 4 if size < 1 else 3), (100, 2), (1000, 1)):
        if round(size, digits) < limit:
            return f"{sign}{size:.{digits}f}"
    return f"{sign}{size:,.0f}"


def count(value: float | None) -> str:
    """A whole number with its thousands apart."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:,.0f}".replace("-", MINUS)


def signed(value: float | None) -> str:
    """A change: with its sign, whichever it is; one too small to show is about 0."""
    if value is not None and 0 < abs(value) < 0.00005:
        return "about 0"
    text = number(value)
    return f"+{text}" if value is not None and value > 0 and text[0].isdigit() else text


def percent(value: float | None, *, aligned: bool = False) -> str:
    """A share in percent: 0.1%, 12.5%, 100%; aligned below others it keeps its digit after the point."""
    if value is None or not math.isfinite(value):
        return NOTHING
    hundred = value * 100
    if 0 < hundred < 0.05:
        return "<0.1%"
    text = f"{hundred:,.1f}" if aligned or hundred != round(hundred) else f"{hundred:,.0f}"
    return f"{text}%".replace("-", MINUS)


def points(value: float) -> str:
    """A change of a share in percentage points, without its sign."""
    hundred = abs(value) * 100
    if 0 < hundred < 0.05:
        return "less than 0.1 points"
    text = f"{hundred:,.1f}".removesuffix(".0")
    return f"{text} {'point' if text == '1' else 'points'}"


def correlation(value: float | None) -> str:
    """A correlation: two digits are more than it is good for already."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:.2f}".replace("-", MINUS)


def probability(value: float | None) -> str:
    """A p-value: three digits, and never 0."""
    if value is None or not math.isfinite(value):
        return "p unknown"
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def counted(amount: int, one: str, many: str | None = None) -> str:
    """A number of things: 1 period, 24 periods, no period."""
    return f"{count(amount) if amount else 'no'} {one if amount <= 1 else many or f'{one}s'}"


def listed(names: list[str]) -> str:
    """Names in a sentence: A, B and C."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""
