"""All that has happened to a model, newest first: its releases and its ways back."""

from __future__ import annotations

from dataclasses import dataclass, field

from config import Model
from pipelines.by_hand.past.entry import Entry, with_serving
from pipelines.by_hand.past.origin import Origin
from pipelines.by_hand.past.releases import Releases
from pipelines.by_hand.past.ways_back import WaysBack
from pipelines.stages.running import serving
from pipelines.stages.surroundings import Surroundings


@dataclass(frozen=True)
class History:
    """The past of one model; what is read once is kept."""

    around: Surroundings
    model: Model
    _origins: dict[str, Origin] = field(default_factory=dict)

    def newest(self, limit: int) -> list[Entry]:
        """The last *limit* releases and ways back, newest first."""
        found = [
            *Releases(self.around, self.model.name).newest(limit),
            *WaysBack(self.around, self.model.name).newest(),
        ]
        found.sort(key=lambda entry: entry.at, reverse=True)
        return list(with_serving(found, self.runs("production")))[:limit]

    def runs(self, environment: str) -> str | None:
        """The package that an environment's endpoint runs, as SageMaker says."""
        package = serving(self.around.client("sagemaker"), self.around.names.endpoint(self.model.name, environment))
        return package.arn if package else None

    def origin(self, package: str) -> Origin:
        """Where a package comes from."""
        if package not in self._origins:
            self._origins[package] = Origin.read(self.around.client("sagemaker"), self.around.client("s3"), package)
        return self._origins[package]
