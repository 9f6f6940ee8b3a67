"""What the job is told: its arguments, and which of its instances this is."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

from config.naming import Names
from pipelines.container import Container, StepError
from pipelines.watch import moments


@dataclass(frozen=True)
class Settings:
    """One run for one team."""

    project: str
    environment: str
    team: str
    bucket: str
    """The environment's records bucket."""
    at: datetime
    """The run's time; no clock is read."""
    data_bucket: str = ""
    """Where a retraining finds its data; without it none starts."""
    only: Literal["count", "judge", ""] = ""
    place: int = 0
    """Which of the instances this is, from 0."""
    instances: int = 1

    @classmethod
    def read(cls, container: Container, arguments: Sequence[str] | None = None) -> Self:
        """From the command line, and from what SageMaker says of the job's instances; raises StepError."""
        said = _parser().parse_args(arguments)
        try:
            at = moments.parse(said.at)
        except ValueError as error:
            raise StepError(f"--at is {said.at!r}; give a time in ISO 8601, such as 2016-02-01T05:00:00Z") from error
        place, instances = _instances(container)
        if instances > 1 and said.only != "count":
            raise StepError(
                f"the job has {instances} instances; let them run with --only count, and then one with --only judge"
            )
        return cls(
            said.project, said.environment, said.team, said.bucket, at, said.data_bucket, said.only, place, instances
        )

    @property
    def names(self) -> Names:
        return Names(self.project)

    @property
    def when(self) -> str:
        """The run's time in ISO 8601."""
        return moments.said(self.at)


def _instances(container: Container) -> tuple[int, int]:
    file = container.root / "config" / "resourceconfig.json"
    if not file.exists():
        return 0, 1
    resources: dict[str, Any] = json.loads(file.read_text())
    hosts = sorted(resources.get("hosts", [resources["current_host"]]))
    return hosts.index(resources["current_host"]), len(hosts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m pipelines.watch", description="Judges all models of a team.")
    parser.add_argument("--project", required=True)
    parser.add_argument("--environment", required=True)
    parser.add_argument("--team", required=True)
    parser.add_argument("--bucket", required=True, help="the environment's records bucket")
    parser.add_argument("--at", required=True, help="the run's time in ISO 8601, from the schedule")
    parser.add_argument("--data-bucket", default="", help="the bucket that models are trained from")
    parser.add_argument("--only", choices=("count", "judge"), default="", help="for jobs with several instances")
    return parser
