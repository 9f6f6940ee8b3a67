"""The policies of bootstrap/policies.yaml, as CloudFormation would make them of the shipped project's name."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.iam.account import Account
from tests.iam.evaluator import Document, Principal
from tests.iam.resolving import ACCOUNT, REGION, Resolver, Stack
from tests.synthesis import ROOT, fork, synthesize

TEMPLATE = ROOT / "bootstrap" / "policies.yaml"
EXECUTE = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
LONGEST = 6144
"""How many characters a managed policy may have, not counting white space."""


def template() -> dict[str, Any]:
    return yaml.safe_load(TEMPLATE.read_text())


@cache
def policies() -> dict[str, Document]:
    """The documents, by logical id."""
    stack = Stack("greenlight-bootstrap", ACCOUNT, REGION, template())
    resolver = Resolver({stack.name: stack})
    return {
        name: resolver.value(resource["Properties"]["PolicyDocument"], stack)
        for name, resource in stack.template["Resources"].items()
    }


def cloudformation() -> Principal:
    """CloudFormation's role with the execution policy."""
    return Principal(EXECUTE, (policies()["Execution"],))


def person(policy: str, team: str) -> Principal:
    """A person with one of the policies, of a team."""
    return Principal(f"arn:aws:iam::{ACCOUNT}:role/a-person", (policies()[policy],), tags={"team": team})


def bounded(folder: Path) -> Account:
    """A project with all that can be switched on, whose roles have the boundary."""
    text = (ROOT / "project.yaml").read_text() + "\nboundary: greenlight-boundary\n"
    private = "  network: {kind: private, zones: [eu-west-1a, eu-west-1b]}\n"
    text = text.replace("tooling:\n", f"tooling:\n{private}", 1)  # a model is serverless, so not elsewhere
    text = text.replace("labour-models@example.com]", "labour-models@example.com]\n    webhook: greenlight/chat", 1)
    return Account(synthesize(folder / "out", fork(folder, project_yaml=text)))


def compact(document: Document) -> str:
    return json.dumps(document, separators=(",", ":"))
