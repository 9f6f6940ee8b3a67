"""What SageMaker tells EventBridge, in the forms of its developer guide."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws.sagemaker import shapes
from local_aws.sagemaker.kinds import Kind

if TYPE_CHECKING:
    from local_aws.account import Account

ENDPOINT_STATUS = {"InService": "IN_SERVICE", "OutOfService": "OUT_OF_SERVICE", "RollingBack": "ROLLING_BACK"}
TYPES = {
    "TrainingJob": "SageMaker Training Job State Change",
    "ProcessingJob": "SageMaker Processing Job State Change",
    "TransformJob": "SageMaker Transform Job State Change",
}


def job(account: Account, kind: Kind, description: Mapping[str, Any]) -> None:
    """The status of a job has changed."""
    detail = shapes.answer(f"Describe{kind.name}", description)
    account.emit("aws.sagemaker", TYPES[kind.name], _detail(detail, _milliseconds), [description[kind.arn]])


def endpoint(account: Account, description: Mapping[str, Any]) -> None:
    """The status of an endpoint has changed."""
    _endpoint(account, description, "State Change")
    deployment(account, description)


def deployment(account: Account, description: Mapping[str, Any]) -> None:
    """A deployment on an endpoint has taken a step."""
    _endpoint(account, description, "Deployment State Change")


def _endpoint(account: Account, description: Mapping[str, Any], change: str) -> None:
    status = description["EndpointStatus"]
    detail = _detail(description, _milliseconds)
    detail["EndpointStatus"] = ENDPOINT_STATUS.get(status, status.upper())
    account.emit("aws.sagemaker", f"SageMaker Endpoint {change}", detail, [description["EndpointArn"]])


def model_package(account: Account, description: Mapping[str, Any]) -> None:
    """A model package is new, or something of it has changed."""
    detail = _detail(shapes.answer("DescribeModelPackage", description), _iso)
    arn = description["ModelPackageArn"]
    account.emit("aws.sagemaker", "SageMaker Model Package State Change", detail, [arn])


def execution(account: Account, description: Mapping[str, Any], before: str) -> None:
    """The status of a pipeline's execution has changed."""
    status = description["PipelineExecutionStatus"]
    ended = status in ("Succeeded", "Failed", "Stopped")
    detail = {
        "pipelineExecutionDisplayName": description["PipelineExecutionDisplayName"],
        "pipelineExecutionDescription": description.get("PipelineExecutionDescription"),
        "currentPipelineExecutionStatus": status,
        "previousPipelineExecutionStatus": before,
        "executionStartTime": description["CreationTime"],
        "executionEndTime": description["LastModifiedTime"] if ended else None,
    }
    _pipeline(account, "SageMaker Model Building Pipeline Execution Status Change", description, detail)


def step(account: Account, description: Mapping[str, Any], step: Mapping[str, Any], before: str) -> None:
    """The status of a step of a pipeline's execution has changed."""
    metadata = {name[0].lower() + name[1:]: value for name, value in step.get("Metadata", {}).items()}
    detail = {
        "stepName": step["StepName"],
        "stepType": step["StepType"],
        "currentStepStatus": step["StepStatus"],
        "previousStepStatus": before,
        "stepStartTime": step["StartTime"],
        "stepEndTime": step.get("EndTime"),
        "failureReason": step.get("FailureReason"),
        "metadata": {name: {key.lower(): item for key, item in value.items()} for name, value in metadata.items()},
    }
    _pipeline(account, "SageMaker Model Building Pipeline Execution Step Status Change", description, detail)


def _pipeline(account: Account, kind: str, description: Mapping[str, Any], detail: dict[str, Any]) -> None:
    arns = {
        "pipelineArn": description["PipelineArn"],
        "pipelineExecutionArn": description["PipelineExecutionArn"],
    }
    account.emit("aws.sagemaker", kind, _detail({**detail, **arns}, _iso), list(arns.values()))


def _detail(value: Any, time: Any) -> Any:
    match value:
        case datetime():
            return time(value)
        case Mapping():
            return {key: _detail(item, time) for key, item in value.items() if item is not None}
        case list() | tuple():
            return [_detail(item, time) for item in value]
    return value


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
