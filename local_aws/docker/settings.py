"""What the `docker` command is told by its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """`home` holds what one build has built and tagged; `pushed` what is in the registry."""

    home: Path
    pushed: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Settings from LOCAL_DOCKER_HOME and LOCAL_DOCKER_PUSHED, which a build on the local AWS has."""
        return cls(home=Path(environment["LOCAL_DOCKER_HOME"]), pushed=Path(environment["LOCAL_DOCKER_PUSHED"]))
