"""Who may do what, by the policies alone: AWS's evaluation logic for one request.

Written from the IAM user guide, and apart from what the local AWS decides with; `test_evaluator.py` compares the two,
and holds this one against the stored answers of a third (`outside.jsonl`). Left out, since no template has them:
session policies, policies of an organization, access control lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.iam.conditions import holds
from tests.iam.matching import Context, action_like, arn_like

Document = Mapping[str, Any]
Statement = Mapping[str, Any]

MUST_ALLOW = ("kms", "sts")
"""A key's policy and a role's trust policy are asked even in their own account; an identity policy is not enough."""


class Decision(Enum):
    """The three answers of IAM."""

    ALLOWED = "allowed"
    DENIED = "denied"
    """By a statement."""
    NOT_ALLOWED = "not allowed"
    """No statement allows it."""

    def __bool__(self) -> bool:
        return self is Decision.ALLOWED


class Naming(Enum):
    """How a resource's policy names a principal."""

    NOBODY = 0
    ITS_ACCOUNT = 1
    """Which leaves the decision to the identity policies of that account."""
    ITSELF = 2
    WITHOUT_LIMIT = 3
    """The very session, or everyone: the boundary of the role does not limit it."""


@dataclass(frozen=True)
class Principal:
    """A role's session (`arn` is the role's) or an AWS service (`arn` is its name)."""

    arn: str
    policies: Sequence[Document] = ()
    boundary: Document | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    session: str = "session"

    @property
    def is_service(self) -> bool:
        return not self.arn.startswith("arn:")

    @property
    def account(self) -> str:
        return "" if self.is_service else self.arn.split(":")[4]

    @property
    def session_arn(self) -> str:
        """What STS calls the session of a role."""
        return f"{self.arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/{self.session}"


@dataclass(frozen=True)
class Request:
    """One call: `owner` is the account of the resource, `policy` the resource's own policy, if it has one."""

    action: str
    resource: str
    owner: str
    context: Context = field(default_factory=dict)
    policy: Document | None = None


def decide(principal: Principal, request: Request) -> Decision:
    """What IAM answers: an explicit deny anywhere wins, then what allows within the boundary."""
    context = _context(principal, request)
    identity = [each for document in principal.policies for each in statements(document)]
    boundary = None if principal.boundary is None else statements(principal.boundary)
    resource = [] if request.policy is None else statements(request.policy)
    named = [(each, naming(each, principal)) for each in resource]
    about = [each for each, how in named if how is not Naming.NOBODY]
    if any(_applies(each, "Deny", request, context) for each in [*identity, *(boundary or []), *about]):
        return Decision.DENIED
    by_identity = _allowed(identity, request, context)
    within = boundary is None or _allowed(boundary, request, context)
    how = max((how for each, how in named if _applies(each, "Allow", request, context)), key=_rank, default=_NOBODY)
    return Decision.ALLOWED if _combined(principal, request, by_identity, within, how) else Decision.NOT_ALLOWED


_NOBODY = Naming.NOBODY


def _rank(how: Naming) -> int:
    return how.value


def _combined(principal: Principal, request: Request, by_identity: bool, within: bool, how: Naming) -> bool:
    if principal.is_service:
        return how is not Naming.NOBODY
    if principal.account != request.owner:
        return by_identity and within and how is not Naming.NOBODY
    if how is Naming.WITHOUT_LIMIT or (how is Naming.ITSELF and within):
        return True
    asked = request.action.split(":")[0].lower() in MUST_ALLOW and request.policy is not None
    return by_identity and within and (not asked or how is not Naming.NOBODY)


def statements(document: Document) -> list[Statement]:
    """The statements of a policy, which may be one alone."""
    found = document.get("Statement", [])
    return [found] if isinstance(found, Mapping) else list(found)


def listed(value: Any) -> list[Any]:
    """A policy's element that may be one text or several."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _allowed(found: Sequence[Statement], request: Request, context: Context) -> bool:
    return any(_applies(each, "Allow", request, context) for each in found)


def _applies(statement: Statement, effect: str, request: Request, context: Context) -> bool:
    return (
        statement["Effect"] == effect
        and names_action(statement, request.action)
        and _names_resource(statement, request.resource, context)
        and holds(statement.get("Condition", {}), context)
    )


def names_action(statement: Statement, action: str) -> bool:
    """Whether a statement is about an action, whatever the resource."""
    if "NotAction" in statement:
        return not any(action_like(action, text) for text in listed(statement["NotAction"]))
    return any(action_like(action, text) for text in listed(statement["Action"]))


def _names_resource(statement: Statement, resource: str, context: Context) -> bool:
    if "NotResource" in statement:
        return not any(_resource_like(resource, text, context) for text in listed(statement["NotResource"]))
    # A trust policy has no Resource: it is about its role.
    return any(_resource_like(resource, text, context) for text in listed(statement.get("Resource", "*")))


def _resource_like(resource: str, text: str, context: Context) -> bool:
    """A call on nothing in particular (`*`) is allowed by `*` alone."""
    return text == "*" or (resource != "*" and arn_like(resource, text, context))


def naming(statement: Statement, principal: Principal) -> Naming:
    """How a statement of a resource's policy names a principal."""
    if "NotPrincipal" in statement:
        spared = any(how is not Naming.NOBODY for how in _namings(statement["NotPrincipal"], principal))
        # Whoever has a boundary is never spared: AWS warns of it.
        return Naming.NOBODY if spared and principal.boundary is None else Naming.ITSELF
    return max(_namings(statement["Principal"], principal), key=_rank, default=Naming.NOBODY)


def _namings(element: Any, principal: Principal) -> Iterator[Naming]:
    if element == "*":
        yield Naming.WITHOUT_LIMIT
        return
    for service in listed(element.get("Service", [])):
        if principal.is_service and _is_service(service, principal.arn):
            yield Naming.ITSELF
    for text in listed(element.get("AWS", [])):
        if text == "*":
            yield Naming.WITHOUT_LIMIT
        elif not principal.is_service:
            yield _naming(text, principal)


def _naming(text: str, principal: Principal) -> Naming:
    if text == principal.session_arn:
        return Naming.WITHOUT_LIMIT
    if text == principal.arn:
        return Naming.ITSELF
    account = re.fullmatch(r"(?:arn:[a-z-]+:iam::)?(\d{12})(?::root)?", text)
    return Naming.ITS_ACCOUNT if account and account[1] == principal.account else Naming.NOBODY


def _is_service(named: str, service: str) -> bool:
    """Also by its regional name (states.eu-west-1.amazonaws.com)."""
    alone, _, domain = service.partition(".")
    return named == service or re.fullmatch(rf"{re.escape(alone)}\.[a-z0-9-]+\.{re.escape(domain)}", named) is not None


def _context(principal: Principal, request: Request) -> Context:
    """The request's keys with those that AWS always adds."""
    always: dict[str, str | list[str]] = {
        "aws:resourceaccount": request.owner,
        "aws:securetransport": "true",
    }
    if principal.is_service:
        always["aws:principalisawsservice"] = "true"
        always["aws:principalservicename"] = principal.arn
    else:
        always["aws:principalarn"] = principal.arn
        always["aws:principalaccount"] = principal.account
        always["aws:principalisawsservice"] = "false"
        always["aws:principaltype"] = "AssumedRole"
        always |= {f"aws:principaltag/{key}".lower(): value for key, value in principal.tags.items()}
    return always | {key.lower(): value for key, value in request.context.items()}
