"""Roles that differ only in team, model or environment, as one: what they are, and what stands in their policies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.loading import load_models
from tests.iam.account import Account, Role
from tests.iam.evaluator import listed
from tests.iam.question import PROJECT
from tests.iam.resolving import ACCOUNT, REGION
from tests.iam.use.calls import Call
from tests.iam.use.judging import Calls, Grant, grants, reason
from tests.iam.use.kept import KEPT
from tests.synthesis import ROOT

BEFORE = re.compile(rf"arn:aws:([a-z0-9-]+):(?:{REGION})?:(?:{ACCOUNT})?:")
MADE = re.compile(r"[0-9a-f]{8}$", re.IGNORECASE)
"""How a name ends that CloudFormation makes; a reader knows the construct by its path."""

SCHEDULER = re.compile(r"SchedulerRoleForTarget-[0-9a-f]+")


@dataclass(frozen=True, order=True)
class Right:
    """What a statement allows, in words that are the same for every team, model and environment."""

    resources: tuple[str, ...]
    condition: str
    because: tuple[str, ...]
    """Where it is used, or why it stays."""


@dataclass
class Kind:
    """Roles of one form, such as `greenlight-tooling/*team*/Job`, and their rights with the actions of each."""

    form: str
    roles: list[Role] = field(default_factory=list)
    rights: dict[Right, set[str]] = field(default_factory=dict)


class Words:
    """Puts `*team*`, `*model*` and `*environment*` in the place of those of the shipped project."""

    def __init__(self, account: Account) -> None:
        models = load_models(ROOT, PROJECT)
        said = dict.fromkeys(PROJECT.teams, "*team*") | dict.fromkeys(PROJECT.environments, "*environment*")
        self._said = said | {name: "*model*" for model in models for name in (model.name, model.name.replace("_", "-"))}
        self._word = _any_of(self._said)
        self._names = {name: path for name, path in account.named() if MADE.search(name)}
        self._name = _any_of(self._names)

    def path(self, path: str) -> str:
        """The form of a construct's path."""
        return SCHEDULER.sub("Schedule's role", self._word.sub(lambda found: self._said[found[0]], path))

    def resource(self, arn: str) -> str:
        """A resource as a reader knows it."""
        made = self._name.sub(lambda found: self._names[found[0]], arn)
        return self.path(BEFORE.sub(r"\1 ", made))


def _any_of(texts: Mapping[str, Any]) -> re.Pattern[str]:
    found = "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{found})(?![A-Za-z0-9])")


def kinds(account: Account, calls: Calls) -> list[Kind]:
    """All roles of the templates, by form."""
    words, found = Words(account), {}
    for role in account.roles.values():
        kind = found.setdefault(words.path(role.path), Kind(words.path(role.path)))
        kind.roles.append(role)
    for kind in found.values():
        _note(kind, calls, words)
    return sorted(found.values(), key=lambda kind: kind.form)


def _note(kind: Kind, calls: Calls, words: Words) -> None:
    """What any of the roles uses is said of all of them."""
    used: dict[tuple[tuple[str, ...], str, str], list[str]] = {}
    for role in kind.roles:
        for grant in grants(role):
            place = (tuple(sorted(map(words.resource, grant.resources))), _condition(grant, words), grant.action)
            used.setdefault(place, []).extend(_because(grant, calls.users(grant)))
    for (resources, condition, action), because in used.items():
        right = Right(resources, condition, tuple(_merged(because)))
        kind.rights.setdefault(right, set()).add(action)


def _condition(grant: Grant, words: Words) -> str:
    blocks: Mapping[str, Mapping[str, Any]] = grant.statement.get("Condition", {})
    return "; ".join(
        f"{key} {_operator(name)} {' or '.join(words.resource(str(each)) for each in listed(value))}"
        for name, block in sorted(blocks.items())
        for key, value in sorted(block.items())
    )


def _operator(name: str) -> str:
    said = {"ArnEquals": "is", "ArnLike": "is like", "Bool": "is", "StringEquals": "is", "StringLike": "is like"}
    return said.get(name, name)


def _because(grant: Grant, made: list[Call]) -> Iterator[str]:
    for call in made:
        yield from call.because
    if kept := reason(grant, KEPT):
        yield f"kept: {kept.reason}"


def _merged(because: list[str]) -> Iterator[str]:
    """Scenes with the most calls of any role, what AWS documents, and why it is kept."""
    most: dict[str, int] = {}
    for said in because:
        scene, _, count = said.rpartition(": ")
        if count.isdigit():
            most[scene] = max(most.get(scene, 0), int(count))
    for scene, count in sorted(most.items()):
        yield f"{scene} {count:,}{'+' if count > 1 else ''}"
    yield from sorted({said for said in because if not said.rpartition(": ")[2].isdigit()})
