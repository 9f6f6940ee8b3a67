"""Whose turn it is to write a ServingStack, told from the history of the release pipeline alone.

Two releases of a model that enter a turn see each other, because CodePipeline notes an action before its build begins.
The one that comes first goes first; those that come together go by their age. A newer one that had to decide so soon
that an older one could still come along with it waits for `SETTLED` first, so both decide on the same facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

TOGETHER = timedelta(seconds=10)
"""An older release that enters a turn at most so long after a newer one goes before it; a later one is refused."""
SETTLED = timedelta(seconds=15)
"""How long after its entry a release decides, where an older one may still come; more than `TOGETHER`, as clocks
differ and histories lag."""


@dataclass(frozen=True)
class Turn:
    """Stages of the release pipeline that one release of a model goes through at a time."""

    name: str
    stages: tuple[str, ...]


STAGING = Turn("Staging to Verify", ("Staging", "Verify"))
PRODUCTION = Turn("Production to Confirm", ("Production", "Confirm"))
TURNS = {"staging": STAGING, "production": PRODUCTION}
"""The turn of each environment."""


@dataclass(frozen=True)
class Action:
    """A run of an action of the pipeline."""

    stage: str
    status: str
    start: datetime


@dataclass(frozen=True)
class Release:
    """An execution of the release pipeline; all of them that are compared are of one model."""

    execution: str
    started: datetime
    running: bool = True
    actions: tuple[Action, ...] = ()

    @property
    def name(self) -> str:
        """What its stack says of who wrote it; these texts sort by time."""
        return f"{moment(self.started)}/{self.execution}"

    @property
    def told(self) -> str:
        """As people read it."""
        return told(self.name)

    def entered(self, turn: Turn) -> datetime | None:
        """When it entered the turn, the last time where a stage was tried again."""
        return max((action.start for action in self.actions if action.stage == turn.stages[0]), default=None)

    def is_past(self, turn: Turn) -> bool:
        """Whether it has left the turn, and not come back."""
        entered = self.entered(turn)
        if not self.running:
            return True
        if entered is None:
            return False
        since = [action for action in self.actions if action.start >= entered]
        if any(action.stage not in turn.stages for action in since):
            return True
        latest = {action.stage: action.status for action in sorted(since, key=lambda action: action.start)}
        failed = any(status in ("Failed", "Abandoned") for status in latest.values())
        return failed or latest.get(turn.stages[-1]) == "Succeeded"

    def is_within(self, turn: Turn) -> bool:
        """Whether it holds the turn, or waits for it."""
        return self.entered(turn) is not None and not self.is_past(turn)


@dataclass(frozen=True)
class Go:
    """The turn is the release's own."""


@dataclass(frozen=True)
class Wait:
    """Somebody else comes first; the sentence says who."""

    why: str


@dataclass(frozen=True)
class Refused:
    """The release may not go on; the sentence says why."""

    why: str


Verdict = Go | Wait | Refused


def decide(turn: Turn, own: Release, others: Iterable[Release], written: str, now: datetime) -> Verdict:
    """Whether *own* may write the stack, of which *written* says who wrote it last.

    *others* are the other releases of the model; *written* is read after them, so that no write between is missed.
    """
    if is_later(written, own.name):
        return Refused(
            f"This is {own.told}, and the stack was written by {told(written)}, which is later. To have this package "
            "all the same, release it again with PACKAGE."
        )
    others = [other for other in others if other.running]
    entered = own.entered(turn) or now
    for other in others:
        if _is_before(turn, own, other, entered):
            return Refused(
                f"This is {own.told}. {_capital(other.told)} is newer and came into {turn.name} before it. To have "
                "this package all the same, release it again with PACKAGE when that one is through."
            )
    older = sorted((other for other in others if other.name < own.name), key=lambda other: other.name)
    first = [other for other in older if other.is_within(turn) and _came(turn, other) <= entered + TOGETHER]
    if first:
        return Wait(f"{_capital(first[0].told)} of the same model is in {turn.name}; this one comes after it.")
    coming = [other for other in older if not other.is_within(turn) and not other.is_past(turn)]
    if coming and now < entered + SETTLED:
        return Wait(f"{_capital(coming[0].told)} of the same model may come into {turn.name} just now.")
    return Go()


def _is_before(turn: Turn, own: Release, other: Release, entered: datetime) -> bool:
    """Whether *other*, which is newer, has the turn or is to have it before *own*."""
    return other.name > own.name and other.is_within(turn) and entered > _came(turn, other) + TOGETHER


def _came(turn: Turn, release: Release) -> datetime:
    entered = release.entered(turn)
    assert entered
    return entered


def moment(time: datetime) -> str:
    """A time in UTC as Step Functions writes it, so that releases and rollbacks sort together."""
    time = time.astimezone(UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"


def is_later(written: str, name: str) -> bool:
    """Whether a stack's Release is later than *name*; one that holds no time (none, or nothing) is not."""
    return written[:1].isdigit() and written > name


def told(name: str) -> str:
    """A stack's Release as people read it."""
    time, _, who = name.partition("/")
    return f"release {who} of {time}" if who else f"release {name}"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
