from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.delivery import allow, eventually, role, unique
from tests.local_aws.sagemaker.stage import DATA, Stage

JOBS = allow(
    "sagemaker:CreateProcessingJob",
    "sagemaker:DescribeProcessingJob",
    "sagemaker:StopProcessingJob",
    "sagemaker:CreateTrainingJob",
    "sagemaker:DescribeTrainingJob",
    "sagemaker:AddTags",
    resource=["arn:aws:sagemaker:*:*:processing-job/pipelines-*", "arn:aws:sagemaker:*:*:training-job/pipelines-*"],
)
REGISTRY = allow(
    "sagemaker:CreateModelPackageGroup",
    "sagemaker:CreateModelPackage",
    "sagemaker:DescribeModelPackage",
    "sagemaker:AddTags",
)


@pytest.fixture(scope="module")
def orchestrator(stage: Stage, account: Account) -> str:
    return role(account, "sagemaker", JOBS, REGISTRY, DATA, allow("iam:PassRole", resource=stage.role))


def processing(
    stage: Stage, name: str, *, source: Any, after: tuple[str, ...] = (), **application: Any
) -> dict[str, Any]:
    place = {
        "Std:Join": {"On": "/", "Values": [f"s3://{stage.bucket}", {"Get": "Execution.PipelineExecutionId"}, name]}
    }
    given = {"S3DataType": "S3Prefix", "S3InputMode": "File", "S3Uri": source, "LocalPath": "/opt/ml/processing/in"}
    output = {"S3Uri": place, "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    cluster = {"InstanceCount": {"Get": "Parameters.Hosts"}, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    return {
        "Name": name,
        "Type": "Processing",
        "DependsOn": list(after),
        "Arguments": {
            "ProcessingInputs": [{"InputName": "in", "S3Input": given}],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
            "ProcessingResources": {"ClusterConfig": cluster},
            "AppSpecification": {"ImageUri": stage.processor, **application},
            "RoleArn": stage.role,
        },
        "PropertyFiles": [{"PropertyFileName": "Report", "OutputName": "out", "FilePath": "evaluation.json"}],
    }


def training(stage: Stage, source: Any) -> dict[str, Any]:
    channel = {"S3DataType": "S3Prefix", "S3Uri": source}
    return {
        "Name": "Train",
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": stage.trainer, "TrainingInputMode": "File"},
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": channel}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{stage.bucket}/models"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "HyperParameters": {"name": {"Get": "Parameters.Name"}},
            "RoleArn": stage.role,
        },
    }


def registration(stage: Stage, group: str) -> dict[str, Any]:
    container = {"Image": stage.server, "ModelDataUrl": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}}
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    arguments = {"ModelPackageGroupName": group, "InferenceSpecification": specification}
    return {"Name": "Register", "Type": "RegisterModel", "Arguments": arguments}


def gate(threshold: Any, then: list[dict[str, Any]], otherwise: list[dict[str, Any]]) -> dict[str, Any]:
    file = {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": "metrics.roc_auc.value"}
    condition = {"Type": "GreaterThanOrEqualTo", "LeftValue": {"Std:JsonGet": file}, "RightValue": threshold}
    arguments = {"Conditions": [condition], "IfSteps": then, "ElseSteps": otherwise}
    return {"Name": "Gate", "Type": "Condition", "Arguments": arguments}


FAIL = {
    "Name": "Refuse",
    "Type": "Fail",
    "Arguments": {"ErrorMessage": {"Std:Join": {"On": " ", "Values": ["below", {"Get": "Parameters.Threshold"}]}}},
}


def pipeline(stage: Stage, role: str, *steps: dict[str, Any]) -> str:
    parameters = [
        {"Name": "Threshold", "Type": "Float", "DefaultValue": 0.5},
        {"Name": "Hosts", "Type": "Integer", "DefaultValue": 1},
        {"Name": "Name", "Type": "String", "DefaultValue": "piped"},
    ]
    name = unique("pipeline")
    definition = {"Version": "2020-12-01", "Parameters": parameters, "Steps": steps}
    stage.sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps(definition),
        RoleArn=role,
        ClientRequestToken=unique("token") * 3,
    )
    return name


