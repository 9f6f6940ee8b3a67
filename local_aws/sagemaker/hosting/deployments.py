"""A deployment: the variants of one endpoint configuration, up and serving. Blue is one, green another."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.sagemaker import volumes
from local_aws.sagemaker.hosting.models import Models
from local_aws.sagemaker.hosting.servers import ModelServer, StartupError
from local_aws.sagemaker.hosting.variants import Variant
from local_aws.sagemaker.together import each

if TYPE_CHECKING:
    from local_aws.account import Account

CHANCE = random.SystemRandom()


class Deployment:
    """The variants of an endpoint under one configuration."""

    def __init__(self, account: Account, endpoint: str, config: Mapping[str, Any], models: Models) -> None:
        self.config = config
        self.started = datetime.now(UTC)
        self._account = account
        self._endpoint = endpoint
        self._models = models
        self.variants = {
            variant["VariantName"]: Variant(
                account, endpoint, variant, lambda model=variant["ModelName"]: models.container(model)
            )
            for variant in config["ProductionVariants"]
        }

    def launch(self) -> None:
        """Start every instance; StartupError, with none left running, when one cannot serve."""
        self.encrypt()
        try:
            each(lambda variant: variant.scale(variant.desired), self.variants.values())
        except BaseException:
            self.retire()
            raise

    def encrypt(self) -> None:
        """Ask for the key of the instances' volumes, as SageMaker does under each model's role; or StartupError."""
        key = self.config.get("KmsKeyId")
        names = [variant.config["ModelName"] for variant in self.variants.values()] if key else []
        try:
            for role in sorted({self._models.container(name).role for name in names}):
                volumes.grant(self._account, key, role, "an endpoint")
        except AwsError as error:
            raise StartupError(error.message) from error

    @property
    def desired(self) -> int:
        """The instances of all variants; a serverless one counts as one."""
        return sum(variant.desired for variant in self.variants.values())

    @property
    def running(self) -> int:
        """The instances that there are."""
        return sum(len(variant.servers) for variant in self.variants.values())

    @property
    def is_plain(self) -> bool:
        """Whether it is one variant with instances of its own."""
        return len(self.variants) == 1 and not any(variant.serverless for variant in self.variants.values())

    def retire(self) -> None:
        """Stop every instance once its requests are answered."""
        each(Variant.retire, self.variants.values())

    def lease(self, target: str | None) -> tuple[Variant, ModelServer] | None:
        """A variant, by weight or by name, and an instance of it reserved for one request; None when none serves."""
        variant = self._variant(target)
        server = variant.lease()
        return (variant, server) if server else None

    def retain(self, old: Deployment, excluded: Collection[str]) -> None:
        """Take over what the variants of the same name have been scaled and weighted to, and what was captured."""
        if "DataCaptureConfig" not in excluded:
            self.config = {**self.config, "DataCaptureConfig": old.config.get("DataCaptureConfig", {})}
        for name in self.variants.keys() & old.variants.keys():
            if "DesiredInstanceCount" not in excluded and not self.variants[name].serverless:
                self.variants[name].desired = old.variants[name].desired
            if "DesiredWeight" not in excluded:
                self.variants[name].weight = old.variants[name].weight

    def describe(self, stage: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The variants as DescribeEndpoint shows them, and at what *stage* of an update they are."""
        status = {"VariantStatus": [stage]} if stage else {}
        return [{**_describe(variant), **status} for variant in self.variants.values()]

    def _variant(self, target: str | None) -> Variant:
        if target is not None:
            if target not in self.variants:
                raise AwsError("ValidationError", f"Variant {target} not found for endpoint {self._endpoint}")
            return self.variants[target]
        variants = list(self.variants.values())
        if len(variants) == 1:
            return variants[0]
        return CHANCE.choices(variants, [variant.weight for variant in variants])[0]


def _describe(variant: Variant) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "VariantName": variant.name,
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.weight,
        "DeployedImages": [
            {"SpecifiedImage": image, "ResolvedImage": image}
            for image in sorted({server.container.image for server in variant.servers})
        ],
    }
    if variant.serverless:
        return {**shown, "CurrentServerlessConfig": variant.serverless}
    return {**shown, "CurrentInstanceCount": len(variant.servers), "DesiredInstanceCount": variant.desired}
