"""What the job knows of a model between two runs: `state.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from config.naming import NOTHING

FORMAT = 1

Json = dict[str, Any]


@dataclass(frozen=True)
class Version:
    """A package that serves, or did."""

    package: str
    """Its ARN."""
    config: str
    """The newest endpoint config that ran it."""
    since: str
    """When the first that ran it was made, in ISO 8601 UTC: rows answered from then on are this package's."""
    model_data: str
    """S3 URI of its model.tar.gz."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What its registration says: `commit`, `code` (S3 URI of the model's folder), `revision`, `retraining`."""
    fingerprint: str = ""
    """Of its baseline."""

    @property
    def retraining(self) -> str:
        """The id of the retraining that made it, or nothing."""
        found = self.metadata.get("retraining", NOTHING)
        return "" if found == NOTHING else found


@dataclass(frozen=True)
class Light:
    """The light of a model: of which period, why, and since when it is like this."""

    tier: str
    period: str
    why: tuple[str, ...]
    since: str


@dataclass(frozen=True)
class Retraining:
    """A release that red started."""

    id: str
    at: str
    package: str
    """The package that was red."""
    period: str


@dataclass(frozen=True)
class Asked:
    """That a person was asked about a red period of a package, so that nobody is asked twice."""

    package: str
    period: str


@dataclass(frozen=True)
class State:
    """All of it; immutable, so that a run that lost a race has changed nothing."""

    model: str
    versions: tuple[Version, ...] = ()
    """Oldest first; the last one serves."""
    light: Light | None = None
    tiers: Mapping[str, str] = field(default_factory=dict)
    """The tier of each period of the package that serves, oldest first."""
    retrainings: tuple[Retraining, ...] = ()
    asked: tuple[Asked, ...] = ()
    collected_until: str = ""
    """Until when the model server's own records were collected from its log."""
    counted_until: str = ""
    """When a run last counted all there was: the next one lists captured objects from shortly before."""
    outbox: tuple[Json, ...] = ()
    """Events that may not have been sent yet: what PutEvents takes, with their id in the detail."""

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """From what `dump` wrote."""
        body = json.loads(text)
        if body.pop("format") != FORMAT:
            raise ValueError("state.json has another format than this program writes; move it away to start again")
        return cls(
            model=body["model"],
            versions=tuple(Version(**each) for each in body["versions"]),
            light=Light(**body["light"] | {"why": tuple(body["light"]["why"])}) if body["light"] else None,
            tiers=body["tiers"],
            retrainings=tuple(Retraining(**each) for each in body["retrainings"]),
            asked=tuple(Asked(**each) for each in body["asked"]),
            collected_until=body["collected_until"],
            counted_until=body.get("counted_until", ""),
            outbox=tuple(body["outbox"]),
        )

    def dump(self) -> bytes:
        """As JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode()

    def but(self, **changes: Any) -> Self:
        """The same with some fields changed."""
        return replace(self, **changes)
