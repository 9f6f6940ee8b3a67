"""The pipeline definition is held against the service's own shapes, and against itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from config import load_model
from pipelines.definition import Surroundings, training_pipeline
from tests.pipelines.tables import model

ROOT = Path(__file__).parents[2]
KEY = "arn:aws:kms:eu-west-1:111122223333:alias/greenlight-signing-first"
VOLUMES = "arn:aws:kms:eu-west-1:111122223333:key/tooling"
AROUND = Surroundings("data", "artifacts", "arn:aws:iam::111122223333:role/jobs", "greenlight-model", KEY, VOLUMES)
OPERATIONS = {
    "Processing": "CreateProcessingJob",
    "Training": "CreateTrainingJob",
    "RegisterModel": "CreateModelPackage",
}
GIVEN_BY_THE_SERVICE = {
    "Processing": {"ProcessingJobName": "x"},
    "Training": {"TrainingJobName": "x"},
    "RegisterModel": {},
}

Json = dict[str, Any]
MODELS = sorted(file.parent for file in (ROOT / "model_code").glob("*/model.yaml"))


@pytest.fixture(scope="module", params=MODELS, ids=lambda folder: folder.name)
def definition(request: pytest.FixtureRequest) -> Json:
    return training_pipeline(load_model(request.param), AROUND)


def all_steps(definition: Json) -> Iterator[Json]:
    for step in definition["Steps"]:
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from step["Arguments"].get(branch, [])


def faults(operation: str, arguments: Json) -> str:
    """What of the arguments does not fit the operation's input shape; empty when all does."""
    shape = botocore.session.get_session().get_service_model("sagemaker").operation_model(operation).input_shape
    assert shape
    return ParamValidator().validate(arguments, shape).generate_report()


def resolved(value: Any) -> Any:
    """The value with every reference replaced by a string, as the service does at run time."""
    if isinstance(value, Mapping):
        if value.keys() & {"Get", "Std:Join", "Std:JsonGet"}:
            return "s3://bucket/key"
        return {key: resolved(item) for key, item in value.items()}
    return [resolved(item) for item in value] if isinstance(value, list) else value


