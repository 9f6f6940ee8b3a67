"""Numbers that each worker counts for itself, and that any of them can add up."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass

STATUSES = (200, 400, 404, 405, 406, 413, 415, 422, 500, 503)
ACTIONS = ("flag", "quarantine", "refuse")
CODES = (
    "category_unknown",
    "category_unseen",
    "column_missing",
    "out_of_range",
    "row_length",
    "type",
    "value_missing",
)
PARTS = ("decode", "check", "score", "encode")
RECORDS = ("written", "too_large", "too_many", "unmaskable", "failed")
"""What became of invocations that were to be recorded."""
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the latency histogram, in seconds; one more bucket has none."""

_PLACES = {
    name: place
    for place, name in enumerate(
        (
            *(f"status {status}" for status in STATUSES),
            *(f"rejected {code} {action}" for code in CODES for action in ACTIONS),
            *(f"record {outcome}" for outcome in RECORDS),
            *(f"seconds {part}" for part in PARTS),
            *(f"bucket {place}" for place in range(len(BUCKETS) + 1)),
            "seconds",
            "rows",
        )
    )
}
_BUCKET_0 = _PLACES["bucket 0"]
_BYTES = 8


@dataclass(frozen=True)
class Counts:
    """All numbers of one worker, of all of them together, or what they grew by."""

    numbers: Sequence[float]

    def __getitem__(self, name: str) -> float:
        return self.numbers[_PLACES[name]]

    def since(self, earlier: Counts) -> Counts:
        """What was counted after *earlier*."""
        return Counts([now - then for now, then in zip(self.numbers, earlier.numbers, strict=True)])

    def buckets(self) -> Sequence[float]:
        """Requests by latency, the last ones beyond every bound."""
        return self.numbers[_BUCKET_0 : _BUCKET_0 + len(BUCKETS) + 1]


class Counter:
    """One worker's numbers, which it continues where its predecessor in the same place left off."""

    def __init__(self, memory: memoryview[float]) -> None:
        self._memory = memory

    def add(self, name: str, amount: float = 1) -> None:
        """Counts; a status or code that is not in the lists above is not told apart from none."""
        place = _PLACES.get(name)
        if place is not None:
            self._memory[place] += amount

    def put(self, name: str, value: float) -> None:
        """Sets a number that is counted elsewhere."""
        self._memory[_PLACES[name]] = value

    def time(self, buckets: Sequence[int], seconds: float) -> None:
        """Counts requests by their latency: how many of them are in each bucket, and their sum."""
        for place, count in enumerate(buckets, _BUCKET_0):
            self._memory[place] += count
        self._memory[_PLACES["seconds"]] += seconds

    def counts(self) -> Counts:
        """The numbers as they are now."""
        return Counts(self._memory.tolist())


class Board:
    """The numbers of all workers, in memory that forked processes share."""

    def __init__(self, workers: int, file: int = -1) -> None:
        self._workers = workers
        self._memory = memoryview(mmap.mmap(file, self.size(workers))).cast("d")

    @staticmethod
    def size(workers: int) -> int:
        """In bytes."""
        return workers * len(_PLACES) * _BYTES

    def counter(self, worker: int) -> Counter:
        """The numbers of the worker in place *worker*, from 0."""
        return Counter(self._memory[worker * len(_PLACES) : (worker + 1) * len(_PLACES)])

    def total(self) -> Counts:
        """All workers' numbers together."""
        each = [self.counter(worker).counts().numbers for worker in range(self._workers)]
        return Counts([sum(numbers) for numbers in zip(*each, strict=True)])
