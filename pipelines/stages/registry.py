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
    image: str = ""
    """The image that it is served with."""

    @property
    def trained_commit(self) -> str:
        """The commit that it was trained at; an image patch is of a later one, and trains nothing."""
        return self.metadata.get("trained_commit") or self.metadata.get("commit", "")

    def is_patch(self, package: Package, image: str) -> bool:
        """Whether it is *package* in another image, and may be released."""
        return (self.metadata.get("patched_from"), self.image, self.status) == (package.arn, image, "Approved")

    def content(self, s3: Any) -> bytes:
        """Its model.tar.gz."""
        bucket, _, key = self.model_data.removeprefix("s3://").partition("/")
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    @classmethod
    def describe(cls, sagemaker: Any, arn: str) -> Self:
        """Reads one package."""
        found = sagemaker.describe_model_package(ModelPackageName=arn)
        container = found["InferenceSpecification"]["Containers"][0]
        return cls(
            arn=found["ModelPackageArn"],
            group=found["ModelPackageGroupName"],
            status=found["ModelApprovalStatus"],
            model_data=container["ModelDataUrl"],
            metadata=found.get("CustomerMetadataProperties", {}),
            image=container.get("Image", ""),
        )

    @classmethod
    def newest_approved(cls, sagemaker: Any, group: str) -> Self | None:
        """The champion: the newest approved package of a group, if there is one."""
        return cls._newest(sagemaker, group, ModelApprovalStatus="Approved")

    @classmethod
    def newest(cls, sagemaker: Any, group: str) -> Self | None:
        """The newest package of a group, approved or not, if there is one."""
        return cls._newest(sagemaker, group)

    @classmethod
    def _newest(cls, sagemaker: Any, group: str, **wanted: str) -> Self | None:
        try:
            found = sagemaker.list_model_packages(
                ModelPackageGroupName=group,
                SortBy="CreationTime",
                SortOrder="Descending",
                MaxResults=1,
                **wanted,
            )["ModelPackageSummaryList"]
        except sagemaker.exceptions.ClientError as error:
            if "does not exist" in str(error):  # a group that no stack has made yet holds no package
                return None
            raise
        return cls.describe(sagemaker, found[0]["ModelPackageArn"]) if found else None
