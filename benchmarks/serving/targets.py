"""What the server is held to, as data: a figure of ours beside another's in the same run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """A ratio or a value that should be at least, or at most, a limit; `value` is None where a server was left out."""

    what: str
    limit: float
    at_least: bool
    value: Callable[[Figures], float | None]

    def judge(self, figures: Figures) -> dict[str, Any]:
        """The target beside what was measured."""
        value = self.value(figures)
        met = None if value is None else (value >= self.limit if self.at_least else value <= self.limit)
        sign = "at least" if self.at_least else "at most"
        return {"what": self.what, "target": f"{sign} {self.limit:g}", "measured": value, "met": met}


def _window(figures: Figures, case: str, server: str, what: str) -> float | None:
    found = figures["windows"].get(case, {}).get(server, {})
    refused_quickly = found.get("errors") and what != "rate"  # a rate counts only good answers, latencies count all
    return None if refused_quickly else found.get(what)


def _times(case: str, other: str, what: str = "rate") -> Callable[[Figures], float | None]:
    """How many times the other's figure ours is."""

    def ratio(figures: Figures) -> float | None:
        ours, theirs = (_window(figures, case, server, what) for server in ("ours", other))
        return None if ours is None or theirs is None else ours / theirs

    return ratio


def _of_ours(part: str, what: str) -> Callable[[Figures], float | None]:
    return lambda figures: figures[part].get("ours", {}).get(what)


def _constant(figures: Figures) -> float | None:
    ratio = _times("one-row CSV, 32 clients", "constant")(figures)
    return None if ratio is None else 1 / ratio


def _at_least(limit: float, what: str, value: Callable[[Figures], float | None]) -> Target:
    return Target(what, limit, at_least=True, value=value)


def _at_most(limit: float, what: str, value: Callable[[Figures], float | None]) -> Target:
    return Target(what, limit, at_least=False, value=value)


CSV, JSON = "one-row CSV, 32 clients", "one-row JSON, 32 clients"
MANY, BIG = "1,000-row CSV, 8 clients", "5 MB CSV, 1 client"
TARGETS = (
    _at_least(30, f"{CSV}: times the requests of stock-omp1", _times(CSV, "stock-omp1")),
    _at_least(30, f"{JSON}: times the requests of stock-omp1", _times(JSON, "stock-omp1")),
    _at_most(0.1, f"{CSV}: share of stock-omp1's p99", _times(CSV, "stock-omp1", "p99")),
    _at_most(0.1, f"{JSON}: share of stock-omp1's p99", _times(JSON, "stock-omp1", "p99")),
    _at_least(300, f"{CSV}: times the requests of stock as shipped", _times(CSV, "stock")),
    _at_least(5, f"{CSV}: times the requests of stock with ONNX", _times(CSV, "stock-onnx")),
    _at_least(4, f"{MANY}: times the requests of stock-omp1", _times(MANY, "stock-omp1")),
    _at_least(6, f"{BIG}: times the requests of stock-omp1", _times(BIG, "stock-omp1")),
    _at_most(20, "slowest /ping (ms) with two bodies of 100 MB in flight", _of_ours("large_bodies", "worst_ping_ms")),
    _at_most(1.6, f"{CSV}: a constant's requests, as times of ours", _constant),
    _at_most(0.5, "start to ready (s)", _of_ours("start", "seconds")),
    _at_most(110, "memory of two workers and their parent (MB)", _of_ours("start", "memory_mb")),
)
