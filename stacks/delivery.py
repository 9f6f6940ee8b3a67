"""Two pipelines, however many models.

*platform* deploys what all share and plans releases; *release* takes one model to production.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk

from stacks.build import Deployer
from stacks.foundation import EnvironmentStack, ToolingStack
from stacks.images import Images
from stacks.place import Place, PlacedStack
from stacks.platform_pipeline import Platform
from stacks.release_pipeline import Release
from stacks.retraining import Retraining
from stacks.source import source_of
from stacks.watch import WatchStack


class DeliveryStack(PlacedStack):
    """Both pipelines, in the tooling account."""

    def __init__(
        self,
        scope: cdk.App,
        place: Place,
        *,
        tooling: ToolingStack,
        environments: Mapping[str, EnvironmentStack],
        watches: Sequence[WatchStack],
    ) -> None:
        super().__init__(scope, place, "delivery", description="The platform pipeline and the release pipeline.")
        source = source_of(self, place.project.source, artifacts=tooling.artifacts)
        images = Images(self, "Images", place)
        deployer = Deployer(self, "Deploy", [tooling, *environments.values(), *watches])
        release = Release(self, "Release", place, source=source, tooling=tooling, images=images, deployer=deployer)
        Platform(
            self,
            "Platform",
            place,
            source=source,
            tooling=tooling,
            images=images,
            deployer=deployer,
            release=release,
            watches=watches,
        )
        for watch in watches:
            Retraining(self, f"Retraining-{watch.place.name}", release=release, watch=watch)
