"""How a rehearsal fails."""

from __future__ import annotations

from pathlib import Path


class RehearsalError(Exception):
    """A step did not do what it should; the message says what, `log` where to read on."""

    def __init__(self, message: str, log: Path) -> None:
        super().__init__(message)
        self.log = log
