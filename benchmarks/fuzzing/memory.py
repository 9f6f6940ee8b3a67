"""The memory of a server's processes while it is attacked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Self

import psutil

Points = Sequence[tuple[float, float]]


def slope(points: Points, *, per: float) -> float:
    """By how much the second number grows while the first does by *per*: Theil-Sen, which one peak cannot move."""
    pairs = [
        (later[1] - sooner[1]) / (later[0] - sooner[0])
        for place, sooner in enumerate(points)
        for later in points[place + 1 :]
        if later[0] > sooner[0]
    ]
    return round(sorted(pairs)[len(pairs) // 2] * per, 3) if pairs else 0.0


class Watch:
    """Samples a server's first process and its workers twice a second, beside what *count* says."""

    def __init__(self, pid: int, count: Callable[[], int]) -> None:
        self._parent = psutil.Process(pid)
        self._count = count
        self._stop = threading.Event()
        self.parent: list[tuple[float, float]] = []
        self.workers: list[tuple[float, float]] = []
        self.pids: set[int] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.sample()
            time.sleep(0.5)

    def sample(self) -> None:
        """Notes the memory of now, in MB; a worker that is gone shows in `pids`."""
        count = float(self._count())
        children = self._parent.children()
        self.pids |= {child.pid for child in children}
        self.parent.append((count, self._parent.memory_info().rss / 2**20))
        self.workers.append((count, sum(child.memory_info().rss for child in children) / 2**20))

    def told(self) -> dict[str, object]:
        """Before, after, at the most, and the slope of the last three quarters, in MB."""
        return {name: _told(points) for name, points in (("parent", self.parent), ("workers", self.workers))}


def _told(points: Points) -> dict[str, float]:
    later = points[len(points) // 4 :]
    thinned = later[:: max(1, len(later) // 100)]
    return {
        "before": round(points[0][1], 1),
        "after": round(points[-1][1], 1),
        "most": round(max(size for _, size in points), 1),
        "mb_per_10000": slope(thinned, per=10_000),
    }
