"""Counts what became of each object of a batch, from the objects themselves and not from what a job said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipelines.batch.objects import Json, Objects
from pipelines.batch.pending import Pending
from pipelines.container import StepError

_TOLD = 3


@dataclass(frozen=True)
class Counts:
    """The rows of one object; `reasons` count those in quarantine."""

    name: str
    given: int
    accepted: int
    scored: int
    quarantined: int
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def difference(self) -> str | None:
        """What does not add up, if anything."""
        if self.given != self.accepted + self.quarantined:
            return (
                f"{self.name} has {self.given:,} rows, of which {self.accepted:,} were accepted and "
                f"{self.quarantined:,} quarantined"
            )
        if self.accepted != self.scored:
            return f"of {self.name} {self.accepted:,} rows were accepted, and {self.scored:,} have an answer"
        return None

    def to_json(self) -> dict[str, str | int]:
        """As a summary lists it."""
        return {"name": self.name, "in": self.given, "scored": self.scored, "quarantined": self.quarantined}


def answers(objects: Objects, key: str) -> int:
    """The lines that answer something: a row that the server left out has empty fields there."""
    return sum(1 for line in objects.lines(key) if line.strip(b",\r\n"))


def reasons(objects: Objects, key: str) -> Counter[str]:
    """The rows of an object in quarantine, by what is wrong with them."""
    return Counter(Pending.parse(line).kind for line in objects.lines(key))


def hold(run: str, counted: Iterable[Counts]) -> None:
    """Raises StepError where something is lost, doubled, or was there before."""
    found = [difference for each in counted if (difference := each.difference)]
    if found:
        more = f"; and {len(found) - _TOLD:,} more objects" if len(found) > _TOLD else ""
        raise StepError(
            f"run {run} does not add up: {'; '.join(found[:_TOLD])}{more}. Nothing was recorded. Let nobody change "
            "objects of a run on its way; start the run again, which screens and scores all its objects anew, and if "
            "it fails again read the logs of its transform job"
        )


def total(counted: Iterable[Counts]) -> Json:
    """The members of a summary that count."""
    counted = list(counted)
    kinds = sum((each.reasons for each in counted), Counter[str]())
    return {
        "objects": [each.to_json() for each in counted],
        "in": sum(each.given for each in counted),
        "scored": sum(each.scored for each in counted),
        "quarantined": sum(each.quarantined for each in counted),
        "reasons": dict(sorted(kinds.items())),
    }


def every(*names: Iterable[str]) -> Iterator[str]:
    """Each name that occurs, in order."""
    return iter(sorted(set().union(*names)))
