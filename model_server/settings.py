"""What the container is told from outside."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LARGEST_BODY_MB = 100
_REALTIME_MB = 6
SENSITIVE = ("", "masked", "as-sent")
"""What becomes of sensitive features in records; unless it is said they are masked where the package can."""


@dataclass(frozen=True)
class Settings:
    """Where the model is, where to listen, how many workers answer, and what they tell.

    `largest_body` is in bytes, `timeout` and `metrics_seconds` in seconds; 0 seconds of metrics are none at all.
    `record_percent` is the share of invocations that the log keeps with their answers, and `record_sensitive` says how:
    `masked` keeps nothing of a package that has no masks, `as-sent` masks nothing. A sealed package is served only
    if it is of the model `model_name`; empty is any.
    """

    model: Path
    script: Path
    host: str
    port: int
    workers: int
    largest_body: int
    batch_payload_mb: int
    accept: str
    timeout: float
    metrics_seconds: float
    metrics_namespace: str
    endpoint: str
    model_name: str
    record_percent: float
    record_sensitive: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Reads SageMaker's own variables; ML_ROOT, BIND_HOST, METRICS_*, RECORD_*, ENDPOINT_NAME, MODEL_NAME are ours.

        Raises ValueError with a sentence.
        """
        payload = int(environment.get("SAGEMAKER_MAX_PAYLOAD_IN_MB") or 0)
        # AWS's scikit-learn container takes the program's name with or without its folder.
        program = Path(environment.get("SAGEMAKER_PROGRAM") or "inference.py").name
        return cls(
            model=Path(environment.get("ML_ROOT", "/opt/ml")) / "model",
            script=Path("code") / program,
            host=environment.get("BIND_HOST", "0.0.0.0"),  # noqa: S104  a container is reached from outside
            port=int(environment.get("SAGEMAKER_BIND_TO_PORT", "8080")),
            workers=int(environment.get("SAGEMAKER_MODEL_SERVER_WORKERS") or 0) or _cores(),
            largest_body=(payload or LARGEST_BODY_MB) * 1024 * 1024,
            batch_payload_mb=payload or _REALTIME_MB,
            accept=environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", ""),
            timeout=float(environment.get("SAGEMAKER_MODEL_SERVER_TIMEOUT") or 60),
            metrics_seconds=float(environment.get("METRICS_SECONDS", "60")),
            metrics_namespace=environment.get("METRICS_NAMESPACE", "ModelServer"),
            endpoint=environment.get("ENDPOINT_NAME", ""),
            model_name=environment.get("MODEL_NAME", ""),
            record_percent=_percent("RECORD_PERCENT", environment.get("RECORD_PERCENT") or "0"),
            record_sensitive=_one_of("RECORD_SENSITIVE", environment.get("RECORD_SENSITIVE") or "", SENSITIVE),
        )


def _cores() -> int:
    """The cores that this process may use, where the system tells; a container sees all of its machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _percent(name: str, text: str) -> float:
    try:
        percent = float(text)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise ValueError(f"{name} is {text!r}; give a number from 0 to 100, or leave it out to record nothing")
    return percent


def _one_of(name: str, text: str, allowed: Sequence[str]) -> str:
    if text not in allowed:
        raise ValueError(f"{name} is {text!r}; give {' or '.join(filter(None, allowed))}, or leave it out")
    return text
