"""The model registry: package groups, versions, approvals."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.sagemaker import events, shapes
from local_aws.sagemaker.kinds import MODEL_PACKAGE, MODEL_PACKAGE_GROUP
from local_aws.sagemaker.shelf import Shelf
from local_aws.sagemaker.tags import Tags

if TYPE_CHECKING:
    from local_aws.account import Account

REPLACED = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
)


class Registry:
    """Model packages by "group/version", or by name where they are not versioned."""

    def __init__(self, account: Account, tags: Tags) -> None:
        self.groups = Shelf(account, MODEL_PACKAGE_GROUP, tags)
        self.packages = Shelf(account, MODEL_PACKAGE, tags)
        self._account = account
        self._versions: Counter[str] = Counter()
        self._policies: dict[str, str] = {}

    def next_version(self, group: str) -> int:
        """The version that the next package of a group gets; the number of a deleted package is not used again."""
        return self._versions[self.groups.name(group)] + 1

    def create_model_package_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """CreateModelPackageGroup."""
        group = self.groups.add(
            params["ModelPackageGroupName"], params, ModelPackageGroupStatus="Completed", CreatedBy={}
        )
        return {"ModelPackageGroupArn": group["ModelPackageGroupArn"]}

    def describe_model_package_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """DescribeModelPackageGroup."""
        return shapes.answer("DescribeModelPackageGroup", self.groups.find(params["ModelPackageGroupName"]))

    def list_model_package_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListModelPackageGroups."""
        return self.groups.listed("ListModelPackageGroups", params)

    def delete_model_package_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """DeleteModelPackageGroup; a group that holds packages stays."""
        group = self.groups.find(params["ModelPackageGroupName"])
        held = self._packages_of(group["ModelPackageGroupName"])
        if held:
            raise AwsError(
                "ConflictException",
                f"Model Package Group {group['ModelPackageGroupArn']} cannot be deleted: "
                f"it still contains {len(held)} Model Package(s).",
            )
        self.groups.remove(group["ModelPackageGroupName"])
        self._policies.pop(group["ModelPackageGroupName"], None)
        return {}

    def put_model_package_group_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        """PutModelPackageGroupPolicy."""
        group = self.groups.find(params["ModelPackageGroupName"])
        self._policies[group["ModelPackageGroupName"]] = params["ResourcePolicy"]
        return {"ModelPackageGroupArn": group["ModelPackageGroupArn"]}

    def get_model_package_group_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        """GetModelPackageGroupPolicy."""
        group = self.groups.find(params["ModelPackageGroupName"])
        policy = self._policies.get(group["ModelPackageGroupName"])
        if policy is None:
            arn = group["ModelPackageGroupArn"]
            raise AwsError("ValidationException", f"Cannot find resource policy for: {arn}")
        return {"ResourcePolicy": policy}

    def delete_model_package_group_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        """DeleteModelPackageGroupPolicy."""
        group = self.groups.find(params["ModelPackageGroupName"])
        self._policies.pop(group["ModelPackageGroupName"], None)
        return {}

    def create_model_package(self, params: dict[str, Any]) -> dict[str, Any]:
        """CreateModelPackage: a new version of a group, or a package of its own name."""
        if ("ModelPackageGroupName" in params) == ("ModelPackageName" in params):
            raise AwsError(
                "ValidationException",
                "Either ModelPackageName or ModelPackageGroupName must be provided in the input, and not both.",
            )
        members: dict[str, Any] = {
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CreatedBy": {},
        }
        name = params.get("ModelPackageName", "")
        if not name:
            group = self.groups.find(params["ModelPackageGroupName"])["ModelPackageGroupName"]
            self._versions[group] += 1
            name = f"{group}/{self._versions[group]}"
            members |= {
                "ModelPackageName": group,
                "ModelPackageGroupName": group,
                "ModelPackageVersion": self._versions[group],
                "ModelApprovalStatus": params.get("ModelApprovalStatus", "PendingManualApproval"),
            }
        package = self.packages.add(name, params, **members)
        events.model_package(self._account, package)
        return {"ModelPackageArn": package["ModelPackageArn"]}

    def describe_model_package(self, params: dict[str, Any]) -> dict[str, Any]:
        """DescribeModelPackage."""
        return shapes.answer("DescribeModelPackage", self.packages.find(params["ModelPackageName"]))

    def update_model_package(self, params: dict[str, Any]) -> dict[str, Any]:
        """UpdateModelPackage; what is not named stays."""
        old = self.packages.find(params["ModelPackageArn"])
        metadata = {**(old.get("CustomerMetadataProperties") or {}), **params.get("CustomerMetadataProperties", {})}
        for key in params.get("CustomerMetadataPropertiesToRemove", ()):
            metadata.pop(key, None)
        inferences = [
            *(old.get("AdditionalInferenceSpecifications") or ()),
            *params.get("AdditionalInferenceSpecificationsToAdd", ()),
        ]
        package = self.packages.update(
            params["ModelPackageArn"],
            **{name: params[name] for name in REPLACED if name in params},
            CustomerMetadataProperties=metadata or None,
            AdditionalInferenceSpecifications=inferences or None,
        )
        events.model_package(self._account, package)
        return {"ModelPackageArn": package["ModelPackageArn"]}

    def delete_model_package(self, params: dict[str, Any]) -> dict[str, Any]:
        """DeleteModelPackage."""
        self.packages.remove(params["ModelPackageName"])
        return {}

    def list_model_packages(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListModelPackages: the versions of a group, or by ModelPackageType (unversioned ones by default)."""
        filters = dict(params)
        group = filters.pop("ModelPackageGroupName", None)
        kind = filters.pop("ModelPackageType", "Unversioned")
        if group is not None:
            found = self._packages_of(self.groups.find(group)["ModelPackageGroupName"])
        else:
            versioned = {"Versioned": (True,), "Unversioned": (False,), "Both": (True, False)}[kind]
            found = [item for item in self.packages.items() if ("ModelPackageVersion" in item) in versioned]
        return self.packages.listed("ListModelPackages", filters, found)

    def _packages_of(self, group: str) -> list[dict[str, Any]]:
        return [item for item in self.packages.items() if item.get("ModelPackageGroupName") == group]
