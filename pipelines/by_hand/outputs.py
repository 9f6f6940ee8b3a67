"""What a deployed stack tells about itself."""

from __future__ import annotations

import sys
from typing import Any


def stack_output(cloudformation: Any, stack: str, name: str) -> str:
    """The output *name* of a deployed stack; exits with a sentence where there is none."""
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except cloudformation.exceptions.ClientError as error:
        sys.exit(f"The stack {stack} cannot be read ({error}); deploy it first: make deploy")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    if name not in outputs:
        sys.exit(f"The stack {stack} has no output {name}; it has: {', '.join(sorted(outputs)) or 'none'}")
    return outputs[name]
