from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.delivery import allow, role, unique
from tests.local_aws.sagemaker.stage import LOGS, PULL, Stage


def start(stage: Stage, *, hosts: int = 1, source: dict[str, Any] | None = None, **members: Any) -> str:
    name = unique("processing")
    for letter in "abc":
        stage.put(f"{name}/in/{letter}.txt", "0.9 ")
    given = {"S3Uri": f"s3://{stage.bucket}/{name}/in", "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"}
    output = {
        "S3Uri": f"s3://{stage.bucket}/{name}/out",
        "LocalPath": "/opt/ml/processing/out",
        "S3UploadMode": "EndOfJob",
    }
    cluster = {"InstanceCount": hosts, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    stage.sagemaker.create_processing_job(
        ProcessingJobName=name,
        ProcessingInputs=[
            {"InputName": "in", "S3Input": {**given, "S3InputMode": "File", **(source or {})}},
        ],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": output}]},
        ProcessingResources={"ClusterConfig": cluster},
        **{"AppSpecification": {"ImageUri": stage.processor}, "RoleArn": stage.role, **members},
    )
    return name


def told(stage: Stage, name: str, host: str = "algo-1") -> dict[str, Any]:
    return json.loads(stage.get(f"s3://{stage.bucket}/{name}/out/{host}.json"))


def test_a_processing_reads_folders_and_leaves_folders(stage: Stage) -> None:
    name = start(stage, Environment={"COLOUR": "blue"})

    ended = stage.ended("Processing", name)

    assert ended["ProcessingJobStatus"] == "Completed", ended
    assert ended["ExitMessage"] == "all went well"
    assert ended["ProcessingStartTime"] <= ended["ProcessingEndTime"]
    assert told(stage, name)["names"] == ["a.txt", "b.txt", "c.txt"]
    environment = told(stage, name)["env"]
    assert (environment["COLOUR"], environment["FROM_IMAGE"]) == ("blue", "yes")
    assert environment["PROCESSING_JOB_NAME"] == name


def test_arguments_and_entrypoint_reach_the_program_as_they_are(stage: Stage) -> None:
    application = {
        "ImageUri": stage.processor,
        "ContainerEntrypoint": ["python3", "process.py"],
        "ContainerArguments": ["--to", "/opt/ml/processing/out"],
    }
    name = start(stage, AppSpecification=application)
    stage.ended("Processing", name)

    assert told(stage, name)["arguments"] == ["--to", "/opt/ml/processing/out"]


def test_hosts_share_the_objects_when_they_are_sharded(stage: Stage) -> None:
    name = start(stage, hosts=2, source={"S3DataDistributionType": "ShardedByS3Key"})

    ended = stage.ended("Processing", name)

    assert ended["ProcessingJobStatus"] == "Completed", ended
    assert told(stage, name, "algo-1")["names"] == ["a.txt", "c.txt"]
    assert told(stage, name, "algo-2")["names"] == ["b.txt"]


def test_a_program_that_fails_gives_its_reason(stage: Stage) -> None:
    application = {"ImageUri": stage.processor, "ContainerArguments": ["--fail"]}
    name = start(stage, AppSpecification=application)

    ended = stage.ended("Processing", name)

    assert ended["ProcessingJobStatus"] == "Failed"
    assert ended["FailureReason"] == "AlgorithmError: nothing to process, exit code: 1"


def test_a_role_that_may_not_read_fails_the_processing(stage: Stage, account: Account) -> None:
    weak = role(account, "sagemaker", PULL, LOGS, allow("s3:PutObject", "s3:ListBucket"))

    ended = stage.ended("Processing", start(stage, RoleArn=weak))

    assert ended["ProcessingJobStatus"] == "Failed"
    assert "Unable to download object" in ended["FailureReason"]
    assert "AccessDenied" in ended["FailureReason"]


def test_a_role_that_may_not_write_logs_still_processes(stage: Stage, account: Account) -> None:
    silent = role(account, "sagemaker", PULL, allow("s3:PutObject", "s3:GetObject", "s3:ListBucket"))

    ended = stage.ended("Processing", start(stage, RoleArn=silent))

    assert ended["ProcessingJobStatus"] == "Completed"


def test_a_running_processing_can_be_stopped(stage: Stage) -> None:
    application = {"ImageUri": stage.processor, "ContainerEntrypoint": ["sleep", "60"]}
    name = start(stage, AppSpecification=application)

    stage.sagemaker.stop_processing_job(ProcessingJobName=name)

    assert stage.ended("Processing", name)["ProcessingJobStatus"] == "Stopped"


def test_a_job_leaves_nothing_on_the_disk(stage: Stage) -> None:
    name = start(stage)
    stage.ended("Processing", name)

    assert not (stage.account.settings.home / "sagemaker/processing-job" / name).exists()


def test_jobs_are_listed_by_status(stage: Stage) -> None:
    name = start(stage)
    stage.ended("Processing", name)

    found = stage.sagemaker.list_processing_jobs(NameContains=name, StatusEquals="Completed")["ProcessingJobSummaries"]
    none = stage.sagemaker.list_processing_jobs(NameContains=name, StatusEquals="Failed")["ProcessingJobSummaries"]
    with pytest.raises(ClientError, match="Could not find requested job with name: nothing"):
        stage.sagemaker.describe_processing_job(ProcessingJobName="nothing")

    assert ([job["ProcessingJobName"] for job in found], none) == ([name], [])
