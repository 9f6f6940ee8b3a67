"""What an endpoint runs, read from SageMaker itself: CloudFormation calls an update a success that was rolled back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from botocore.exceptions import ClientError

from pipelines.stages.registry import Package

_GONE = ("Could not find", "does not exist")


@dataclass(frozen=True)
class Running:
    """An endpoint as it is now."""

    endpoint: str
    status: str
    reason: str
    """Why it is as it is, where SageMaker says so: it failed, or it was rolled back."""
    config: str
    variants: tuple[dict[str, Any], ...]
    """As its config describes them."""

    @classmethod
    def describe(cls, sagemaker: Any, endpoint: str) -> Self | None:
        """Reads it; None where there is none."""
        try:
            found = sagemaker.describe_endpoint(EndpointName=endpoint)
        except ClientError as error:
            if any(words in str(error) for words in _GONE):
                return None
            raise
        config = found.get("EndpointConfigName", "")
        return cls(
            endpoint, found["EndpointStatus"], found.get("FailureReason", ""), config, _variants(sagemaker, config)
        )

    @property
    def models(self) -> set[str]:
        """The names of its models."""
        return {variant["ModelName"] for variant in self.variants}

    @property
    def instances(self) -> dict[str, str | None]:
        """The instance type of each variant; None of one without instances."""
        return {variant["VariantName"]: variant.get("InstanceType") for variant in self.variants}

    def package(self, sagemaker: Any) -> Package | None:
        """The package that it serves; None where nothing serves, or what serves is made of none that is registered."""
        for model in self.models:
            container = sagemaker.describe_model(ModelName=model).get("PrimaryContainer", {})
            if "ModelPackageName" in container:
                return _registered(sagemaker, container["ModelPackageName"])
        return None


def serving(sagemaker: Any, endpoint: str) -> Package | None:
    """The package that an endpoint serves; None where there is no endpoint, or it serves none."""
    running = Running.describe(sagemaker, endpoint)
    return running.package(sagemaker) if running else None


def _registered(sagemaker: Any, package: str) -> Package | None:
    try:
        return Package.describe(sagemaker, package)
    except ClientError as error:
        if any(words in str(error) for words in _GONE):
            return None  # it was deleted from the registry, and what is made of it goes on
        raise


def _variants(sagemaker: Any, config: str) -> tuple[dict[str, Any], ...]:
    if not config:
        return ()
    try:
        return tuple(sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"])
    except ClientError as error:
        if any(words in str(error) for words in _GONE):
            return ()  # an endpoint goes on without its config
        raise
