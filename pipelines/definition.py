"""The training pipeline of a model, as plain data in SageMaker's pipeline definition schema.

prepare -> train -> evaluate -> gate -> register. Step arguments are the inputs of CreateProcessingJob,
CreateTrainingJob and CreateModelPackage; a test holds each of them against the service's own shapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.hosting import Dedicated
from config.instances import has_own_disks
from config.model import Model, Promotion
from config.naming import NOTHING

Json = dict[str, Any]

CONTENT_TYPES = ["application/json", "application/jsonlines", "text/csv"]
PROCESSING = "/opt/ml/processing"
METADATA = {
    "commit": "Commit",
    "code": "Code",
    "revision": "Revision",
    "revision_type": "RevisionType",
    "retraining": "Retraining",
    "job_image": "JobImage",
}
"""What a package says of where it comes from, and the parameter that says it to the pipeline; `none` is nothing."""


@dataclass(frozen=True)
class Surroundings:
    """What the pipeline finds in its account."""

    data_bucket: str
    artifacts_bucket: str
    job_role_arn: str
    package_group: str
    signing_key_arn: str
    volume_key_arn: str
    vpc_config: Json | None = None
    """The subnets and security groups of the jobs, where they are in a VPC."""


def training_pipeline(model: Model, around: Surroundings) -> Json:
    """The definition of *model*'s training pipeline; an execution names the code, the images and the champion."""
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [
            _parameter("Data", f"s3://{around.data_bucket}/{model.team}/{model.data.prefix}"),
            *(_parameter(name) for name in ("Code", "Commit", "JobImage", "ServingImage")),
            *(_parameter(name, NOTHING) for name in ("Champion", "Revision", "RevisionType", "Retraining")),
        ],
        "Steps": [
            _prepare(model, around),
            _train(model, around),
            _evaluate(model, around),
            _gate(model, around),
        ],
    }


def run_prefix(model: Model, artifacts_bucket: str, *rest: Any) -> Json:
    """The folder of one execution, below the team's and the model's."""
    return join(f"s3://{artifacts_bucket}/{model.team}/{model.name}/runs", get("Execution.PipelineExecutionId"), *rest)


def get(path: str) -> Json:
    return {"Get": path}


def join(*values: Any) -> Json:
    return {"Std:Join": {"On": "/", "Values": list(values)}}


def volume_key(instance: str, key_arn: str) -> dict[str, str]:
    """The key of a job's volumes, as its request says it; nothing where the machine encrypts its own disks."""
    return {} if has_own_disks(instance) else {"VolumeKmsKeyId": key_arn}


def _parameter(name: str, default: str | None = None) -> Json:
    return {"Name": name, "Type": "String"} | ({} if default is None else {"DefaultValue": default})


def _prepare(model: Model, around: Surroundings) -> Json:
    return _processing(
        model,
        around,
        "Prepare",
        inputs={"code": get("Parameters.Code"), "data": get("Parameters.Data")},
        outputs=("train", "test", "manifest"),
        arguments=["--model", model.name],
        isolated=True,
    )


def _train(model: Model, around: Surroundings) -> Json:
    channels = {"code": get("Parameters.Code"), "train": _output("Prepare", "train")}
    return {
        "Name": "Train",
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {
                "TrainingImage": get("Parameters.JobImage"),
                "TrainingInputMode": "File",
                "ContainerEntrypoint": _entrypoint("train"),
            },
            "InputDataConfig": [_channel(name, uri) for name, uri in channels.items()],
            "OutputDataConfig": {
                "S3OutputPath": run_prefix(model, around.artifacts_bucket, "model"),
                "CompressionType": "GZIP",
            },
            "ResourceConfig": {
                "InstanceType": model.training.instance,
                "InstanceCount": 1,
                "VolumeSizeInGB": model.training.volume_gb,
                **volume_key(model.training.instance, around.volume_key_arn),
            },
            "RoleArn": around.job_role_arn,
            "StoppingCondition": {"MaxRuntimeInSeconds": model.training.max_minutes * 60},
            "EnableNetworkIsolation": True,
            **_vpc(around),
        },
    }


def _vpc(around: Surroundings) -> Json:
    return {"VpcConfig": around.vpc_config} if around.vpc_config else {}


