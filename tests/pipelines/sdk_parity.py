"""Builds the same training pipeline with the SageMaker Python SDK and holds ours against it, field by field.

Runs in an environment of its own (`make parity`), because the SDK is heavy and needs other versions of what we use.
Differences are printed; those with a reason below are expected, any other fails.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ |= {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "SAGEMAKER_VALIDATE_ROLE": "false",
}

import boto3
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig, StoppingCondition
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo, ConditionLessThanOrEqualTo
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer

from config import Model, load_model
from pipelines.definition import Surroundings, training_pipeline

KEY = "arn:aws:kms:eu-west-1:111122223333:alias/greenlight-signing-first"
VOLUMES = "arn:aws:kms:eu-west-1:111122223333:key/tooling"
AROUND = Surroundings("data", "artifacts", "arn:aws:iam::111122223333:role/jobs", "greenlight-model", KEY, VOLUMES)
TELEMETRY_OFF = {
    "SchemaVersion": "1.0",
    "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
}
EXPECTED = {
    "PipelineExperimentConfig": "we keep no SageMaker Experiments",
    "AlgorithmSpecification.ContainerEntrypoint": "the SDK starts its own driver, we start our program",
    "Steps.Prepare.NetworkConfig": "our program calls nothing, so it gets no network",
    "Steps.Train.EnableNetworkIsolation": "our program calls nothing, so it gets no network",
    "Steps.Gate.IfSteps": "the SDK registers a model that it has built; ours registers the package that Evaluate wrote",
}


def sdk_pipeline(model: Model) -> dict[str, Any]:
    """What the SDK makes of the same jobs."""
    session = PipelineSession(
        boto_session=boto3.Session(region_name="eu-west-1"), default_bucket="artifacts", sagemaker_config=TELEMETRY_OFF
    )
    session.default_bucket = lambda *_args, **_kwargs: "artifacts"
    optional = ("Champion", "Revision", "RevisionType", "Retraining")
    names = ("Data", "Code", "Commit", "JobImage", "ServingImage")
    parameters = {name: ParameterString(name) for name in names}
    parameters["Data"] = ParameterString("Data", default_value=f"s3://data/{model.team}/{model.data.prefix}")
    parameters |= {name: ParameterString(name, default_value="none") for name in optional}

    def run(*rest: str) -> Join:
        folder = f"s3://artifacts/{model.team}/{model.name}/runs"
        return Join(on="/", values=[folder, ExecutionVariables.PIPELINE_EXECUTION_ID, *rest])

    def processing(
        name: str, inputs: dict[str, Any], outputs: tuple[str, ...], arguments: list[Any], files: list[Any]
    ) -> ProcessingStep:
        processor = Processor(
            role=AROUND.job_role_arn,
            image_uri=parameters["JobImage"],
            instance_count=1,
            instance_type=model.training.instance,
            entrypoint=["python3", "-m", f"pipelines.steps.{name.lower()}"],
            volume_size_in_gb=model.training.volume_gb,
            volume_kms_key=VOLUMES,
            max_runtime_in_seconds=model.training.max_minutes * 60,
            sagemaker_session=session,
        )
        arguments_ = processor.run(
            inputs=[_input(channel, uri) for channel, uri in inputs.items()],
            outputs=[_output(channel, run(channel)) for channel in outputs],
            arguments=arguments,
        )
        return ProcessingStep(name, step_args=arguments_, property_files=files)

    prepare = processing(
        "Prepare",
        {"code": parameters["Code"], "data": parameters["Data"]},
        ("train", "test", "manifest"),
        ["--model", model.name],
        [],
    )

    def prepared(name: str) -> Any:
        return prepare.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri

    trainer = ModelTrainer(
        training_image=parameters["JobImage"],
        role=AROUND.job_role_arn,
        base_job_name="train",
        compute=Compute(
            instance_type=model.training.instance,
            instance_count=1,
            volume_size_in_gb=model.training.volume_gb,
            volume_kms_key_id=VOLUMES,
        ),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=model.training.max_minutes * 60),
        output_data_config=OutputDataConfig(s3_output_path=run("model")),
        sagemaker_session=session,
    )
    train = TrainingStep(
        "Train",
        step_args=trainer.train(
            input_data_config=[
                InputData(channel_name="code", data_source=parameters["Code"]),
                InputData(channel_name="train", data_source=prepared("train")),
            ]
        ),
    )
    evaluation = PropertyFile(name="Evaluation", output_name="evaluation", path="evaluation.json")
    evaluate = processing(
        "Evaluate",
        {
            "code": parameters["Code"],
            "model": train.properties.ModelArtifacts.S3ModelArtifacts,
            "test": prepared("test"),
            "manifest": prepared("manifest"),
        },
        ("evaluation", "package"),
        [
            *("--model", model.name, "--champion", parameters["Champion"]),
            *("--commit", parameters["Commit"], "--signing-key", KEY),
        ],
        [evaluation],
    )

    def evaluated(path: str) -> JsonGet:
        return JsonGet(step_name="Evaluate", property_file=evaluation, json_path=path)

    reaches = ConditionLessThanOrEqualTo if model.promotion.is_error else ConditionGreaterThanOrEqualTo
    gate = ConditionStep(
        "Gate",
        conditions=[
            reaches(left=evaluated("promotion.value"), right=model.promotion.bound),
            reaches(left=evaluated("promotion.compared"), right=evaluated("champion.bar")),
        ],
        if_steps=[],
        else_steps=[],
    )
    pipeline = Pipeline(
        name="model",
        parameters=list(parameters.values()),
        steps=[prepare, train, evaluate, gate],
        sagemaker_session=session,
    )
    return json.loads(pipeline.definition())


def _input(name: str, uri: Any) -> ProcessingInput:
    path = f"/opt/ml/processing/input/{name}"
    s3 = ProcessingS3Input(s3_uri=uri, local_path=path, s3_data_type="S3Prefix", s3_input_mode="File")
    return ProcessingInput(input_name=name, s3_input=s3)


def _output(name: str, uri: Any) -> ProcessingOutput:
    s3 = ProcessingS3Output(s3_uri=uri, local_path=f"/opt/ml/processing/output/{name}", s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=s3)


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Every place where the two differ, as `path: ours -> theirs`."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = []
        for key in sorted(ours.keys() | theirs.keys()):
            found += differences(ours.get(key), theirs.get(key), f"{path}.{key}" if path else key)
        return found
    if isinstance(ours, list) and isinstance(theirs, list) and _named(ours) and _named(theirs):
        return differences(_by_name(ours), _by_name(theirs), path)
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [found for place, (one, other) in pairs for found in differences(one, other, f"{path}[{place}]")]
    same = ours == theirs or (not ours and not theirs)
    return [] if same else [f"{path}: ours {json.dumps(ours)[:160]}, the SDK's {json.dumps(theirs)[:160]}"]


def _named(items: list[Any]) -> bool:
    return all(isinstance(item, dict) and "Name" in item for item in items) and bool(items)


def _by_name(items: list[Any]) -> dict[str, Any]:
    return {item["Name"]: item for item in items}


def main() -> int:
    unexpected = 0
    for folder in sorted(file.parent for file in Path("model_code").glob("*/model.yaml")):
        model = load_model(folder)
        found = differences(training_pipeline(model, AROUND), sdk_pipeline(model))
        for difference in found:
            path = difference.split(":", 1)[0].replace(".Arguments", "")
            reason = next((why for part, why in EXPECTED.items() if part in path), None)
            unexpected += reason is None
            print(f"{model.name} {difference}\n    {reason or 'NOT EXPECTED'}")
        print(f"{model.name}: {len(found)} differences.")
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
