"""Packages that are recorded and not in the registry: what they come back as, and their registration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.by_hand.restore.records import FIRST, ROOT, Described
from pipelines.stages.patching import ANSWERED, COPIED

TAKEN = (
    *COPIED,
    "AdditionalInferenceSpecifications",
    "ModelCard",
    "ModelLifeCycle",
    "SamplePayloadUrl",
    "SecurityConfig",
    "SkipModelValidation",
    "SourceUri",
)
PENDING = "PendingManualApproval"


@dataclass(frozen=True)
class Return:
    """A package that comes back, and the approval that it comes back with."""

    package: Described
    status: str

    @property
    def why(self) -> str:
        """Why its approval is another one than it had."""
        if self.status == self.package.status:
            return ""
        return "it is older than what is there, and is not to be taken for the newest; approve it where you want it"


def registered(sagemaker: Any, group: str) -> list[Described] | None:
    """The packages of a group; None where there is no such group."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    try:
        arns = [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]
    except sagemaker.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return [Described(sagemaker.describe_model_package(ModelPackageName=arn)) for arn in arns]


def returns(recorded: Sequence[Described], there: Sequence[Described]) -> Iterator[Return]:
    """What comes back, in its order. One that is older than what is there does not come back as Approved."""
    known = {each.identity for each in there}
    newest = max((each.order for each in there), default=("", 0))
    for each in recorded:
        if each.identity not in known:
            is_late = each.status == "Approved" and each.order < newest
            yield Return(each, PENDING if is_late else each.status)


def register(sagemaker: Any, group: str, coming: Return, arns: dict[str, str]) -> str:
    """Registers a package again, and gives its ARN; *arns* says what the ARNs of others are now."""
    description = coming.package.description
    specification = description["InferenceSpecification"]
    containers = [
        {name: value for name, value in container.items() if name not in ANSWERED}
        for container in specification["Containers"]
    ]
    metadata = {name: arns.get(value, value) for name, value in coming.package.metadata.items()}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={**specification, "Containers": containers},
        ModelApprovalStatus=coming.status,
        CustomerMetadataProperties=metadata | {ROOT: coming.package.root, FIRST: coming.package.first},
        **{name: description[name] for name in TAKEN if description.get(name)},
    )["ModelPackageArn"]
    if (said := description.get("ApprovalDescription")) and coming.status == coming.package.status:
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=coming.status, ApprovalDescription=said)
    return arn
