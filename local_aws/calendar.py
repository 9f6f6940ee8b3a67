"""The account's time, which may be set, so that a year of production passes in a minute."""

from __future__ import annotations

from datetime import UTC, datetime


class Calendar:
    """Stamps what production leaves behind: captured requests, metrics of requests, endpoint configs, log lines.

    Everything else has real time: credentials, signatures, objects, stacks, builds, pipelines.
    """

    def __init__(self) -> None:
        self._at: datetime | None = None

    @property
    def is_set(self) -> bool:
        """Whether time stands still at a moment that somebody has set."""
        return self._at is not None

    def now(self) -> datetime:
        """The moment that was set, or else real time; in UTC."""
        return self._at or datetime.now(UTC)

    def set(self, at: datetime | None) -> None:
        """Let it be this moment until another one is set; None goes back to real time."""
        if at is not None and at.tzinfo is None:
            raise ValueError(f"The calendar needs a moment with a time zone, got {at.isoformat()}; add tzinfo=UTC.")
        self._at = at.astimezone(UTC) if at else None
