"""Registers a package's model again with a newer image: nothing is trained, and the answers stay what they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.stages.registry import Package

COPIED = ("ModelPackageDescription", "ModelMetrics", "DriftCheckBaselines", "Domain", "Task")
ANSWERED = ("ImageDigest", "ModelDataETag")
"""What SageMaker finds out of a container itself, and takes from nobody."""


def patched(sagemaker: Any, package: Package, image: str, metadata: Mapping[str, str]) -> Package:
    """*package* with *image* and further metadata; one that an earlier try has registered is taken again."""
    earlier = Package.newest(sagemaker, package.group)
    if earlier and earlier.is_patch(package, image):
        return earlier
    found = sagemaker.describe_model_package(ModelPackageName=package.arn)
    specification = found["InferenceSpecification"]
    containers = [
        {name: value for name, value in container.items() if name not in ANSWERED} | {"Image": image}
        for container in specification["Containers"]
    ]
    created = sagemaker.create_model_package(
        ModelPackageGroupName=package.group,
        InferenceSpecification={**specification, "Containers": containers},
        ModelApprovalStatus="Approved",
        CustomerMetadataProperties={
            **package.metadata,
            **metadata,
            "patched_from": package.arn,
            "trained_commit": package.trained_commit,
        },
        **{name: found[name] for name in COPIED if found.get(name)},
    )
    return Package.describe(sagemaker, created["ModelPackageArn"])
