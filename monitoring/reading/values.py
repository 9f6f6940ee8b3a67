"""Values as JSON gives them to a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from monitoring.reading.lines import plain

_EXACT = 1 << 53
"""Beyond it a float64 does not hold every integer."""


def column(values: Sequence[Any]) -> Any:
    """The narrowest of null, bool, int64, float64 and text that holds all values as they are."""
    types = set(map(type, values)) - {type(None)}
    if not types:
        return pa.nulls(len(values))
    if types == {str}:
        return pa.array(values, pa.string())
    if types == {bool}:
        return pa.array(values, pa.bool_())
    if types == {float} or (types == {int, float} and _exact(values)):
        return pa.array(values, pa.float64())
    if types == {int}:
        try:
            return pa.array(values, pa.int64())
        except OverflowError:
            pass
    return pa.array([None if value is None else plain(value) for value in values], pa.string())


def _exact(values: Sequence[Any]) -> bool:
    return all(abs(value) <= _EXACT for value in values if type(value) is int)
