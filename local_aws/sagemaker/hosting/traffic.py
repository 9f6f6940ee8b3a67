"""How many requests each configuration of an endpoint has answered: what a roll-out did to its users."""

from __future__ import annotations

import threading


class Traffic:
    """Counts of requests and of failed ones, by endpoint and configuration, since the account began."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, list[int]]] = {}
        self._lock = threading.Lock()

    def count(self, endpoint: str, config: str, *, failed: bool) -> None:
        """Note that a config of an endpoint has answered a request."""
        with self._lock:
            counted = self._counts.setdefault(endpoint, {}).setdefault(config, [0, 0])
            counted[0] += 1
            counted[1] += failed

    def of(self, endpoint: str) -> dict[str, tuple[int, int]]:
        """The requests of each config of an endpoint, and how many of them failed."""
        with self._lock:
            return {config: (whole, failed) for config, (whole, failed) in self._counts.get(endpoint, {}).items()}
