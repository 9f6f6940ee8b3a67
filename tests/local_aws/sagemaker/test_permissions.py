from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from local_aws.protocol import service_model
from local_aws.sagemaker import SageMaker
from tests.local_aws.sagemaker.stage import Stage

# cfn-lint carries AWS's service authorization reference.
REFERENCE = json.loads((files("cfnlint.data.AdditionalSpecs") / "Policies.json").read_text())["sagemaker"]["Actions"]
OF_ANY_KIND = {"AddTags", "ListTags", "DeleteTags"}
OPTIONAL = {"reserved-capacity", "training-plan"}


def test_every_operation_needs_the_resources_that_the_reference_names(stage: Stage) -> None:
    service = stage.account.services["sagemaker"]
    assert isinstance(service, SageMaker)
    given = [name for name in service_model("sagemaker").operation_names if service._method(name)]

    found = {name: _kinds(service, name) for name in given if name not in OF_ANY_KIND}

    assert len(found) == 50
    assert found == {name: set(REFERENCE[name.lower()].get("Resources", ["*"])) - OPTIONAL for name in found}


def _kinds(service: SageMaker, operation: str) -> set[str]:
    """The kinds of resource that a caller needs the action on, when every name is given."""
    members: Any = service_model("sagemaker").operation_model(operation).input_shape
    names = [name for name in members.members if name.endswith("Name")]
    params = {name: "x" for name in names if (operation, name) != ("CreateModelPackage", "ModelPackageName")}
    if "PipelineExecutionArn" in members.members:
        params["PipelineExecutionArn"] = "arn:aws:sagemaker:us-east-1:123456789012:pipeline-execution/x"
    if operation == "UpdateModelPackage":
        params["ModelPackageArn"] = "arn:aws:sagemaker:us-east-1:123456789012:model-package/x/1"
    needed = service.permissions(operation, params)
    return {each.resource.rsplit(":", 1)[-1].partition("/")[0] for each in needed}


def test_handing_over_a_role_and_setting_tags_are_permissions_of_their_own(stage: Stage) -> None:
    role = "arn:aws:iam::123456789012:role/r"
    params = {"TrainingJobName": "job", "RoleArn": role, "Tags": [{"Key": "a", "Value": "b"}]}

    needed = stage.account.services["sagemaker"].permissions("CreateTrainingJob", params)

    job = "arn:aws:sagemaker:us-east-1:123456789012:training-job/job"
    assert [tuple(each) for each in needed] == [
        ("sagemaker:CreateTrainingJob", job, {}),
        ("sagemaker:AddTags", job, {}),
        ("iam:PassRole", role, {"iam:PassedToService": "sagemaker.amazonaws.com"}),
    ]
