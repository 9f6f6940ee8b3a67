"""The same work on several things at once."""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def each(work: Callable[[T], R], things: Collection[T]) -> list[R]:
    """What the work gives for each, in their order; a failure is raised when all have ended."""
    with ThreadPoolExecutor(max(1, len(things))) as pool:
        return list(pool.map(work, things))
