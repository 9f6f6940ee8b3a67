"""The disks of endpoints and jobs are under the key of their place, wherever SageMaker takes one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.synthesis import Template, fork, only, resources, synthesize, templates_of

GRANTED = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
PLACES = ("tooling", "staging", "production")


def key_of(template: Template, place: str) -> list[Any]:
    """How a template may name the key of a place: its own, or as the place exports it."""
    own = [{"Fn::GetAtt": [name, "Arn"]} for name in resources(template, "AWS::KMS::Key") if name.startswith("Key")]
    return [*own, {"Fn::ImportValue": f"greenlight-{place}:ExportsOutputFnGetAttKey961B73FDArn5A860C43"}]


def clusters(template: Template) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """What each job of pipelines and state machines runs on, and what CloudFormation fills in, in order."""
    for resource in template["Resources"].values():
        for text in _texts(resource):
            filled = [part for part in text if not isinstance(part, str)]
            said = "".join(part if isinstance(part, str) else f"<{filled.index(part)}>" for part in text)
            for found in _clusters(json.loads(said)):
                yield found, filled


def _texts(resource: Template) -> Iterator[list[Any]]:
    properties = resource.get("Properties", {})
    for text in (properties.get("DefinitionString"), properties.get("PipelineDefinition")):
        if isinstance(text, dict):
            yield text.get("PipelineDefinitionBody", text)["Fn::Join"][1]


def _clusters(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if {"InstanceType", "InstanceCount"} <= value.keys():
            yield value
        for each in value.values():
            yield from _clusters(each)
    elif isinstance(value, list):
        for each in value:
            yield from _clusters(each)


@pytest.mark.parametrize(
    ("stack", "place", "jobs"),
    [
        ("greenlight-training-employment", "tooling", 3),
        ("greenlight-serving-employment-staging", "staging", 3),
        ("greenlight-serving-bike-demand-production", "production", 3),
        ("greenlight-watch-production", "production", 2),
    ],
)
def test_every_job_runs_on_volumes_under_the_key_of_its_place(
    templates: dict[str, Template], stack: str, place: str, jobs: int
) -> None:
    found = list(clusters(templates[stack]))
    assert len(found) == jobs
    for cluster, filled in found:
        place_of = re.fullmatch(r"<(\d+)>", cluster["VolumeKmsKeyId"])
        assert place_of
        assert filled[int(place_of[1])] in key_of(templates[stack], place)


def test_an_endpoint_with_instances_is_under_the_key_of_its_environment(templates: dict[str, Template]) -> None:
    for place in ("staging", "production"):
        template = templates[f"greenlight-serving-employment-{place}"]
        config = only(template, "AWS::SageMaker::EndpointConfig")["Properties"]
        assert config["KmsKeyId"] in key_of(template, place)


def test_a_serverless_endpoint_has_no_disk_to_encrypt(templates: dict[str, Template]) -> None:
    config = only(templates["greenlight-serving-bike-demand-production"], "AWS::SageMaker::EndpointConfig")
    assert "KmsKeyId" not in config["Properties"]


def test_what_sagemaker_runs_may_pass_on_the_key_of_its_place_to_aws_and_nothing_else_may(
    templates: dict[str, Template],
) -> None:
    found: dict[str, int] = {}
    for name, template in templates.items():
        for policy in resources(template, "AWS::IAM::Policy").values():
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                if "CreateGrant" in json.dumps(statement["Action"]):
                    place = name.removeprefix("greenlight-watch-").removeprefix("greenlight-")
                    assert (statement["Action"], statement["Condition"]) == ("kms:CreateGrant", GRANTED), name
                    assert statement["Resource"] in key_of(template, place), name
                    found[name] = found.get(name, 0) + 1
    assert found == {f"greenlight-{place}": 2 for place in PLACES} | {"greenlight-watch-production": 2}


@pytest.mark.slow
def test_an_instance_with_disks_of_its_own_gets_no_key(tmp_path: Path) -> None:
    root = fork(tmp_path)
    for file in root.glob("model_code/*/model.yaml"):
        file.write_text(file.read_text().replace("ml.m5.large", "ml.g5.xlarge"))
    made = templates_of(synthesize(tmp_path / "out", root))
    config = only(made["greenlight-serving-employment-production"], "AWS::SageMaker::EndpointConfig")["Properties"]
    assert config["ProductionVariants"][0]["InstanceType"] == "ml.g5.xlarge"
    assert "KmsKeyId" not in config
    for name, template in made.items():
        for cluster, _ in clusters(template):
            assert ("VolumeKmsKeyId" in cluster) is (cluster["InstanceType"] != "ml.g5.xlarge"), (name, cluster)
