"""Which known vulnerabilities an image may have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from config.closed import Closed

Severity = Literal["critical", "high", "medium", "low"]

SEVERITIES: Sequence[str] = ("informational", "low", "medium", "high", "critical")
"""From harmless to worst; Amazon ECR has others for what nobody has judged yet, and those stop nothing."""


class Ignored(Closed):
    """A vulnerability that an image may have, and why."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]+-[A-Za-z0-9.:-]+$", max_length=100)]
    """Its id, as the scan names it: CVE-2026-12345."""
    reason: Annotated[str, Field(min_length=20)]
    """Why it does no harm here; a sentence, for the next reader."""
    until: date | None = None
    """The last day (UTC) on which it is ignored; from then on it counts again. Left out: for ever."""


class Vulnerabilities(Closed):
    """When an image is refused for what is known of the packages in it."""

    limit: Severity = "critical"
    """A finding that is as severe as this, or worse, stops the platform pipeline."""
    ignore: tuple[Ignored, ...] = ()
    """Findings that do not."""

    @field_validator("ignore")
    @classmethod
    def _once(cls, ignored: tuple[Ignored, ...]) -> tuple[Ignored, ...]:
        ids = [each.id for each in ignored]
        if repeated := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"{', '.join(repeated)} is listed more than once; list each vulnerability once")
        return ignored

    def stops(self, severity: str) -> bool:
        """Whether a finding of that severity (of SEVERITIES) is too severe."""
        return severity in SEVERITIES and SEVERITIES.index(severity) >= SEVERITIES.index(self.limit)

    def ignores(self, name: str, today: date) -> bool:
        """Whether a finding does not count today."""
        return any(each.id == name and (each.until is None or today <= each.until) for each in self.ignore)
