"""One thing that was done to a model, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """How a release or a way back has ended; a stage or a state that went wrong is added in words."""

    SERVING = "serving"
    SERVED = "served"
    ROLLED_BACK = "rolled back by alarm"
    REFUSED = "refused by gate"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    NOTHING = "nothing to release"
    FAILED = "failed"
    STOPPED = "stopped"
    RUNNING = "in progress"


@dataclass(frozen=True)
class Entry:
    """A release, or a way back of one environment."""

    at: datetime
    kind: str
    """release, or rollback."""
    execution: str
    reached: tuple[str, ...]
    """The environments that its package came to serve in."""
    outcome: Outcome
    stage: str = ""
    """Where it failed, or where it is; of a rollback its environment."""
    package: str = ""
    """The package's ARN."""
    reason: str = ""
    why: str = ""
    """Why it ended as it did, as what stopped it has said."""
    started_by: str = ""
    approved_by: str = ""
    comment: str = ""

    @property
    def told(self) -> str:
        """The outcome as people read it."""
        if self.kind == "rollback":
            return {Outcome.FAILED: "did not go back", Outcome.RUNNING: "goes back"}.get(self.outcome, self.outcome)
        match self.outcome:
            case Outcome.FAILED | Outcome.STOPPED:
                return f"{self.outcome} at {self.stage}" if self.stage else self.outcome
            case Outcome.RUNNING:
                return "waits for approval" if self.stage == "Approve" else f"at {self.stage or 'its start'}"
        return self.outcome


def with_serving(entries: Iterable[Entry], running: str | None) -> Iterator[Entry]:
    """The entries, newest first, where the newest one that brought what production runs is the one that serves."""
    found = False
    for entry in entries:
        is_it = not found and entry.outcome is Outcome.SERVED and "production" in entry.reached
        if is_it and entry.package == running:
            found = True
            yield replace(entry, outcome=Outcome.SERVING)
        else:
            yield entry


def ran_before(entries: Iterable[Entry], environment: str, running: str) -> list[str]:
    """The packages that an environment could go back to, the last one first; *entries* come newest first.

    What a way back has left is not gone back to by the next one.
    """
    served: list[str] = []
    for entry in sorted(entries, key=lambda entry: entry.at):
        if environment not in entry.reached or entry.outcome not in (Outcome.SERVED, Outcome.SERVING):
            continue
        if entry.kind == "rollback" and entry.package in served:
            served = served[: _last(served, entry.package)]
        if served[-1:] != [entry.package]:
            served.append(entry.package)
    if running in served:
        served = served[: _last(served, running)]
    return [package for package in dict.fromkeys(reversed(served)) if package != running]


def _last(packages: list[str], package: str) -> int:
    return len(packages) - 1 - packages[::-1].index(package)
