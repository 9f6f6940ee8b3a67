"""What CloudFormation calls for each type of resource, as AWS's resource schemas say it of their handlers.

The table is `handlers.json`, an extract of the schemas as cfn-lint (MIT-0) carries them. To make it anew, after a type
was added or to follow AWS:

    uv pip install --target FOLDER --no-deps cfn-lint
    python -m tests.iam.handlers FOLDER/cfnlint/data/schemas
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.iam import bootstrap

TABLE = Path(__file__).parent / "handlers.json"
REGION = "us-east-1"
NO_ACTION = {"s3:REST.PUT.OBJECT"}
"""What a schema names, and IAM does not know."""
KINDS = ("create", "read", "update", "delete")


def stored() -> dict[str, list[str]]:
    """By type, the actions of all its handlers."""
    return json.loads(TABLE.read_text())


def actions() -> set[str]:
    """The actions of all handlers of the types that the stacks have, all that can be switched on included."""
    return {action for row in stored().values() for action in row if action not in NO_ACTION}


def extract(schemas: Path, types: set[str]) -> dict[str, list[str]]:
    """The table for these types, from cfn-lint's folder of schemas."""
    names = json.loads((schemas / "providers" / f"{REGION}.json").read_text())
    found = {}
    for kind in sorted(types):
        handlers = json.loads((schemas / "resources" / f"{names[kind]}.json").read_text()).get("handlers", {})
        found[kind] = sorted({each for name in KINDS for each in handlers.get(name, {}).get("permissions", [])})
    return found


def write(schemas: Path) -> None:
    """Makes the table anew."""
    with tempfile.TemporaryDirectory() as folder:
        stacks = bootstrap.bounded(Path(folder)).stacks
    types = {each["Type"] for stack in stacks.values() for each in stack.template["Resources"].values()}
    rows = ",\n".join(f"  {json.dumps(kind)}: {json.dumps(row)}" for kind, row in extract(schemas, types).items())
    TABLE.write_text(f"{{\n{rows}\n}}\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
