"""A profile, and beside it in one object the manifest of what it counted: both change together or not at all."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from monitoring import store
from monitoring.baseline import Baseline
from monitoring.profile import Profile
from pipelines.watch.shelf import Shelf

MANIFEST = "manifest.json"
ENDING = ".profile"
_TRIES = 20


class Seen(NamedTuple):
    """An object that was counted."""

    etag: str
    events: int
    """Lines of captured events, or rows with a label."""
    again: int = 0
    """How often the object had been counted before under another ETag."""
    problem: str = ""
    """Why nothing of it could be counted."""


Manifest = dict[str, Seen]


@dataclass
class Ledger:
    """What one object holds; `etag` is None where there is none yet."""

    profile: Profile
    manifest: Manifest = field(default_factory=dict)
    etag: str | None = None


class Ledgers:
    """The ledgers in one folder, all against one baseline; each is read once in a run."""

    def __init__(self, shelf: Shelf, folder: str, baseline: Baseline) -> None:
        self._shelf = shelf
        self._folder = folder
        self._baseline = baseline
        self._read: dict[str, Ledger] = {}
        self._names: set[str] | None = None

    def names(self, since: str = "") -> list[str]:
        """Units (2016-07), and units' shards (2016-07.0), from the unit *since* on."""
        if self._names is None:
            keys = (item.key.removeprefix(self._folder) for item in self._shelf.items(self._folder))
            self._names = {key.removesuffix(ENDING) for key in keys if key.endswith(ENDING)}
        return sorted(name for name in self._names if unit_of(name) >= since)

    def get(self, name: str) -> Ledger:
        """The ledger of a unit, perhaps an empty one."""
        if name not in self._read:
            kept = self._shelf.read(self._key(name)) if name in self.names() else None
            self._read[name] = self._parse(name, kept.content, kept.etag) if kept else Ledger(Profile(self._baseline))
        return self._read[name]

    def add(self, name: str, count: Callable[[Ledger], bool]) -> None:
        """Lets *count* add to a ledger what is missing there, and puts it back; again where another was quicker.

        What *count* says is whether it added anything.
        """
        for _ in range(_TRIES):
            ledger = self.get(name)
            if not count(ledger):
                return
            etag = self._shelf.replace(self._key(name), _dump(ledger), ledger.etag)
            if etag:
                ledger.etag = etag
                self._known().add(name)
                return
            del self._read[name]
            self._names = None
        raise TimeoutError(
            f"{self._key(name)} was changed by others {_TRIES} times in a row; let one job run at a time"
        )

    def _known(self) -> set[str]:
        self.names()
        assert self._names is not None
        return self._names

    def _key(self, name: str) -> str:
        return f"{self._folder}{name}{ENDING}"

    def _parse(self, name: str, content: bytes, etag: str) -> Ledger:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            manifest = {key: Seen(*each) for key, each in json.loads(archive.read(MANIFEST)).items()}
        return Ledger(store.parse(self._baseline, io.BytesIO(content), self._key(name)), manifest, etag)


def unit_of(name: str) -> str:
    """The unit of a ledger's name, which may end with the number of a shard."""
    return name.partition(".")[0]


def _dump(ledger: Ledger) -> bytes:
    file = io.BytesIO()
    store.dump(ledger.profile, file)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps(ledger.manifest))
    return file.getvalue()
