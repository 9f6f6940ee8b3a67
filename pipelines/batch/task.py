"""What reconciling a run is given, and what it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from model_server.recording.masking import Masker
from pipelines.batch.objects import Json, Objects
from pipelines.batch.places import Places
from pipelines.batch.records import Answered, Recorder, moment


@dataclass(frozen=True)
class Task:
    """A run of one model by one package.

    `capture` is the prefix of its records, or empty for none; `mask` hides values in them.
    """

    run: str
    at: str
    package: str
    objects: Objects
    places: Places
    capture: str
    mask: Masker | None = None

    def at_time(self, at: str) -> Self:
        """The same at another time."""
        return replace(self, at=at)

    @property
    def heading(self) -> Json:
        """How a summary begins."""
        return {"run": self.run, "at": self.at, "package": self.package}

    def finish(self, summary: Json, answered: Sequence[Answered]) -> Json:
        """Writes the summary and the records of the answers."""
        place = self.places.summary(self.run)
        # First, so that a run that is done again knows its time.
        self.objects.put_json(place, {**summary, "recorded": False})
        if self.capture:
            Recorder(self.objects, self.capture, self.run, moment(self.at), self.mask).record(answered)
        summary = {**summary, "recorded": bool(self.capture)}
        self.objects.put_json(place, summary)
        return summary
