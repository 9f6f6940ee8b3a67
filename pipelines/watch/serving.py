"""What SageMaker says of an endpoint, and which packages served when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from botocore.exceptions import ClientError

from pipelines.stages.registry import Package
from pipelines.watch import moments
from pipelines.watch.state import State, Version

_GONE = ("Could not find", "does not exist")


class Unwatchable(Exception):  # noqa: N818  it is a state of the model, not of the job
    """Nobody can say how a model is; the sentence says why, and what to do."""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as it is now."""

    name: str
    config: str
    created: datetime
    """When its config was made."""
    changed: datetime
    """When it was last updated."""
    model: str
    variants: tuple[str, ...]
    captures: bool
    """Whether SageMaker captures; else the model server's log holds the records."""
    percent: float
    """The share of answers that is kept."""

    @classmethod
    def describe(cls, sagemaker: Any, name: str) -> Self:
        """Reads it; raises Unwatchable where it is not there."""
        with _there(f"there is no endpoint {name}; release the model, or delete its stack"):
            found = sagemaker.describe_endpoint(EndpointName=name)
        if "EndpointConfigName" not in found:
            raise Unwatchable(f"the endpoint {name} is {found['EndpointStatus']} and runs nothing yet; release again")
        with _there(
            f"the config {found['EndpointConfigName']} of the endpoint {name} is gone; release the model again"
        ):
            config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
        capture = config.get("DataCaptureConfig") or {}
        captures = bool(capture.get("EnableCapture"))
        return cls(
            name,
            found["EndpointConfigName"],
            config["CreationTime"],
            found["LastModifiedTime"],
            config["ProductionVariants"][0]["ModelName"],
            tuple(each["VariantName"] for each in config["ProductionVariants"]),
            captures,
            float(capture["InitialSamplingPercentage"]) if captures else 100.0,
        )

    @property
    def log_group(self) -> str:
        """Where its containers log."""
        return f"/aws/sagemaker/Endpoints/{self.name}"


def register(state: State, endpoint: Endpoint, package: Package, at: datetime) -> State:
    """*state* with the version that the endpoint runs as its last one; the same package is the same version."""
    last = state.versions[-1] if state.versions else None
    if last and last.package == package.arn:
        return state if last.config == endpoint.config else _known_by(state, endpoint.config)
    since = endpoint.created
    if last and since <= moments.parse(last.since):
        since = min(endpoint.changed, at)  # it went back to a config that had served before
    version = Version(package.arn, endpoint.config, moments.said(since), package.model_data, dict(package.metadata))
    # Tiers are of the package that serves.
    return state.but(versions=(*state.versions, version), tiers={})


def running(sagemaker: Any, endpoint: Endpoint, state: State) -> Package:
    """The package that the endpoint runs; raises Unwatchable where its model is made of none."""
    last = state.versions[-1] if state.versions else None
    if last and last.config == endpoint.config:
        return Package(last.package, "", "", last.model_data, dict(last.metadata))
    with _there(f"the model {endpoint.model} of the endpoint {endpoint.name} is gone; release the model again"):
        container = sagemaker.describe_model(ModelName=endpoint.model).get("PrimaryContainer", {})
    if "ModelPackageName" not in container:
        raise Unwatchable(
            f"{endpoint.name} runs the model {endpoint.model}, which is made of no model package; release it by the "
            "pipeline, so that it is known what is normal for it"
        )
    with _there(f"{container['ModelPackageName']}, which {endpoint.name} runs, is gone; release another package"):
        return Package.describe(sagemaker, container["ModelPackageName"])


@contextmanager
def _there(otherwise: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if any(words in str(error) for words in _GONE):
            raise Unwatchable(otherwise) from error
        if error.response["Error"]["Code"] == "AccessDeniedException":
            # The role may see what has its team's tag, and what does not exist has no tag.
            raise Unwatchable(f"{otherwise}; or it has not the tag of its team: {error}") from error
        raise


def _known_by(state: State, config: str) -> State:
    *others, last = state.versions
    return state.but(versions=(*others, replace(last, config=config)))
