"""What the library is held to, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.serving.targets import Target

Figures = Mapping[str, Any]


def _of(*path: str) -> Callable[[Figures], float | None]:
    """The figure at the end of a path of names; None where something on the way was not measured."""

    def value(figures: Figures) -> float | None:
        found: Any = figures
        for name in path:
            found = (found or {}).get(name)
        return found

    return value


def _times(other: str, what: str) -> Callable[[Figures], float | None]:
    def ratio(figures: Figures) -> float | None:
        ours, theirs = (_of("compared", tool, "median", what)(figures) for tool in ("ours", other))
        return None if ours is None or theirs is None else theirs / ours

    return ratio


def _models(figures: Figures) -> float | None:
    found = figures["models"] or {}
    return found["cpu"] if found.get("models") == 300 else None


def _at_least(limit: float, what: str, value: Callable[[Figures], float | None]) -> Target:
    return Target(what, limit, at_least=True, value=value)


def _at_most(limit: float, what: str, value: Callable[[Figures], float | None]) -> Target:
    return Target(what, limit, at_least=False, value=value)


TARGETS = (
    _at_least(
        15,
        "times as fast as nannyml, both from rows in memory, its import and fit not counted",
        _times("nannyml", "inside_wall"),
    ),
    _at_least(
        15,
        "times as fast as evidently, both from rows in memory, its import not counted",
        _times("evidently", "inside_wall"),
    ),
    _at_most(600, "peak memory at ten million rows (MB)", _of("growing", "10000000", "median", "peak_mb")),
    _at_most(90, "CPU seconds for 300 models of 100,000 rows", _models),
    _at_least(1.6, "times as fast by two processes as by one", _of("shared", "median", "times")),
)
