"""What the local AWS is told from outside."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local_aws.errors import StartError

CHECKOUT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 4599
A_MINUTE, REHEARSED_MINUTE = 60.0, 2.0
"""Seconds of a minute of waiting: as long as it is, and as short as a rehearsal makes it."""


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
    minute_seconds: float = A_MINUTE
    """How long a minute of waiting lasts: of a roll-out's baking, of an endpoint's alarms, of scaling's cooldowns."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, *, minute_seconds: float = A_MINUTE) -> Self:
        """Read LOCAL_AWS_HOME (default: .local in the checkout), LOCAL_AWS_PORT (4599) and LOCAL_AWS_MINUTE_SECONDS."""
        port = environment.get("LOCAL_AWS_PORT", str(DEFAULT_PORT))
        if not port.isdecimal() or int(port) > 65535:
            raise StartError(f"LOCAL_AWS_PORT is {port!r}; give a port from 1 to 65535, or 0 for any free port.")
        home = Path(environment.get("LOCAL_AWS_HOME") or CHECKOUT / ".local").resolve()
        return cls(home=home, checkout=CHECKOUT, port=int(port), minute_seconds=_minute(environment, minute_seconds))


def _minute(environment: Mapping[str, str], default: float) -> float:
    given = environment.get("LOCAL_AWS_MINUTE_SECONDS", str(default))
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= A_MINUTE:
        raise StartError(
            f"LOCAL_AWS_MINUTE_SECONDS is {given!r}; give the seconds that a minute of waiting lasts, from 1 to 60."
        )
    return seconds
