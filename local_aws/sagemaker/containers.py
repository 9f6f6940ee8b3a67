"""What a model runs: its image, its artifact, its environment, its role."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.sagemaker import roles
from local_aws.sagemaker.registry import Registry
from local_aws.sagemaker.rehearsal import refused

if TYPE_CHECKING:
    from local_aws.account import Account
    from local_aws.images import Image

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class Container:
    """The container of a model, as an instance starts it."""

    image: str
    role: str
    artifact: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    isolated: bool = False


def container_of(model: Mapping[str, Any], registry: Registry) -> Container:
    """The container of a model that was created. Raises AwsError for what is not rehearsed or not approved."""
    definition = _single(model)
    if package := definition.get("ModelPackageName"):
        definition = {**_approved(registry, package), "Environment": definition.get("Environment", {})}
    if definition.get("Mode") == "MultiModel":
        raise refused("A container in mode MultiModel", "give one model per container (mode SingleModel)")
    return Container(
        image=definition["Image"],
        role=model["ExecutionRoleArn"],
        artifact=_artifact(definition),
        environment=definition.get("Environment", {}),
        isolated=model.get("EnableNetworkIsolation", False),
    )


def environment_of(
    account: Account, image: Image, role: str, root: Path, given: Mapping[str, str], *, isolated: bool = False
) -> dict[str, str]:
    """The variables of a program in a container: AWS's under its role, the image's, then those given for it.

    `root` stands for /opt/ml. A container in network isolation gets no credentials, as on AWS.
    """
    variables = account.environment(role, service_principal=roles.PRINCIPAL, session="SageMaker")
    if isolated:
        variables = {name: value for name, value in variables.items() if name not in CREDENTIALS}
    # The programs of this Python's environment stand for those that the image's RUN layers would have installed.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"
    return {"HOME": str(root), **variables, **image.environment, **given, "PATH": path, "ML_ROOT": str(root)}


def _single(model: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = [*model.get("Containers", ()), *([model["PrimaryContainer"]] if "PrimaryContainer" in model else [])]
    if not containers:
        raise AwsError(
            "ValidationException", "Either PrimaryContainer or Containers must be given, with one container."
        )
    if len(containers) > 1:
        raise refused("A model of several containers", "give one container")
    return containers[0]


def _approved(registry: Registry, reference: str) -> Mapping[str, Any]:
    package = registry.packages.find(reference)
    status = package.get("ModelApprovalStatus", "Approved")
    if status != "Approved":
        raise AwsError(
            "ValidationException",
            f"Model package {package['ModelPackageArn']} is not in Approved status: its ModelApprovalStatus is "
            f"{status}. Approve it with UpdateModelPackage before it is deployed.",
        )
    return package["InferenceSpecification"]["Containers"][0]


def _artifact(definition: Mapping[str, Any]) -> str | None:
    if source := definition.get("ModelDataSource", {}).get("S3DataSource"):
        if source["CompressionType"] != "Gzip":
            raise refused("Model data that is not a tar.gz", "give one with ModelDataUrl")
        return source["S3Uri"]
    return definition.get("ModelDataUrl")
