"""Policies and requests by chance, out of few words, so that many of them meet.

`python -m tests.iam.generated 2000` prints as many, one JSON object a line, for an evaluator outside this tree.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.iam.evaluator import Decision, Principal, Request, decide

OURS, THEIRS = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{OURS}:role/reader"
OTHER_ROLE = f"arn:aws:iam::{OURS}:role/writer"
SESSION = f"arn:aws:sts::{OURS}:assumed-role/reader/session"

S3 = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
KMS = ("kms:Decrypt", "kms:Encrypt")
ACTIONS = ("*", "s3:*", "s3:Get*", "s3:?utObject", "S3:getobject", "s3:Put*", "kms:*", "kms:De*", *S3, *KMS)
OBJECTS = ("arn:aws:s3:::data/labour/x", "arn:aws:s3:::data/mobility/x", "arn:aws:s3:::other/labour/x")
KEYS = (f"arn:aws:kms:eu-west-1:{OURS}:key/one", f"arn:aws:kms:eu-west-1:{OURS}:key/two")
RESOURCES = (
    "*",
    "arn:aws:s3:::data/*",
    "arn:aws:s3:::*/labour/*",
    "arn:aws:s3:::data/labour/?",
    f"arn:aws:kms:*:{OURS}:key/*",
    f"arn:aws:kms:eu-west-1:{OURS}:key/one",
    "arn:aws:kms:eu-west-1:*:key/t*",
    *OBJECTS,
)
WITH_VARIABLES = (
    "arn:aws:s3:::data/${aws:PrincipalTag/team}/*",
    "arn:aws:s3:::data/${aws:PrincipalTag/team, 'labour'}/x",
)
PRINCIPALS = (
    "*",
    {"AWS": "*"},
    {"AWS": OURS},
    {"AWS": f"arn:aws:iam::{OURS}:root"},
    {"AWS": ROLE},
    {"AWS": [OTHER_ROLE, ROLE]},
    {"AWS": OTHER_ROLE},
    {"AWS": SESSION},
    {"AWS": f"arn:aws:iam::{THEIRS}:root"},
    {"Service": "events.amazonaws.com"},
)

TEXTS, NUMBERS, DATES = (
    ("labour", "Labour", "mobility", "lab*", "*"),
    ("1", "2", "2.0", "10"),
    ("2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "2026-06-01T02:00:00+02:00"),
)
ARNS = (
    f"arn:aws:states:eu-west-1:{OURS}:stateMachine:a",
    f"arn:aws:states:eu-west-1:{OURS}:stateMachine:*",
    f"arn:aws:*:*:{OURS}:*",
    f"arn:aws:states:eu-west-1:{THEIRS}:stateMachine:a",
)
ADDRESSES, NETWORKS = ("10.0.0.7", "10.0.1.7", "192.0.2.1"), ("10.0.0.0/24", "10.0.0.7", "10.0.0.0/8", "192.0.2.0/24")
KINDS: tuple[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "aws:PrincipalTag/team",
        (
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "StringNotLike",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
        ),
        TEXTS[:3],
        TEXTS,
    ),
    (
        "s3:max-keys",
        (
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ),
        NUMBERS,
        NUMBERS,
    ),
    (
        "aws:TokenIssueTime",
        (
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ),
        DATES,
        DATES,
    ),
    ("aws:SourceArn", ("ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals"), (ARNS[0], ARNS[3]), ARNS),
    ("aws:SourceIp", ("IpAddress", "NotIpAddress"), ADDRESSES, NETWORKS),
    ("aws:SecureTransport", ("Bool",), ("true", "false"), ("true", "false")),
)
SETS = ("StringEquals", "StringLike", "StringNotEquals", "StringNotLike")
SET_KEY, TAGS = "aws:TagKeys", ("team", "owner", "cost")


@dataclass
class Case:
    """One request, and all policies that decide about it."""

    action: str
    resource: str
    owner: str
    context: dict[str, Any]
    identity: list[dict[str, Any]]
    boundary: dict[str, Any] | None = None
    policy: dict[str, Any] | None = None
    principal: str = field(default=ROLE)

    def decide(self) -> Decision:
        """What the evaluator of these tests says."""
        who = Principal(self.principal, self.identity, self.boundary)
        return decide(who, Request(self.action, self.resource, self.owner, self.context, self.policy))


def case(chance: random.Random, *, variables: bool = True) -> Case:
    """A request and its policies."""
    on_key = chance.random() < 0.3
    resource = chance.choice(KEYS if on_key else OBJECTS)
    made = Case(
        chance.choice(KMS if on_key else S3),
        resource,
        OURS if on_key or chance.random() < 0.8 else THEIRS,
        _context(chance),
        [_document(chance, variables) for _ in range(chance.choice((0, 1, 1, 2)))],
    )
    if chance.random() < 0.3:
        made.boundary = _document(chance, variables)
    if on_key or chance.random() < 0.5:
        made.policy = _document(chance, variables, of_resource=True)
    return made


def _context(chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {key: chance.choice(values) for key, _, values, _ in KINDS if chance.random() < 0.7}
    found.setdefault("aws:SecureTransport", "true")
    found.setdefault("aws:SourceIp", ADDRESSES[0])
    if chance.random() < 0.6:
        found[SET_KEY] = chance.sample(TAGS, chance.choice((1, 2)))
    return found


def _document(chance: random.Random, variables: bool, *, of_resource: bool = False) -> dict[str, Any]:
    made = [_statement(chance, variables, of_resource) for _ in range(chance.choice((1, 1, 2, 3)))]
    return {"Version": "2012-10-17", "Statement": made}


def _statement(chance: random.Random, variables: bool, of_resource: bool) -> dict[str, Any]:
    texts, about = RESOURCES + (WITH_VARIABLES if variables else ()), "Resource"
    if (
        chance.random() < 0.1
    ):  # without variables: what NotResource means where one has no value is not written anywhere
        texts, about = RESOURCES, "NotResource"
    made: dict[str, Any] = {
        "Effect": "Allow" if chance.random() < 0.8 else "Deny",
        "NotAction" if chance.random() < 0.1 else "Action": chance.sample(ACTIONS, chance.choice((1, 2, 3))),
        about: chance.sample(texts, chance.choice((1, 2, 3))),
    }
    if of_resource:
        made["Principal"] = chance.choice(PRINCIPALS)
    if chance.random() < 0.5:
        made["Condition"] = dict(_block(chance) for _ in range(chance.choice((1, 1, 2))))
    return made


def _block(chance: random.Random) -> tuple[str, dict[str, list[str]]]:
    kind = chance.random()
    if kind < 0.15:
        return "Null", {chance.choice(KINDS)[0]: [chance.choice(("true", "false"))]}
    if kind < 0.4:
        name = chance.choice(("ForAllValues:", "ForAnyValue:")) + chance.choice(SETS)
        return name, {SET_KEY: chance.sample(TAGS, chance.choice((1, 2)))}
    key, operators, _, wanted = chance.choice(KINDS)
    name = chance.choice(operators) + ("IfExists" if chance.random() < 0.3 else "")
    return name, {key: chance.sample(wanted, min(len(wanted), chance.choice((1, 1, 2))))}


if __name__ == "__main__":
    CHANCE = random.Random(7)
    for _ in range(int(sys.argv[1])):
        MADE = case(CHANCE)
        print(json.dumps(asdict(MADE) | {"ours": MADE.decide().value}))
