"""The key of storage volumes: who has to be allowed what, and where SageMaker takes none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.delivery import allow, role, unique
from tests.local_aws.sagemaker.stage import DATA, LOGS, PULL, Stage

STATES = "states.amazonaws.com"
FOR_AWS = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
REFUSED = "KMS key is not supported for NVMe instance storage."

Run = Callable[[Stage, str, str, str], dict[str, Any]]
"""A job of a role, with a key, on instances of a type; its description when it has ended, with Status beside it."""


@pytest.fixture(scope="module")
def key(account: Account) -> str:
    return account.client("kms").create_key()["KeyMetadata"]["Arn"]


def may_pass_on(account: Account, key: str) -> str:
    """A role with all that SageMaker needs for a key of volumes."""
    passing = {**allow("kms:CreateGrant", resource=key), "Condition": FOR_AWS}
    return role(account, "sagemaker", PULL, LOGS, DATA, passing)


def training(stage: Stage, who: str, key: str, instance: str) -> dict[str, Any]:
    name = unique("training")
    source = {"S3DataType": "S3Prefix", "S3Uri": stage.put(f"{name}/train/a.csv", "1 2 3")}
    stage.sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=who,
        AlgorithmSpecification={"TrainingImage": stage.trainer, "TrainingInputMode": "File"},
        InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": f"s3://{stage.bucket}/models/"},
        ResourceConfig={"InstanceType": instance, "InstanceCount": 1, "VolumeSizeInGB": 1, "VolumeKmsKeyId": key},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    ended = stage.ended("Training", name)
    return {**ended, "Status": ended["TrainingJobStatus"]}


def processing(stage: Stage, who: str, key: str, instance: str) -> dict[str, Any]:
    name = unique("processing")
    cluster = {"InstanceCount": 1, "InstanceType": instance, "VolumeSizeInGB": 1, "VolumeKmsKeyId": key}
    given = {"S3Uri": stage.put(f"{name}/a.txt", "0.9 "), "LocalPath": "/opt/ml/processing/in"}
    out = {"S3Uri": f"s3://{stage.bucket}/{name}", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    source = {**given, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    stage.sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=who,
        AppSpecification={"ImageUri": stage.processor},
        ProcessingInputs=[{"InputName": "in", "S3Input": source}],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": out}]},
        ProcessingResources={"ClusterConfig": cluster},
    )
    ended = stage.ended("Processing", name)
    return {**ended, "Status": ended["ProcessingJobStatus"]}


def transform(stage: Stage, who: str, key: str, instance: str) -> dict[str, Any]:
    name = unique("transform")
    source = {"S3DataType": "S3Prefix", "S3Uri": stage.put(f"{name}/in/a.csv", "1\n2\n")}
    stage.sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=stage.model(role=who),
        TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{stage.bucket}/{name}/out", "Accept": "text/csv"},
        TransformResources={"InstanceType": instance, "InstanceCount": 1, "VolumeKmsKeyId": key},
    )
    ended = stage.ended("Transform", name)
    return {**ended, "Status": ended["TransformJobStatus"]}


def endpoint(stage: Stage, who: str, key: str, instance: str) -> dict[str, Any]:
    config = stage.config(stage.variant(stage.model(role=who), InstanceType=instance), KmsKeyId=key)
    ended = stage.settled(stage.endpoint(config))
    return {**ended, "Status": ended["EndpointStatus"].replace("InService", "Completed")}


EVERY = pytest.mark.parametrize("run", [training, processing, transform, endpoint])


@EVERY
def test_a_role_that_may_pass_the_key_on_to_aws_only_is_enough(
    stage: Stage, account: Account, key: str, run: Run
) -> None:
    ended = run(stage, may_pass_on(account, key), key, "ml.m5.large")

    assert ended["Status"] == "Completed", ended
    assert any("volumes is not rehearsed" in said for said in account.not_rehearsed)


@EVERY
def test_a_role_that_may_not_pass_the_key_on_fails_what_it_runs(
    stage: Stage, account: Account, key: str, run: Run
) -> None:
    weak = role(account, "sagemaker", PULL, LOGS, DATA, allow("kms:Decrypt", "kms:GenerateDataKey", resource=key))

    ended = run(stage, weak, key, "ml.m5.large")

    assert ended["Status"] == "Failed"
    name = weak.rsplit("/", 1)[-1]
    assert ended["FailureReason"].removeprefix("ClientError: ") == (
        f"User: arn:aws:sts::123456789012:assumed-role/{name}/SageMaker is not authorized to perform: kms:CreateGrant "
        f"on resource: {key} because no identity-based policy allows the kms:CreateGrant action"
    )


@EVERY
def test_what_keeps_its_data_on_disks_of_its_own_takes_no_key(
    stage: Stage, account: Account, key: str, run: Run
) -> None:
    with pytest.raises(ClientError) as error:
        run(stage, may_pass_on(account, key), key, "ml.g5.xlarge")

    assert error.value.response["Error"] == {"Code": "ValidationException", "Message": REFUSED}


def test_without_a_key_such_an_instance_serves(stage: Stage) -> None:
    config = stage.config(stage.variant(stage.model(), InstanceType="ml.g5.xlarge"))

    assert stage.settled(stage.endpoint(config))["EndpointStatus"] == "InService"


def test_a_serverless_endpoint_takes_no_key(stage: Stage, key: str) -> None:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": stage.model(),
        "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1},
    }

    with pytest.raises(ClientError, match="KmsKeyId is not supported for a serverless endpoint"):
        stage.config(variant, KmsKeyId=key)


def test_a_key_that_is_out_of_use_fails_the_endpoint_and_one_that_is_not_there_its_configuration(
    stage: Stage, account: Account
) -> None:
    kms = account.client("kms")
    disabled = kms.create_key()["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=disabled)

    ended = endpoint(stage, may_pass_on(account, disabled), disabled, "ml.m5.large")

    assert (ended["Status"], "state Disabled, not Enabled" in ended["FailureReason"]) == ("Failed", True)
    with pytest.raises(ClientError, match=r"key '.*0000' does not exist"):
        endpoint(stage, stage.role, f"{disabled[:-4]}0000", "ml.m5.large")


def test_who_creates_the_configuration_must_know_the_key_and_may_pass_it_on(
    stage: Stage, account: Account, key: str
) -> None:
    name, model = unique("config"), stage.model()
    create = allow("sagemaker:CreateEndpointConfig")
    through = {**FOR_AWS, "StringLike": {"kms:ViaService": "sagemaker.*"}}
    passing = {**allow("kms:CreateGrant", resource=key), "Condition": through}

    def ask(*statements: dict[str, Any]) -> None:
        client = account.client("sagemaker", role(account, "states", *statements), service_principal=STATES)
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[stage.variant(model)], KmsKeyId=key)

    for lacking, statements in {
        "kms:DescribeKey": (create, passing),
        "kms:CreateGrant": (create, allow("kms:DescribeKey", resource=key)),
    }.items():
        with pytest.raises(ClientError, match=f"not authorized to perform: {lacking} on resource: {key}"):
            ask(*statements)
    ask(create, passing, allow("kms:DescribeKey", resource=key))
    assert stage.sagemaker.describe_endpoint_config(EndpointConfigName=name)["KmsKeyId"] == key


def test_an_update_whose_role_may_not_pass_the_key_on_leaves_the_old_fleet_serving(stage: Stage, key: str) -> None:
    name = stage.endpoint(stage.config(stage.variant(stage.model(name="old"), InitialInstanceCount=2)))
    rolling = {"MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1}, "WaitIntervalInSeconds": 0}
    for how in ({}, {"DeploymentConfig": {"RollingUpdatePolicy": rolling}}):
        update = stage.config(stage.variant(stage.model(name="new"), InitialInstanceCount=2), KmsKeyId=key)
        stage.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=update, **how)
        ended = stage.settled(name)

        assert ended["EndpointStatus"] == "InService"
        assert "kms:CreateGrant" in json.dumps(ended.get("FailureReason")), how
        assert stage.ask(name)["model"] == "old"
