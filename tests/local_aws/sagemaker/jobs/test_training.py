from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.delivery import allow, eventually, role, unique
from tests.local_aws.sagemaker.stage import LOGS, PULL, Stage


def start(stage: Stage, *, role: str | None = None, algorithm: dict[str, Any] | None = None, **members: Any) -> str:
    name = unique("training")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{stage.bucket}/{name}/train"}
    stage.put(f"{name}/train/a.csv", "1 2 3")
    stage.put(f"{name}/train/deeper/b.csv", "4 5")
    stage.sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=role or stage.role,
        AlgorithmSpecification={"TrainingImage": stage.trainer, "TrainingInputMode": "File", **(algorithm or {})},
        OutputDataConfig={"S3OutputPath": f"s3://{stage.bucket}/models/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        **{
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            **members,
        },
    )
    return name


def archive(stage: Stage, uri: str) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(stage.get(uri))) as tar:
        return {entry.name: tar.extractfile(entry).read().decode() for entry in tar if entry.isfile()}  # type: ignore[union-attr]


def test_a_training_reads_its_channels_and_leaves_a_model(stage: Stage) -> None:
    metrics = [{"Name": "auc", "Regex": "auc: ([0-9.]+)"}]
    name = start(stage, algorithm={"MetricDefinitions": metrics}, HyperParameters={"name": "mine"})
    begun = stage.sagemaker.describe_training_job(TrainingJobName=name)

    ended = stage.ended("Training", name)

    assert begun["TrainingJobStatus"] == "InProgress"
    assert ended["TrainingJobStatus"] == "Completed", ended
    artifact = ended["ModelArtifacts"]["S3ModelArtifacts"]
    assert artifact == f"s3://{stage.bucket}/models/{name}/output/model.tar.gz"
    assert json.loads(archive(stage, artifact)["model.json"]) == {"name": "mine", "rows": 5}
    output = archive(stage, artifact.replace("model.tar.gz", "output.tar.gz"))
    assert output == {"report.txt": "train"}  # the image is started with the argument "train"
    assert [(each["MetricName"], each["Value"]) for each in ended["FinalMetricDataList"]] == [("auc", 0.75)]
    statuses = [each["Status"] for each in ended["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert stage.log("/aws/sagemaker/TrainingJobs", f"{name}/algo-1-") == ["rows=5; auc: 0.75"]


def test_a_role_that_may_not_read_the_data_fails_the_training(stage: Stage, account: Account) -> None:
    weak = role(account, "sagemaker", PULL, LOGS, allow("s3:ListBucket"))
    name = start(stage, role=weak)

    ended = stage.ended("Training", name)

    assert ended["TrainingJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith(
        f"ClientError: Data download failed:Unable to download object s3://{stage.bucket}/{name}/train/a.csv "
        "(AccessDenied: "
    )


def test_a_role_that_may_not_write_the_model_fails_the_training(stage: Stage, account: Account) -> None:
    weak = role(account, "sagemaker", PULL, LOGS, allow("s3:ListBucket", "s3:GetObject"))
    ended = stage.ended("Training", start(stage, role=weak))

    assert ended["TrainingJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith("ClientError: Artifact upload failed:Unable to upload object s3://")


def test_what_the_program_writes_to_failure_is_the_reason(stage: Stage) -> None:
    ended = stage.ended("Training", start(stage, HyperParameters={"fail": "no such column"}))

    assert ended["TrainingJobStatus"] == "Failed"
    assert ended["FailureReason"] == "AlgorithmError: no such column, exit code: 3"
    assert ended["SecondaryStatusTransitions"][-1]["StatusMessage"] == ended["FailureReason"]


def test_an_image_that_was_never_pushed_fails_the_training(stage: Stage) -> None:
    unknown = stage.trainer.replace(":1", ":2")
    ended = stage.ended("Training", start(stage, algorithm={"TrainingImage": unknown}))

    assert ended["FailureReason"].startswith("ClientError: Cannot pull algorithm container.")


def test_a_training_without_data_says_so(stage: Stage) -> None:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{stage.bucket}/nothing/here"}
    channels = [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}]
    ended = stage.ended("Training", start(stage, InputDataConfig=channels))

    assert f'No S3 objects found under S3 URL "s3://{stage.bucket}/nothing/here"' in ended["FailureReason"]


def test_a_stopped_training_may_save_its_model_first(stage: Stage) -> None:
    name = start(stage, HyperParameters={"wait": "yes"})
    eventually(lambda: _status(stage, name) == "Training")
    eventually(lambda: _log(stage, name) == ["waiting"])

    stage.sagemaker.stop_training_job(TrainingJobName=name)
    stopping = stage.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"]
    ended = stage.ended("Training", name)
    with pytest.raises(ClientError, match="The request was rejected because the training job is in status Stopped"):
        stage.sagemaker.stop_training_job(TrainingJobName=name)

    assert stopping in ("Stopping", "Stopped")
    assert (ended["TrainingJobStatus"], ended["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert archive(stage, ended["ModelArtifacts"]["S3ModelArtifacts"]) == {"saved.txt": "at the last moment"}


def test_a_training_that_takes_too_long_is_stopped(stage: Stage) -> None:
    name = start(stage, HyperParameters={"wait": "yes"}, StoppingCondition={"MaxRuntimeInSeconds": 2})

    ended = stage.ended("Training", name)

    assert (ended["TrainingJobStatus"], ended["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_the_entrypoint_of_the_job_replaces_that_of_the_image(stage: Stage) -> None:
    algorithm = {"ContainerEntrypoint": ["python3", "train.py"], "ContainerArguments": ["--fast"]}
    ended = stage.ended("Training", start(stage, algorithm=algorithm))

    artifact = ended["ModelArtifacts"]["S3ModelArtifacts"].replace("model.tar.gz", "output.tar.gz")
    assert archive(stage, artifact) == {"report.txt": "--fast"}


def test_a_name_is_used_once_and_an_unknown_one_is_refused_in_awss_words(stage: Stage) -> None:
    name = start(stage)
    with pytest.raises(ClientError) as again:
        stage.sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=stage.role,
            AlgorithmSpecification={"TrainingImage": stage.trainer, "TrainingInputMode": "File"},
            OutputDataConfig={"S3OutputPath": "s3://b/o"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )
    with pytest.raises(ClientError) as unknown:
        stage.sagemaker.describe_training_job(TrainingJobName="unknown")

    assert again.value.response["Error"]["Code"] == "ResourceInUse"
    assert unknown.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "Requested resource not found.",
    }


@pytest.mark.parametrize("change", [{"TrainingInputMode": "Pipe"}])
def test_what_is_not_rehearsed_is_refused(stage: Stage, change: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="is not rehearsed on the local AWS"):
        start(stage, algorithm=change)


def _status(stage: Stage, name: str) -> str:
    return stage.sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"]


def _log(stage: Stage, name: str) -> list[str]:
    return stage.log("/aws/sagemaker/TrainingJobs", f"{name}/")
