"""The calls that roles make: those that a life on the local AWS has recorded, as the templates name things."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local_aws.permissions.life import SCENES
from tests.iam.account import Account
from tests.iam.evaluator import Decision, Principal
from tests.iam.resolving import ACCOUNT, REGION

RECORD = Path(__file__).parent / "recorded.jsonl"
SERVICE = "service:"
CONSTRUCT = re.compile(r"<([^<>]+)>")
AGAIN = "record a life anew: make permissions"


@dataclass(frozen=True)
class Call:
    """A call of a role (the path of its construct), or of a service of AWS (`service:` and its name).

    `because` says in which scenes of a life it was made and how often at least, or where AWS documents it.
    """

    who: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)
    because: tuple[str, ...] = ()

    def principal(self, account: Account) -> Principal:
        """Who makes it; raises KeyError where there is no such role."""
        if self.who.startswith(SERVICE):
            return Principal(self.who.removeprefix(SERVICE))
        return account.role(self.who).principal

    def decided(self, account: Account) -> Decision:
        """What the policies answer."""
        return account.may(self.principal(account), self.action, self.resource, self.context)

    def __str__(self) -> str:
        given = f" with {dict(self.context)}" if self.context else ""
        return f"{self.who} needs {self.action} on {self.resource}{given} ({'; '.join(self.because)})"


def lacking() -> list[str]:
    """The scenes of a whole life that the record has nothing of."""
    lived = {scene for line in RECORD.read_text().splitlines() for scene in json.loads(line)["calls"]}
    return [scene for scene in SCENES if scene not in lived]


def recorded(account: Account, lines: Sequence[str] | None = None) -> list[Call]:
    """The record's calls, in the names of these templates; raises KeyError where a construct is gone."""
    return list(_read(account, RECORD.read_text().splitlines() if lines is None else lines))


def _read(account: Account, lines: Sequence[str]) -> Iterator[Call]:
    for line in lines:
        row = json.loads(line)
        resource = placed(account, row["resource"])
        context = {key: placed(account, value) for key, value in row.get("context", {}).items()}
        seen = tuple(f"{scene}: {count}" for scene, count in row["calls"].items())
        yield Call(row["who"], row["action"], resource, context, seen)


def placed(account: Account, text: str) -> str:
    """A text of the record with the names of these templates in it."""

    def name(found: re.Match[str]) -> str:
        try:
            return account.name(found[1])
        except KeyError:
            raise KeyError(f"{found[1]!r} is in the record and in no template; {AGAIN}") from None

    return CONSTRUCT.sub(name, text).replace("{account}", ACCOUNT).replace("{region}", REGION)