def references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("Get"), str):
            yield value["Get"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_every_step_fits_the_services_input_shape(definition: Json) -> None:
    jobs = [step for step in all_steps(definition) if step["Type"] != "Condition"]
    assert len(jobs) == 4
    for step in jobs:
        arguments = resolved(step["Arguments"]) | GIVEN_BY_THE_SERVICE[step["Type"]]
        assert not faults(OPERATIONS[step["Type"]], arguments), step["Name"]


def test_a_job_that_calls_nothing_has_no_network(definition: Json) -> None:
    prepare, train, evaluate, _ = definition["Steps"]
    assert prepare["Arguments"]["NetworkConfig"] == {"EnableNetworkIsolation": True}
    assert train["Arguments"]["EnableNetworkIsolation"] is True
    assert "NetworkConfig" not in evaluate["Arguments"]  # it reads the champion, and signs


def test_in_a_vpc_every_job_says_so_as_the_service_wants_it() -> None:
    vpc = {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    prepare, train, evaluate, _ = training_pipeline(model(), replace(AROUND, vpc_config=vpc))["Steps"]
    assert prepare["Arguments"]["NetworkConfig"] == {"EnableNetworkIsolation": True, "VpcConfig": vpc}
    assert train["Arguments"]["VpcConfig"] == vpc
    assert evaluate["Arguments"]["NetworkConfig"] == {"VpcConfig": vpc}
    for step in (prepare, train, evaluate):
        arguments = resolved(step["Arguments"]) | GIVEN_BY_THE_SERVICE[step["Type"]]
        assert not faults(OPERATIONS[step["Type"]], arguments), step["Name"]


def test_a_wrong_step_is_noticed(definition: Json) -> None:
    arguments = resolved(definition["Steps"][0]["Arguments"]) | GIVEN_BY_THE_SERVICE["Processing"]
    arguments["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = "1"
    assert "InstanceCount" in faults("CreateProcessingJob", arguments)


def test_references_name_parameters_and_steps_that_exist(definition: Json) -> None:
    parameters = {parameter["Name"] for parameter in definition["Parameters"]}
    steps = {step["Name"]: step for step in all_steps(definition)}
    found = list(references(definition))
    assert found
    for reference in found:
        kind, name = reference.split(".")[:2]
        match kind:
            case "Parameters":
                assert name in parameters, reference
            case "Steps":
                assert name in steps, reference
            case _:
                assert reference in ("Execution.PipelineExecutionId", "Execution.PipelineExecutionArn")


def test_outputs_that_steps_refer_to_are_outputs_of_those_steps(definition: Json) -> None:
    outputs = {
        (step["Name"], output["OutputName"])
        for step in all_steps(definition)
        for output in step["Arguments"].get("ProcessingOutputConfig", {}).get("Outputs", [])
    }
    pattern = re.compile(r"Steps\.(\w+)\.ProcessingOutputConfig\.Outputs\['(\w+)'\]\.S3Output\.S3Uri")
    used = {match.groups() for reference in references(definition) if (match := pattern.fullmatch(reference))}
    assert used <= outputs
    assert used == {
        ("Prepare", "train"),
        ("Prepare", "test"),
        ("Prepare", "manifest"),
        ("Evaluate", "package"),
        ("Evaluate", "evaluation"),
    }


def test_a_package_is_registered_only_behind_the_gate(definition: Json) -> None:
    assert [step["Name"] for step in definition["Steps"]] == ["Prepare", "Train", "Evaluate", "Gate"]
    gate = definition["Steps"][-1]["Arguments"]
    assert [step["Name"] for step in gate["IfSteps"]] == ["Register"]
    assert gate["ElseSteps"] == []
    assert len(gate["Conditions"]) == 2


def test_the_bound_holds_on_all_held_out_rows_and_the_champion_is_met_where_both_were_measured(
    definition: Json,
) -> None:
    whole, duel = definition["Steps"][-1]["Arguments"]["Conditions"]
    assert whole["LeftValue"]["Std:JsonGet"]["Path"] == "promotion.value"
    assert isinstance(whole["RightValue"], float)
    assert duel["LeftValue"]["Std:JsonGet"]["Path"] == "promotion.compared"
    assert duel["RightValue"]["Std:JsonGet"]["Path"] == "champion.bar"


def test_programs_are_told_the_models_name_which_the_folder_of_its_code_does_not_have(definition: Json) -> None:
    for name in ("Prepare", "Evaluate"):
        step = next(step for step in definition["Steps"] if step["Name"] == name)
        given = step["Arguments"]["AppSpecification"]["ContainerArguments"]
        assert given[given.index("--model") + 1] in {folder.name for folder in MODELS}


def test_the_step_that_completes_the_package_signs_it(definition: Json) -> None:
    given = {
        step["Name"]: step["Arguments"]["AppSpecification"].get("ContainerArguments", [])
        for step in definition["Steps"]
        if step["Type"] == "Processing"
    }
    assert [name for name, arguments in given.items() if "--signing-key" in arguments] == ["Evaluate"]
    assert given["Evaluate"][given["Evaluate"].index("--signing-key") + 1] == KEY


def test_a_package_says_where_it_comes_from(definition: Json) -> None:
    register = next(step for step in all_steps(definition) if step["Name"] == "Register")
    said = register["Arguments"]["CustomerMetadataProperties"]
    assert said.keys() == {"commit", "code", "run", "revision", "revision_type", "retraining", "job_image"}
    defaults = {each["Name"]: each.get("DefaultValue") for each in definition["Parameters"]}
    assert {defaults[name] for name in ("Revision", "RevisionType", "Retraining")} == {"none"}


def test_an_error_passes_the_gate_from_below_and_any_other_metric_from_above() -> None:
    def kinds(metric: str, **bound: float) -> set[str]:
        promoted = model(task="regression", promotion={"metric": metric, **bound})
        return {
            condition["Type"]
            for condition in training_pipeline(promoted, AROUND)["Steps"][-1]["Arguments"]["Conditions"]
        }

    assert kinds("mean_absolute_error", at_most=20) == {"LessThanOrEqualTo"}
    assert kinds("r2", at_least=0.9) == {"GreaterThanOrEqualTo"}


def test_a_package_names_the_instances_of_every_environment() -> None:
    def named(**changes: Any) -> Json:
        steps = all_steps(training_pipeline(model(**changes), AROUND))
        return next(step for step in steps if step["Name"] == "Register")["Arguments"]["InferenceSpecification"]

    large, small = (
        {"kind": "dedicated", "instance": f"ml.{size}", "instances": 1} for size in ("c6i.large", "m5.large")
    )
    both = named(hosting=large, environments={"staging": {"hosting": small}}, batch={"instance": "ml.m5.xlarge"})
    assert both["SupportedRealtimeInferenceInstanceTypes"] == ["ml.c6i.large", "ml.m5.large"]
    assert both["SupportedTransformInstanceTypes"] == ["ml.m5.xlarge"]
    assert named(hosting={"kind": "serverless"})["SupportedRealtimeInferenceInstanceTypes"] == ["ml.m5.large"]


def test_the_programs_that_steps_name_exist(definition: Json) -> None:
    for step in all_steps(definition):
        arguments = step["Arguments"]
        program = arguments.get("AppSpecification", arguments.get("AlgorithmSpecification", {})).get(
            "ContainerEntrypoint"
        )
        if program:
            assert program[:2] == ["python3", "-m"]
            assert (ROOT / Path(*program[2].split(".")).with_suffix(".py")).is_file()
