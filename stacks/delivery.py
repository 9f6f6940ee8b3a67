"""Two pipelines, however many models.

*platform* deploys what all share and plans releases; *release* takes one model to production.
"""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk

from stacks.build import Deployer
from stacks.foundation import EnvironmentStack, ToolingStack
from stacks.images import Images
from stacks.place import Place, PlacedStack
from stacks.platform_pipeline import Platform
from stacks.release_pipeline import Release
from stacks.source import source_of


class DeliveryStack(PlacedStack):
    """Both pipelines, in the tooling account."""

    def __init__(
        self, scope: cdk.App, place: Place, *, tooling: ToolingStack, environments: Mapping[str, EnvironmentStack]
    ) -> None:
        super().__init__(scope, place, "delivery", description="The platform pipeline and the release pipeline.")
        source = source_of(self, place.project.source, artifacts=tooling.artifacts)
        images = Images(self, "Images", place)
        deployer = Deployer(self, "Deploy", [tooling, *environments.values()])
        release = Release(self, "Release", place, source=source, tooling=tooling, images=images, deployer=deployer)
        Platform(
            self, "Platform", place, source=source, tooling=tooling, images=images, deployer=deployer, release=release
        )
