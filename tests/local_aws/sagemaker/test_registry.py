from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.delivery import unique
from tests.local_aws.sagemaker.stage import Stage


@pytest.fixture
def group(stage: Stage) -> str:
    name = unique("group")
    stage.sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def register(stage: Stage, group: str, **members: Any) -> str:
    containers = [{"Image": stage.server, "ModelDataUrl": stage.artifact(name="registered")}]
    specification = {
        "Containers": containers,
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    return stage.sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=specification, **members
    )["ModelPackageArn"]


def test_versions_count_up_and_a_deleted_number_is_not_used_again(stage: Stage, group: str) -> None:
    first, second = register(stage, group), register(stage, group)
    stage.sagemaker.delete_model_package(ModelPackageName=second)
    third = register(stage, group)

    assert [arn.rsplit("/", 2)[1:] for arn in (first, second, third)] == [[group, "1"], [group, "2"], [group, "3"]]


def test_approval_keeps_what_it_does_not_name(stage: Stage, group: str) -> None:
    card = {"ModelCardContent": "{}", "ModelCardStatus": "Draft"}
    arn = register(stage, group, CustomerMetadataProperties={"auc": "0.8"}, ModelCard=card)
    before = stage.sagemaker.describe_model_package(ModelPackageName=arn)

    stage.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    after = stage.sagemaker.describe_model_package(ModelPackageName=arn)

    assert before["ModelApprovalStatus"] == "PendingManualApproval"
    assert after["ModelApprovalStatus"] == "Approved"
    assert after["CustomerMetadataProperties"] == {"auc": "0.8"}
    assert after["ModelCard"] == card


def test_a_package_can_be_rejected_and_approved_again(stage: Stage, group: str) -> None:
    package = register(stage, group)
    for status in ("Rejected", "Approved", "Rejected"):
        stage.sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus=status)
        found = stage.sagemaker.describe_model_package(ModelPackageName=package)
        assert found["ModelApprovalStatus"] == status


def test_packages_are_listed_by_group_and_approval(stage: Stage, group: str) -> None:
    first = register(stage, group, ModelApprovalStatus="Approved")
    second = register(stage, group, ModelApprovalStatus="Rejected")
    newest = {"SortBy": "CreationTime", "SortOrder": "Descending"}

    def arns(**filters: str) -> list[str]:
        found = stage.sagemaker.list_model_packages(ModelPackageGroupName=group, **filters)
        return [package["ModelPackageArn"] for package in found["ModelPackageSummaryList"]]

    assert arns() == [first, second]
    assert arns(**newest) == [second, first]
    assert arns(ModelApprovalStatus="Approved") == [first]


def test_only_an_approved_package_becomes_a_model(stage: Stage, group: str) -> None:
    arn = register(stage, group)
    name = unique("model")
    model = {"PrimaryContainer": {"ModelPackageName": arn}, "ExecutionRoleArn": stage.role}

    with pytest.raises(ClientError, match="is not in Approved status") as error:
        stage.sagemaker.create_model(ModelName=name, **model)
    stage.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    stage.sagemaker.create_model(ModelName=name, **model)

    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert stage.ask(stage.endpoint(stage.config(stage.variant(name))))["model"] == "registered"


def test_a_group_that_holds_packages_stays(stage: Stage, group: str) -> None:
    arn = register(stage, group)

    with pytest.raises(ClientError, match="still contains 1 Model Package"):
        stage.sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    stage.sagemaker.delete_model_package(ModelPackageName=arn)
    stage.sagemaker.delete_model_package_group(ModelPackageGroupName=group)

    with pytest.raises(ClientError, match="does not exist"):
        stage.sagemaker.describe_model_package_group(ModelPackageGroupName=group)


def test_a_policy_of_a_group_is_kept(stage: Stage, group: str) -> None:
    stage.sagemaker.put_model_package_group_policy(ModelPackageGroupName=group, ResourcePolicy='{"Version": "1"}')
    kept = stage.sagemaker.get_model_package_group_policy(ModelPackageGroupName=group)["ResourcePolicy"]
    stage.sagemaker.delete_model_package_group_policy(ModelPackageGroupName=group)

    assert kept == '{"Version": "1"}'
    with pytest.raises(ClientError, match="Cannot find resource policy"):
        stage.sagemaker.get_model_package_group_policy(ModelPackageGroupName=group)
