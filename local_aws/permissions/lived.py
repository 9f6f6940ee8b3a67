"""A life that was lived: the journal of its calls, and what that is to be read with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

JOURNAL, BESIDE = "calls.jsonl", "life.json"


@dataclass(frozen=True)
class Scene:
    """A part of the life of a project, and when it began, in seconds of the epoch."""

    name: str
    begin: float


@dataclass(frozen=True)
class Lived:
    """`home` holds the journal; `paths` are those of constructs by the names of the run, `roles` those of roles.

    `place` is the account and region of the run.
    """

    home: Path
    paths: dict[str, str]
    roles: dict[str, str]
    scenes: tuple[Scene, ...]
    place: tuple[str, str]

    @classmethod
    def read(cls, home: Path) -> Self:
        """What was kept in a home."""
        given = json.loads((home / BESIDE).read_text())
        scenes = tuple(Scene(**each) for each in given["scenes"])
        return cls(home, given["paths"], given["roles"], scenes, tuple(given["place"]))

    def keep(self) -> None:
        """Write it beside the journal."""
        given = {
            "place": self.place,
            "scenes": [asdict(each) for each in self.scenes],
            "roles": self.roles,
            "paths": self.paths,
        }
        (self.home / BESIDE).write_text(json.dumps(given, indent=1) + "\n")
