"""What may be wrong with what the caller brought, as a sentence."""

from __future__ import annotations


class MonitoringError(ValueError):
    """A sentence for the person who runs the command: what is wrong, the value got, the values allowed, what to do."""


class DataError(MonitoringError):
    """A file that cannot be read to its end, or does not hold what it must; nothing of it was counted."""
