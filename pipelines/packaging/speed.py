"""From how many rows on another engine is faster than ONNX Runtime."""

from __future__ import annotations

import math
import time

import numpy as np
from threadpoolctl import threadpool_limits

from model_server.scoring import Engine, Rows

ROWS = (20_000, 10_000, 3_000, 1_000, 300, 100, 30, 10, 1)
CLEARLY = 1.5
"""How many times as fast it must be with the most rows; below, a second engine is not worth its memory."""

_RUNS = 5
_SECONDS = 2.0


def batch_from(onnx: Engine, other: Engine, rows: Rows) -> int | None:
    """The fewest of `ROWS` from which on *other* is faster; None where it is not clearly so with the most.

    Both run on one thread, as in the server, which answers requests side by side.
    """
    fewest = None
    with threadpool_limits(1):
        for count in ROWS:
            some = _repeated(rows, count)
            one, two = _seconds(onnx, some), _seconds(other, some)
            if fewest is None:
                print(f"{count:,} rows: ONNX Runtime {one * 1e3:.0f} ms, the other {two * 1e3:.0f} ms", flush=True)
            if one < two * (CLEARLY if fewest is None else 1):
                break
            fewest = count
    return fewest


def _repeated(rows: Rows, count: int) -> Rows:
    places = np.arange(count) % len(rows)
    return Rows(rows.numbers[places], rows.categories[places])


def _seconds(engine: Engine, rows: Rows) -> float:
    """The least of some runs; of fewer where they take long."""
    least, until = math.inf, time.perf_counter() + _SECONDS
    for _ in range(_RUNS):
        started = time.perf_counter()
        engine(rows)
        now = time.perf_counter()
        least = min(least, now - started)
        if now > until:
            break
    return least
