"""The judgement: every call that is needed is allowed, and nothing is allowed that is not needed."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.iam.account import Account, Role
from tests.iam.actions import Reference
from tests.iam.evaluator import Principal, Request, decide, listed, names_action
from tests.iam.use.calls import Call
from tests.iam.use.kept import Kept

REFERENCE = Reference.stored()


@dataclass(frozen=True)
class Grant:
    """One action of one statement of a role; `number` counts the role's statements."""

    role: Role
    number: int
    statement: Mapping[str, Any]
    action: str

    @property
    def resources(self) -> list[str]:
        return listed(self.statement["Resource"])

    def allows(self, call: Call, account: Account) -> bool:
        """Whether it allows a call by itself, as far as the role's own policies decide."""
        statement = {**self.statement, "Action": self.action}
        if not names_action(statement, call.action):
            return False
        alone = Principal(self.role.arn, ({"Statement": [statement]},), tags=self.role.tags)
        owner = account.owner_of(call.resource, alone.account)
        context = {"aws:ResourceAccount": owner, **call.context}
        return bool(decide(alone, Request(call.action, call.resource, alone.account, context)))

    def __str__(self) -> str:
        return f"{self.role.path} may {self.action} on {', '.join(self.resources)}"


def grants(role: Role) -> Iterator[Grant]:
    """Every action of every statement that allows."""
    for number, statement in enumerate(role.statements):
        if statement["Effect"] == "Allow":
            for action in listed(statement["Action"]):
                yield Grant(role, number, statement, action)


class Calls:
    """Needed calls, and which of them each right allows."""

    def __init__(self, calls: Iterable[Call], account: Account) -> None:
        self.all = list(calls)
        self._account = account
        self._by_role: dict[str, list[Call]] = {}
        self._users: dict[tuple[str, str, str], list[Call]] = {}
        for call in self.all:
            self._by_role.setdefault(call.who, []).append(call)

    def of(self, role: str) -> Sequence[Call]:
        """Those of a role."""
        return self._by_role.get(role, ())

    def users(self, grant: Grant) -> list[Call]:
        """Those that a right allows."""
        key = (grant.role.path, json.dumps(grant.statement, sort_keys=True), grant.action)
        if key not in self._users:
            made = self.of(grant.role.path)
            self._users[key] = [call for call in made if grant.allows(call, self._account)]
        return self._users[key]


def refused(account: Account, calls: Iterable[Call]) -> list[str]:
    """A sentence for each needed call that the policies do not allow."""
    return [f"{call}: {decision.value}" for call in calls if not (decision := call.decided(account))]


def unused(role: Role, calls: Calls, kept: Sequence[Kept]) -> list[str]:
    """A sentence for each grant of a role that no call needs, or that is wider than it, unless it is kept."""
    found = []
    for grant in grants(role):
        if reason(grant, kept) is not None:
            continue
        if not calls.users(grant):
            found.append(f"{grant}, which no recorded or documented call needs")
        elif "*" in grant.action:
            found.append(f"{grant}, which is more than the calls that need it; name them")
    return found


def reason(grant: Grant, kept: Sequence[Kept]) -> Kept | None:
    """Why a grant is kept that nothing needs."""
    return next((each for each in kept if _covers(each, grant)), None)


def idle(account: Account, calls: Calls, kept: Sequence[Kept]) -> list[Kept]:
    """What is kept although it is used, or gone."""
    needless = [
        each for role in account.roles.values() for each in grants(role) if "*" in each.action or not calls.users(each)
    ]
    return [each for each in kept if not any(_covers(each, grant) for grant in needless)]


def _covers(kept: Kept, grant: Grant) -> bool:
    return grant.action in kept.actions and any(fnmatch.fnmatchcase(grant.role.path, form) for form in kept.roles)


def on_everything(account: Account) -> Iterator[tuple[Grant, bool]]:
    """The grants on `*`, and whether AWS could limit their action to resources."""
    for role in account.roles.values():
        for grant in grants(role):
            if "*" in grant.resources:
                yield grant, any(action.arns for action in REFERENCE.named_by(grant.action))
