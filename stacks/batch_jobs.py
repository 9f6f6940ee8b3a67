"""The jobs of a batch, as the requests that start them; `$` is the state of the state machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_stepfunctions as sfn

from config.features import Category, Feature
from config.hosting import Batch as Fleet
from pipelines.definition import volume_key
from stacks import jobs

FORMAT = "text/csv"
PROCESSING = "/opt/ml/processing"
SCREEN_GB, RECONCILE_GB = 100, 10
"""Disks: room for an instance's objects twice; and for none, since they are read from the bucket."""

_LONGEST_NAME = 63
_LONGEST_SUFFIX = len("-reconcile-") + 12

Json = dict[str, object]


@dataclass(frozen=True)
class Jobs:
    """The jobs of one model's batches.

    `records` is the bucket's name, `folder` is `batch/<team>/<model>` in it, `capture` the prefix of records or None.
    With a `vpc_config` the processing jobs are in that VPC; where a transform job is, its model says. With `masks` the
    records hide sensitive features.
    """

    endpoint_name: str
    records: str
    folder: str
    capture: str | None
    model_name: str
    package_arn: str
    role_arn: str
    volume_key_arn: str
    features: Sequence[Feature]
    fleet: Fleet
    vpc_config: Mapping[str, object] | None = None
    masks: bool = False

    def prefix(self, kind: str) -> str:
        """How the names of all jobs of a kind begin."""
        name = self.endpoint_name
        room = _LONGEST_NAME - _LONGEST_SUFFIX
        if len(name) > room:
            digest = hashlib.sha256(name.encode()).hexdigest()[:8]
            name = f"{name[: room - 9].rstrip('-')}-{digest}"
        return f"{name}-{kind}"

    def name(self, kind: str) -> str:
        """A job's name: the execution's token makes it unique, so that a run can be started again."""
        return sfn.JsonPath.format(f"{self.prefix(kind)}-{{}}", sfn.JsonPath.string_at("$.names.token"))

    def screen(self) -> Json:
        """CreateProcessingJob: sorts the rows."""
        longest = str(self.fleet.payload_mb)
        made = {"accepted": "accepted", "quarantine": "quarantine", "again": "again"}
        return {
            **self._processing("screen", self.fleet.instances, SCREEN_GB, "--longest-mb", longest),
            "ProcessingInputs": [
                _input("rows", sfn.JsonPath.string_at("$.flow.rows"), "ShardedByS3Key"),
                _model(),
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": name,
                        "S3Output": {
                            "S3Uri": self._uri(folder),
                            "LocalPath": f"{PROCESSING}/output/{name}",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                    for name, folder in made.items()
                ]
            },
        }

    def score(self) -> Json:
        """CreateTransformJob: answers the accepted rows."""
        return {
            "TransformJobName": self.name("score"),
            "ModelName": self.model_name,
            "BatchStrategy": "MultiRecord",
            "MaxPayloadInMB": self.fleet.payload_mb,
            "TransformInput": {
                "ContentType": content_type(self.features),
                "SplitType": "Line",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": self._uri("accepted")}},
            },
            "TransformOutput": {"Accept": FORMAT, "AssembleWith": "Line", "S3OutputPath": self._uri("out")},
            "TransformResources": {
                "InstanceType": self.fleet.instance,
                "InstanceCount": self.fleet.instances,
                **volume_key(self.fleet.instance, self.volume_key_arn),
            },
            "Tags": _tags(),
        }

    def reconcile(self) -> Json:
        """CreateProcessingJob: holds what went in against what came out."""
        at = sfn.JsonPath.string_at("$.time.at")
        masks = ("--mask",) if self.masks else ()
        more = ("--capture", self.capture, *masks) if self.capture else ()
        asked = self._processing("reconcile", 1, RECONCILE_GB, "--at", at, "--package", self.package_arn, *more)
        return asked | ({"ProcessingInputs": [_model()]} if "--mask" in more else {})

    def _processing(self, program: str, instances: int, volume_gb: int, *more: str) -> Json:
        run, mode = sfn.JsonPath.string_at("$.run"), sfn.JsonPath.string_at("$.flow.mode")
        shared = ("--run", run, "--mode", mode, "--bucket", self.records, "--folder", self.folder)
        return {
            "ProcessingJobName": self.name(program),
            "RoleArn": self.role_arn,
            "AppSpecification": {
                "ImageUri": sfn.JsonPath.string_at(JOB_IMAGE),
                "ContainerEntrypoint": ["python3", "-m", f"pipelines.batch.{program}"],
                "ContainerArguments": sfn.JsonPath.array(*shared, *more),
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": self.fleet.instance,
                    "InstanceCount": instances,
                    "VolumeSizeInGB": volume_gb,
                    **volume_key(self.fleet.instance, self.volume_key_arn),
                }
            },
            **jobs.network(self.vpc_config, instances),
            "Tags": _tags(),
        }

    def _uri(self, folder: str) -> str:
        return sfn.JsonPath.format(f"s3://{self.records}/{self.folder}/{folder}/{{}}/", sfn.JsonPath.string_at("$.run"))


JOB_IMAGE = "$.package.CustomerMetadataProperties.job_image"
_CONTAINER = "$.package.InferenceSpecification.Containers[0]"


def _model() -> Json:
    """The package that scores, as an input."""
    return _input("model", sfn.JsonPath.string_at(f"{_CONTAINER}.ModelDataUrl"), "FullyReplicated")


def _input(name: str, uri: str, distribution: str) -> Json:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{PROCESSING}/input/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": distribution,
        },
    }


def content_type(features: Sequence[Feature]) -> str:
    """How rows are sent: where a value could be a feature's name, the server must not take a row for a header."""
    names = {feature.name for feature in features}
    values = {value for feature in features if isinstance(feature, Category) for value in feature.values}
    return f"{FORMAT}; header=absent" if names & values or any(map(_is_number, names)) else FORMAT


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _tags() -> list[dict[str, str]]:
    return [{"Key": "run", "Value": sfn.JsonPath.string_at("$.run")}]
