"""The state of a model and its newest report, as they are in the bucket."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from monitoring.page import page
from pipelines.watch.places import Places
from pipelines.watch.shelf import Shelf
from pipelines.watch.state import State
from pipelines.watch.telling import identity

_TRIES = 20
_EVENTS_AT_ONCE = 10


@dataclass(frozen=True)
class Files:
    """Reads and writes them."""

    shelf: Shelf
    places: Places

    def state(self) -> tuple[State, str | None]:
        """What the last run left, and its ETag."""
        kept = self.shelf.read(self.places.state)
        return (State.parse(kept.content), kept.etag) if kept else (State(self.places.model), None)

    def change(self, change: Callable[[State], State]) -> tuple[State, State]:
        """Puts a changed state in place of the one that is there; the one before and the one now.

        Where another run is quicker, *change* is asked again with what that has left.
        """
        for _ in range(_TRIES):
            before, etag = self.state()
            after = change(before)
            if after == before or self.shelf.replace(self.places.state, after.dump(), etag):
                return before, after
        raise TimeoutError(
            f"{self.places.state} was changed by others {_TRIES} times in a row; let one job run at a time"
        )

    def report(self, body: dict[str, Any]) -> None:
        """Puts the report, as JSON and as a page."""
        self.shelf.write(self.places.report("json"), json.dumps(body, allow_nan=False).encode(), "application/json")
        self.shelf.write(self.places.report("html"), page(body).encode(), "text/html; charset=utf-8")

    def send(self, events: Any, waiting: tuple[dict[str, Any], ...]) -> None:
        """Sends events, and takes them out of the outbox; those that are not taken stay there for the next run."""
        sent: set[str] = set()
        refused = ""
        for first in range(0, len(waiting), _EVENTS_AT_ONCE):
            some = waiting[first : first + _EVENTS_AT_ONCE]
            answers = events.put_events(Entries=list(some))["Entries"]
            for entry, answer in zip(some, answers, strict=True):
                if "EventId" in answer:
                    sent.add(identity(entry))
                else:
                    refused = f"{answer.get('ErrorCode')}: {answer.get('ErrorMessage')}"
        if sent:
            self.change(
                lambda state: state.but(outbox=tuple(each for each in state.outbox if identity(each) not in sent))
            )
        if refused:
            raise RuntimeError(f"an event was not taken ({refused}); it stays in {self.places.state} for the next run")
