"""Calendar periods of a timestamp, as numbers that add up and as names that sort."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring import columns
from monitoring.arrays import nulls, numbers_of, places
from monitoring.spec import Period

NEVER = np.iinfo(np.int64).min
"""The number of a row whose timestamp is missing or cannot be read."""

_UNITS: dict[str, str] = {"hour": "h", "day": "D", "week": "D", "month": "M", "quarter": "M", "year": "Y"}
_MONDAY = 3
"""1970-01-01 was a Thursday: three days after the Monday of its week."""


def numbers(timestamps: pa.Array, period: Period) -> np.ndarray:
    """The period of each timestamp, counted from 1970 (int64); NEVER where there is none.

    Timestamps are dates, timestamps (with a time zone they count in UTC), text in ISO 8601, or seconds since 1970.
    """
    when = moments(timestamps)
    counted = when.astype(f"datetime64[{_UNITS[period]}]").astype(np.int64)
    if period == "week":
        counted = (counted + _MONDAY) // 7
    elif period == "quarter":
        counted //= 3
    counted[np.isnat(when)] = NEVER
    return counted


def name(number: int, period: Period | None) -> str:
    """What people call it: 2016-07-14T13, 2016-07-14, 2016-W28, 2016-07, 2016-Q3, 2016; without a period "all"."""
    if period is None:
        return "all"
    if period == "week":
        year, week, _ = (date(1970, 1, 1) + timedelta(days=number * 7 - _MONDAY)).isocalendar()
        return f"{year}-W{week:02}"
    if period == "quarter":
        return f"{1970 + number // 4}-Q{number % 4 + 1}"
    return str(np.array(number, f"datetime64[{_UNITS[period]}]"))


def moments(timestamps: pa.Array) -> np.ndarray:
    """Each timestamp in microseconds since 1970; NaT where there is none or it cannot be read."""
    kind = timestamps.type
    if pa.types.is_dictionary(kind):
        return moments(timestamps.dictionary_decode())
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _plain(timestamps.cast(pa.timestamp("us"), safe=False))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        seconds, _ = columns.number(timestamps)
        when = np.full(len(seconds), np.datetime64("NaT"), "datetime64[us]")
        fine = np.isfinite(seconds) & (np.abs(seconds) < 1e11)
        when[fine] = (seconds[fine] * 1e6).astype(np.int64).astype("datetime64[us]")
        return when
    if columns.is_text(kind):
        return _from_text(timestamps.cast(pa.string()))
    return np.full(len(timestamps), np.datetime64("NaT"), "datetime64[us]")


def _plain(timestamps: pa.Array) -> np.ndarray:
    """As NumPy has them."""
    moments = numbers_of(timestamps.view(pa.int64())).view("datetime64[us]")
    return np.where(nulls(timestamps), np.datetime64("NaT"), moments) if timestamps.null_count else moments


def _from_text(texts: pa.Array) -> np.ndarray:
    encoded = texts.dictionary_encode()
    distinct = encoded.dictionary
    when = _all_alike(pc.utf8_trim_whitespace(distinct))
    if when is None:  # some have a zone and some have none, or one is no timestamp at all
        when = np.array([_moment(text) for text in distinct.to_pylist()], "datetime64[us]")
    when = np.append(when, np.datetime64("NaT"))
    return when[places(encoded)]


def _all_alike(texts: pa.Array) -> np.ndarray | None:
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            return _plain(pc.cast(texts, kind).cast(pa.timestamp("us")))
        except pa.ArrowInvalid:
            continue
    return None


def _moment(text: str) -> np.datetime64:
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            return pc.cast(pa.scalar(text.strip()), kind).cast(pa.timestamp("us")).as_py()
        except pa.ArrowInvalid:
            continue
    return np.datetime64("NaT")
