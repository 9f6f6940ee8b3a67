"""What the container is told from outside."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LARGEST_BODY_MB = 100


@dataclass(frozen=True)
class Settings:
    """Where the model is, and where to listen.

    `largest_body` is in bytes; SageMaker Batch Transform tells its own limit, 0 meaning none.
    """

    model: Path
    host: str
    port: int
    largest_body: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Reads ML_ROOT and BIND_HOST (ours), SAGEMAKER_BIND_TO_PORT and SAGEMAKER_MAX_PAYLOAD_IN_MB (SageMaker's)."""
        megabytes = int(environment.get("SAGEMAKER_MAX_PAYLOAD_IN_MB") or 0) or LARGEST_BODY_MB
        return cls(
            model=Path(environment.get("ML_ROOT", "/opt/ml")) / "model",
            host=environment.get("BIND_HOST", "0.0.0.0"),  # noqa: S104  a container is reached from outside
            port=int(environment.get("SAGEMAKER_BIND_TO_PORT", "8080")),
            largest_body=megabytes * 1024 * 1024,
        )
