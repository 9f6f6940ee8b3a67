"""Where the project goes: accounts and regions, and what each of them holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from config.project import Account, Project
from pipelines.stages.surroundings import Surroundings

PLACES = ("tooling", "staging", "production")
_PATIENCE = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3})


@dataclass(frozen=True)
class Location:
    """An account and region, and the places of the project that are there; no *account* is that of the credentials.

    *chosen* are those that were asked about: quotas are of the whole location, whoever asks.
    """

    around: Surroundings
    account: str | None
    region: str
    holds: Sequence[str]
    chosen: Sequence[str]
    _clients: dict[str, Any] = field(default_factory=dict, compare=False)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(service, region_name=self.region, config=_PATIENCE)
        return self._clients[service]

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """Who signs: Account and Arn."""
        return self.client("sts").get_caller_identity()

    @property
    def environments(self) -> Sequence[str]:
        """The places here where models answer."""
        return [name for name in self.holds if name != "tooling"]

    def __str__(self) -> str:
        return f"{', '.join(self.chosen)} in {self.region}" + (f", account {self.account}" if self.account else "")


def locations(around: Surroundings, chosen: Sequence[str], region: str | None) -> list[Location]:
    """Each account and region that has a chosen place, once; *region* is that of the credentials."""
    where = {name: _where(around.project, name, region) for name in PLACES}
    return [
        Location(
            around,
            account,
            there,
            holds=[name for name in PLACES if where[name] == (account, there)],
            chosen=[name for name in chosen if where[name] == (account, there)],
        )
        for account, there in dict.fromkeys(where[name] for name in chosen)
    ]


def _where(project: Project, name: str, region: str | None) -> tuple[str | None, str]:
    place: Account = getattr(project, name)
    return place.account, place.region or region or ""
