"""What the model registry knows: packages of a model, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Package:
    """A registered version of a model."""

    arn: str
    group: str
    status: str
    model_data: str
    """S3 URI of its model.tar.gz."""
    metadata: dict[str, str]

    @classmethod
    def describe(cls, sagemaker: Any, arn: str) -> Self:
        """Reads one package."""
        found = sagemaker.describe_model_package(ModelPackageName=arn)
        return cls(
            arn=found["ModelPackageArn"],
            group=found["ModelPackageGroupName"],
            status=found["ModelApprovalStatus"],
            model_data=found["InferenceSpecification"]["Containers"][0]["ModelDataUrl"],
            metadata=found.get("CustomerMetadataProperties", {}),
        )

    @classmethod
    def newest_approved(cls, sagemaker: Any, group: str) -> Self | None:
        """The champion: the newest approved package of a group, if there is one."""
        try:
            found = sagemaker.list_model_packages(
                ModelPackageGroupName=group,
                ModelApprovalStatus="Approved",
                SortBy="CreationTime",
                SortOrder="Descending",
                MaxResults=1,
            )["ModelPackageSummaryList"]
        except sagemaker.exceptions.ClientError as error:
            if "does not exist" in str(error):  # a group that no stack has made yet holds no package
                return None
            raise
        return cls.describe(sagemaker, found[0]["ModelPackageArn"]) if found else None