def whole(stage: Stage, role: str) -> tuple[str, str]:
    """The pipeline of a whole release, and its package group."""
    group = unique("group")
    data = stage.put(f"{unique('data')}/a.txt", "0.7 ").removesuffix("/a.txt")
    evaluated = {"Get": "Steps.Evaluate.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}
    steps = (
        processing(stage, "Evaluate", source=data),
        training(stage, evaluated),
        gate({"Get": "Parameters.Threshold"}, [registration(stage, group)], [FAIL]),
    )
    return pipeline(stage, role, *steps), group


def run(stage: Stage, name: str, **parameters: str) -> dict[str, Any]:
    """The description of an execution that has ended."""
    given = [{"Name": key, "Value": value} for key, value in parameters.items()]
    arn = stage.sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=given)["PipelineExecutionArn"]

    def over() -> dict[str, Any] | None:
        described = stage.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        return None if described["PipelineExecutionStatus"] in ("Executing", "Stopping") else described

    return eventually(over)


def steps_of(stage: Stage, execution: dict[str, Any]) -> dict[str, dict[str, Any]]:
    arn = execution["PipelineExecutionArn"]
    found = stage.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    return {step["StepName"]: step for step in found}


def test_a_pipeline_runs_step_by_step_to_a_registered_package(stage: Stage, orchestrator: str) -> None:
    name, group = whole(stage, orchestrator)

    execution = run(stage, name)
    steps = steps_of(stage, execution)

    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    assert {step: shown["StepStatus"] for step, shown in steps.items()} == dict.fromkeys(
        ("Evaluate", "Train", "Gate", "Register"), "Succeeded"
    )
    assert steps["Gate"]["Metadata"]["Condition"]["Outcome"] == "True"
    package = stage.sagemaker.describe_model_package(
        ModelPackageName=steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
    )
    assert (package["ModelPackageGroupName"], package["ModelPackageVersion"]) == (group, 1)
    job = steps["Train"]["Metadata"]["TrainingJob"]["Arn"].rsplit("/", 1)[-1]
    assert job.startswith(f"pipelines-{execution['PipelineExecutionArn'].rsplit('/', 1)[-1]}-Train-")
    assert f"/{job}/output/model.tar.gz" in package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    tags = stage.sagemaker.list_tags(ResourceArn=steps["Train"]["Metadata"]["TrainingJob"]["Arn"])["Tags"]
    assert {"Key": "sagemaker:pipeline-execution-arn", "Value": execution["PipelineExecutionArn"]} in tags


def test_the_other_branch_of_a_condition_fails_the_execution_with_its_message(stage: Stage, orchestrator: str) -> None:
    name, group = whole(stage, orchestrator)

    execution = run(stage, name, Threshold="0.9")
    steps = steps_of(stage, execution)

    assert execution["PipelineExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "Step failure: One or multiple steps failed."
    assert steps["Gate"]["Metadata"]["Condition"]["Outcome"] == "False"
    assert steps["Refuse"]["Metadata"]["Fail"]["ErrorMessage"] == "below 0.9"
    assert (steps["Refuse"]["StepStatus"], steps["Refuse"]["FailureReason"]) == ("Failed", "below 0.9")
    assert "Register" not in steps
    with pytest.raises(ClientError):
        stage.sagemaker.describe_model_package_group(ModelPackageGroupName=group)


def test_a_failed_job_fails_its_step_and_nothing_after_it_starts(stage: Stage, orchestrator: str) -> None:
    data = stage.put(f"{unique('data')}/a.txt", "0.7").removesuffix("/a.txt")
    name = pipeline(
        stage,
        orchestrator,
        processing(stage, "Broken", source=data, ContainerArguments=["--fail"]),
        processing(stage, "After", source=data, after=("Broken",)),
    )

    execution = run(stage, name)
    steps = steps_of(stage, execution)

    assert execution["PipelineExecutionStatus"] == "Failed"
    assert list(steps) == ["Broken"]
    assert steps["Broken"]["FailureReason"] == "AlgorithmError: nothing to process, exit code: 1"


@pytest.mark.parametrize(
    ("missing", "operation"),
    [("iam:PassRole", "CreateProcessingJob"), ("sagemaker:AddTags", "CreateProcessingJob")],
)
def test_what_the_role_of_the_pipeline_may_not_do_fails_the_step(
    stage: Stage, account: Account, missing: str, operation: str
) -> None:
    statements = [allow("sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob"), DATA]
    if missing != "iam:PassRole":
        statements.append(allow("iam:PassRole"))
    if missing != "sagemaker:AddTags":
        statements.append(allow("sagemaker:AddTags"))
    weak = role(account, "sagemaker", *statements)
    name = pipeline(stage, weak, processing(stage, "Prepare", source=f"s3://{stage.bucket}/x"))

    reason = steps_of(stage, run(stage, name))["Prepare"]["FailureReason"]

    assert reason.startswith(f"ClientError: Failed to invoke sagemaker:{operation}. Error Details: User: ")
    assert f"is not authorized to perform: {missing}" in reason
    assert "/sagemaker-pipeline-" in reason


def test_steps_that_do_not_wait_for_each_other_run_side_by_side(stage: Stage, orchestrator: str) -> None:
    data = stage.put(f"{unique('data')}/a.txt", "0.7").removesuffix("/a.txt")
    sleep = {"ContainerEntrypoint": ["sleep", "1"]}
    name = pipeline(
        stage,
        orchestrator,
        processing(stage, "A", source=data, **sleep),
        processing(stage, "B", source=data, **sleep),
    )

    execution = run(stage, name)
    steps = steps_of(stage, execution)

    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    assert max(step["StartTime"] for step in steps.values()) < min(step["EndTime"] for step in steps.values())


def test_an_execution_is_stopped_with_its_jobs(stage: Stage, orchestrator: str) -> None:
    data = stage.put(f"{unique('data')}/a.txt", "0.7").removesuffix("/a.txt")
    sleep = {"ContainerEntrypoint": ["sleep", "60"]}
    name = pipeline(stage, orchestrator, processing(stage, "Long", source=data, **sleep))
    arn = stage.sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    execution = {"PipelineExecutionArn": arn}
    eventually(lambda: steps_of(stage, execution).get("Long", {}).get("StepStatus") == "Executing")

    with pytest.raises(ClientError) as deleted:
        stage.sagemaker.delete_pipeline(PipelineName=name)
    stage.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)

    def status() -> str:
        return stage.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]

    assert status() in ("Stopping", "Stopped")
    eventually(lambda: status() == "Stopped")
    assert steps_of(stage, execution)["Long"]["StepStatus"] == "Stopped"
    assert deleted.value.response["Error"]["Code"] == "ConflictException"
    stage.sagemaker.delete_pipeline(PipelineName=name)


