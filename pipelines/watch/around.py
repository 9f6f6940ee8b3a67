"""What a run works with: its settings, AWS, and the records bucket."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from pipelines.watch.captured import THREADS
from pipelines.watch.settings import Settings
from pipelines.watch.shelf import Shelf


@dataclass(frozen=True)
class Around:
    """Clients are made where they are used first, once in a process."""

    settings: Settings

    def client(self, service: str) -> Any:
        return _client(service)

    @property
    def records(self) -> Shelf:
        """The environment's records bucket."""
        return Shelf(self.client("s3"), self.settings.bucket)

    @property
    def region(self) -> str:
        return self.client("s3").meta.region_name


@cache
def _client(service: str) -> Any:
    patient = Config(max_pool_connections=THREADS, retries={"mode": "standard", "max_attempts": 6})
    return boto3.client(service, config=patient)