def _evaluate(model: Model, around: Surroundings) -> Json:
    step = _processing(
        model,
        around,
        "Evaluate",
        inputs={
            "code": get("Parameters.Code"),
            "model": get("Steps.Train.ModelArtifacts.S3ModelArtifacts"),
            "test": _output("Prepare", "test"),
            "manifest": _output("Prepare", "manifest"),
        },
        outputs=("evaluation", "package"),
        arguments=[
            *("--model", model.name),
            *("--champion", get("Parameters.Champion")),
            *("--commit", get("Parameters.Commit")),
            *("--signing-key", around.signing_key_arn),
        ],
    )
    step["PropertyFiles"] = [
        {"PropertyFileName": "Evaluation", "OutputName": "evaluation", "FilePath": "evaluation.json"}
    ]
    return step


def _gate(model: Model, around: Surroundings) -> Json:
    whole, compared = _evaluated("promotion.value"), _evaluated("promotion.compared")
    return {
        "Name": "Gate",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [
                _reaches(model.promotion, whole, model.promotion.bound),
                _reaches(model.promotion, compared, _evaluated("champion.bar")),
            ],
            "IfSteps": [_register(model, around)],
            "ElseSteps": [],
        },
    }


def _register(model: Model, around: Surroundings) -> Json:
    return {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": around.package_group,
            "ModelPackageDescription": model.description,
            "ModelApprovalStatus": "Approved",
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": get("Parameters.ServingImage"),
                        "ModelDataUrl": join(_output("Evaluate", "package"), "model.tar.gz"),
                    }
                ],
                "SupportedContentTypes": CONTENT_TYPES,
                "SupportedResponseMIMETypes": CONTENT_TYPES,
                "SupportedTransformInstanceTypes": [model.batch.instance],
                "SupportedRealtimeInferenceInstanceTypes": _real_time(model),
            },
            "ModelMetrics": {
                "ModelQuality": {
                    "Statistics": {
                        "ContentType": "application/json",
                        "S3Uri": join(_output("Evaluate", "evaluation"), "evaluation.json"),
                    }
                }
            },
            "CustomerMetadataProperties": {
                **{name: get(f"Parameters.{parameter}") for name, parameter in METADATA.items()},
                "run": get("Execution.PipelineExecutionArn"),
            },
        },
    }


def _real_time(model: Model) -> list[str]:
    """Every instance type that an environment answers on; a serverless model names one that it could."""
    hostings = [model.hosting, *(model.in_environment(name).hosting for name in model.environments)]
    return sorted({hosting.instance for hosting in hostings if isinstance(hosting, Dedicated)}) or [
        model.batch.instance
    ]


def _processing(
    model: Model,
    around: Surroundings,
    name: str,
    *,
    inputs: Mapping[str, Json],
    outputs: tuple[str, ...],
    arguments: list[Any] | None = None,
    isolated: bool = False,
) -> Json:
    """A processing step; one that is *isolated* has no network and no credentials: SageMaker moves its data."""
    network = {**({"EnableNetworkIsolation": True} if isolated else {}), **_vpc(around)}
    program = {"ImageUri": get("Parameters.JobImage"), "ContainerEntrypoint": _entrypoint(name.lower())}
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "AppSpecification": program | ({"ContainerArguments": arguments} if arguments else {}),
            "ProcessingInputs": [_input(channel, uri) for channel, uri in inputs.items()],
            "ProcessingOutputConfig": {"Outputs": [_destination(model, around, channel) for channel in outputs]},
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": model.training.instance,
                    "InstanceCount": 1,
                    "VolumeSizeInGB": model.training.volume_gb,
                    **volume_key(model.training.instance, around.volume_key_arn),
                }
            },
            "RoleArn": around.job_role_arn,
            "StoppingCondition": {"MaxRuntimeInSeconds": model.training.max_minutes * 60},
            **({"NetworkConfig": network} if network else {}),
        },
    }


def _entrypoint(step: str) -> list[str]:
    return ["python3", "-m", f"pipelines.steps.{step}"]


def _input(name: str, uri: Json) -> Json:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{PROCESSING}/input/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


def _destination(model: Model, around: Surroundings, name: str) -> Json:
    return {
        "OutputName": name,
        "S3Output": {
            "S3Uri": run_prefix(model, around.artifacts_bucket, name),
            "LocalPath": f"{PROCESSING}/output/{name}",
            "S3UploadMode": "EndOfJob",
        },
    }


def _channel(name: str, uri: Json) -> Json:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "InputMode": "File"}


def _output(step: str, name: str) -> Json:
    return get(f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")


def _evaluated(path: str) -> Json:
    return {"Std:JsonGet": {"PropertyFile": get("Steps.Evaluate.PropertyFiles.Evaluation"), "Path": path}}


def _reaches(promotion: Promotion, value: Json, bar: Json | float) -> Json:
    kind = "LessThanOrEqualTo" if promotion.is_error else "GreaterThanOrEqualTo"
    return {"Type": kind, "LeftValue": value, "RightValue": bar}
