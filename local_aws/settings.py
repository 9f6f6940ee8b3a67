"""What the local AWS is told from outside."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local_aws.errors import StartError

CHECKOUT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 4599


@dataclass(frozen=True)
class Settings:
    """One run of the local AWS: where it keeps its state, what it serves, where it listens.

    `home` is wiped at the start; `port` 0 takes any free port.
    """

    home: Path
    checkout: Path
    port: int
    account: str = "123456789012"
    region: str = "us-east-1"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read LOCAL_AWS_HOME (default: .local in the checkout) and LOCAL_AWS_PORT (default: 4599)."""
        port = environment.get("LOCAL_AWS_PORT", str(DEFAULT_PORT))
        if not port.isdecimal() or int(port) > 65535:
            raise StartError(f"LOCAL_AWS_PORT is {port!r}; give a port from 1 to 65535, or 0 for any free port.")
        home = Path(environment.get("LOCAL_AWS_HOME") or CHECKOUT / ".local").resolve()
        return cls(home=home, checkout=CHECKOUT, port=int(port))
