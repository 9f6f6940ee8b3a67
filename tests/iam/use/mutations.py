"""Policies with one mistake each: an action taken away, or one given that nothing needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.iam.account import Account, Role
from tests.iam.evaluator import Document, listed, statements
from tests.iam.matching import action_like
from tests.iam.use.calls import Call
from tests.iam.use.judging import Calls, grants, refused

NEEDLESS = (
    *("s3:DeleteBucket", "iam:GetRole", "kms:ScheduleKeyDeletion", "sagemaker:DeleteEndpoint"),
    *("logs:DeleteLogGroup", "s3:*", "ec2:RunInstances"),
)
"""What no role needs on everything."""


@dataclass(frozen=True)
class Removal:
    """An action (as the policies write it) taken from all policies of a role, and the sentences that follow."""

    role: str
    action: str
    sentences: list[str]
    needed: list[Call]
    """The calls that only this action allows."""

    @property
    def caught(self) -> bool:
        """Whether a sentence names the role, the action and the resource of each call that is lost."""
        return bool(self.sentences) and all(
            any(call.who in said and call.action in said and call.resource in said for said in self.sentences)
            for call in self.needed
        )


def removals(account: Account, calls: Calls) -> Iterator[Removal]:
    """Each action of each role, which some needed call uses, in turn."""
    for role in list(account.roles.values()):
        rights = list(grants(role))
        for action in dict.fromkeys(grant.action for grant in rights):
            lost = [each for grant in rights if grant.action == action for each in calls.users(grant)]
            if lost:
                with changed(role, {path: without(given, action) for path, given in role.policies.items()}):
                    said = refused(account, lost)
                    yield Removal(role.path, action, said, [call for call in lost if not call.decided(account)])


@contextmanager
def changed(role: Role, policies: Mapping[str, Document]) -> Iterator[None]:
    """The role has other policies for the block."""
    before, role.policies = role.policies, dict(policies)
    try:
        yield
    finally:
        role.policies = before


def without(document: Document, action: str) -> Document:
    """A policy whose statements name no such action, in whatever form; a statement that names nothing else is gone."""
    return {"Statement": list(_without(statements(document), action))}


def _without(found: list[Mapping[str, Any]], action: str) -> Iterator[Mapping[str, Any]]:
    for statement in found:
        left = [
            each for each in listed(statement["Action"]) if not _same(each, action) or statement["Effect"] == "Deny"
        ]
        if left:
            yield {**statement, "Action": left}


def _same(one: str, other: str) -> bool:
    """Whether two texts are forms of the same action: `kms:GenerateDataKey*` names `kms:GenerateDataKey`."""
    return action_like(one, other) or action_like(other, one)


def with_more(role: Role, action: str) -> dict[str, Document]:
    """The role's policies, and one that allows an action on everything."""
    return {**role.policies, "more": {"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}}