def test_a_step_of_a_kind_that_is_not_rehearsed_fails_with_a_sentence(stage: Stage, orchestrator: str) -> None:
    name = pipeline(stage, orchestrator, {"Name": "Ask", "Type": "Callback", "Arguments": {}})

    reason = steps_of(stage, run(stage, name))["Ask"]["FailureReason"]

    assert reason.startswith("ClientError: A step of type Callback is not rehearsed on the local AWS")


def test_parameters_are_checked_when_an_execution_starts(stage: Stage, orchestrator: str) -> None:
    name = pipeline(stage, orchestrator, {**FAIL})

    with pytest.raises(ClientError, match=r"Assigned pipeline parameters \[Colour\] are undefined"):
        run(stage, name, Colour="blue")
    with pytest.raises(ClientError, match='Pipeline parameter Hosts is "many"; it must be of type Integer'):
        run(stage, name, Hosts="many")


def test_the_same_request_token_starts_one_execution(stage: Stage, orchestrator: str) -> None:
    name = pipeline(stage, orchestrator, {**FAIL})
    token = unique("token") * 3

    arns = {
        stage.sagemaker.start_pipeline_execution(PipelineName=name, ClientRequestToken=token)["PipelineExecutionArn"]
        for _ in range(2)
    }

    assert len(arns) == 1
    listed = stage.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    assert [each["PipelineExecutionArn"] for each in listed] == [*arns]


def test_a_pipeline_is_described_updated_and_deleted(stage: Stage, orchestrator: str) -> None:
    name = pipeline(stage, orchestrator, {**FAIL})
    execution = run(stage, name)
    before = stage.sagemaker.describe_pipeline(PipelineName=name)
    changed = json.dumps({"Version": "2020-12-01", "Steps": []})
    stage.sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=changed)
    after = stage.sagemaker.describe_pipeline(PipelineName=name)
    kept = stage.sagemaker.describe_pipeline_definition_for_execution(
        PipelineExecutionArn=execution["PipelineExecutionArn"]
    )
    stage.sagemaker.delete_pipeline(PipelineName=name)
    with pytest.raises(ClientError) as error:
        stage.sagemaker.describe_pipeline(PipelineName=name)

    assert (before["PipelineStatus"], after["PipelineDefinition"]) == ("Active", changed)
    assert kept["PipelineDefinition"] == before["PipelineDefinition"]
    assert error.value.response["Error"] == {
        "Code": "ResourceNotFound",
        "Message": f"Pipeline '{before['PipelineArn']}' does not exist.",
    }


def test_a_definition_that_cannot_run_is_refused(stage: Stage, orchestrator: str) -> None:
    with pytest.raises(ClientError, match="Unable to parse pipeline definition: step After refers to Nothing"):
        pipeline(stage, orchestrator, processing(stage, "After", source="s3://b/k", after=("Nothing",)))
