"""The names that AWS or another part must know beforehand; everything else is named by CloudFormation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

NOTHING = "none"
"""What a pipeline variable or parameter says that is not given; CodePipeline knows no empty ones."""


@dataclass(frozen=True)
class Names:
    """Every deterministic name of a project."""

    LONGEST_ENDPOINT: ClassVar = 63

    project: str

    def stack(self, *parts: str) -> str:
        return "-".join((self.project, *parts)).replace("_", "-")

    def endpoint(self, model: str, environment: str) -> str:
        return self.stack(model, environment)

    def package_group(self, model: str) -> str:
        return self.stack(model)

    def training_pipeline(self, model: str) -> str:
        return self.stack(model)

    def batch(self, model: str, environment: str) -> str:
        """The state machine that scores a batch."""
        return self.stack(model, environment, "batch")

    def delivery_pipeline(self, kind: str) -> str:
        return self.stack(kind)

    def image_parameter(self, target: str) -> str:
        """The parameter that holds the newest image of a target (serving, serving-native, job), by digest."""
        return f"/{self.project}/images/{target}"
