"""What the caller of an operation must be allowed: the action on its resources, the roles it hands over, its tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.sagemaker import kinds
from local_aws.sagemaker.kinds import Kind
from local_aws.sagemaker.roles import passing
from local_aws.service import Permission

Arn = Callable[[Kind, str], str]

NAMED = (
    kinds.MODEL,
    kinds.ENDPOINT_CONFIG,
    kinds.ENDPOINT,
    kinds.TRAINING_JOB,
    kinds.PROCESSING_JOB,
    kinds.TRANSFORM_JOB,
    kinds.PIPELINE,
    kinds.MODEL_PACKAGE_GROUP,
    kinds.MODEL_PACKAGE,
)
VERBS = ("Create", "Describe", "Update", "Delete", "Stop", "Put", "Get", "List", "Start")
# Operations that are not named after the resource they need, or need another one besides.
OTHERS: dict[str, tuple[tuple[Kind, str], ...]] = {
    "CreateEndpoint": ((kinds.ENDPOINT, "EndpointName"), (kinds.ENDPOINT_CONFIG, "EndpointConfigName")),
    "UpdateEndpoint": ((kinds.ENDPOINT, "EndpointName"), (kinds.ENDPOINT_CONFIG, "EndpointConfigName")),
    "UpdateEndpointWeightsAndCapacities": ((kinds.ENDPOINT, "EndpointName"),),
    "StartPipelineExecution": ((kinds.PIPELINE, "PipelineName"),),
    "ListPipelineExecutions": ((kinds.PIPELINE, "PipelineName"),),
    "UpdateModelPackage": ((kinds.MODEL_PACKAGE, "ModelPackageArn"),),
    **{
        f"{verb}ModelPackageGroupPolicy": ((kinds.MODEL_PACKAGE_GROUP, "ModelPackageGroupName"),)
        for verb in ("Put", "Get", "Delete")
    },
}
ARNS = ("PipelineExecutionArn", "ResourceArn")


def required(
    operation: str, params: Mapping[str, Any], arn: Arn, next_version: Callable[[str], int]
) -> list[Permission]:
    """The permissions that an operation needs, by AWS's service authorization reference."""
    resources = _resources(operation, params, arn, next_version)
    needed = [Permission(f"sagemaker:{operation}", resource) for resource in resources]
    if operation.startswith("Create") and params.get("Tags"):
        needed.append(Permission("sagemaker:AddTags", resources[0]))
    passed = {params[name] for name in ("RoleArn", "ExecutionRoleArn") if name in params}
    return [*needed, *(passing(role) for role in sorted(passed))]


def _resources(operation: str, params: Mapping[str, Any], arn: Arn, next_version: Callable[[str], int]) -> list[str]:
    for name in ARNS:
        if name in params:
            return [params[name]]
    if operation in OTHERS:
        return [arn(kind, params[name]) for kind, name in OTHERS[operation]]
    group = params.get("ModelPackageGroupName", "").rpartition("/")[2]
    if operation == "CreateModelPackage" and group:
        return [arn(kinds.MODEL_PACKAGE, f"{group}/{next_version(group)}")]
    if operation == "ListModelPackages":
        return [arn(kinds.MODEL_PACKAGE, f"{group}/*" if group else "*")]
    subject = operation
    for verb in VERBS:
        subject = subject.removeprefix(verb)
    kind = next((kind for kind in NAMED if kind.name == subject), None)
    return [arn(kind, params[kind.key])] if kind else ["*"]
