"""How many connections a worker takes, and what becomes of those beyond.

Behind SageMaker its router is the only caller. Whoever else reaches the port can take all places, but neither files nor
memory, and a health check is answered all the same.
"""

from __future__ import annotations

import resource
from typing import Protocol

from model_server.bounds import CONNECTIONS, GUESTS

_OWN_FILES = 100


class Guest(Protocol):
    """A connection without a place."""

    def leave(self) -> None: ...


class Room:
    """Counts connections; one beyond *places* is a guest, who gets nothing but a health check and has to leave soon."""

    def __init__(self, places: int = CONNECTIONS) -> None:
        self.places = places
        self._guests: dict[Guest, None] = {}

    def enter(self, connection: Guest, present: int) -> bool:
        """Whether *connection* is a guest, where *present* are there with it; the oldest of too many guests leaves."""
        if present <= self.places:
            return False
        self._guests[connection] = None
        if len(self._guests) > GUESTS:
            oldest = next(iter(self._guests))
            self.left(oldest)
            oldest.leave()
        return True

    def left(self, connection: Guest) -> None:
        """*connection* is gone."""
        self._guests.pop(connection, None)


def places() -> int:
    """CONNECTIONS, unless the process may not have so many files open, however far it raises that limit."""
    wanted = CONNECTIONS + GUESTS + _OWN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < wanted:
        soft = wanted if hard < 0 else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CONNECTIONS if soft < 0 else min(CONNECTIONS, max(1, soft - GUESTS - _OWN_FILES))
