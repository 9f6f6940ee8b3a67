"""A fork of the shipped project whose places have networks of their own, and what its templates say of containers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.synthesis import ROOT, Template, fork, resources

PLACES = ("tooling", "staging", "production")


def private_fork(target: Path, network: object = "private", *, name: str = "greenlight", **of_places: object) -> Path:
    """With that network in all places, or another in those named; what was serverless has instances, as it must."""
    content = yaml.safe_load((ROOT / "project.yaml").read_text())
    content["name"] = name
    for place in PLACES:
        content[place]["network"] = of_places.get(place, network)
    root = fork(target, project_yaml=yaml.safe_dump(content))
    for file in root.glob("model_code/*/model.yaml"):
        model = yaml.safe_load(file.read_text())
        hosting = {"kind": "dedicated", "instance": "ml.m5.large"}
        for part in (model, *model.get("environments", {}).values()):
            if part.get("hosting", {}).get("kind") == "serverless":
                part["hosting"] = hosting
        file.write_text(yaml.safe_dump(model))
    return root


def containers(templates: dict[str, Template]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every description of a container: a name, and where it says its network."""
    for stack, template in templates.items():
        for name, model in resources(template, "AWS::SageMaker::Model").items():
            yield f"{stack} {name}", model["Properties"]
        for step in _steps(template):
            found = step["Arguments"]
            yield f"{stack} {step['Name']}", found if step["Type"] == "Training" else found.get("NetworkConfig", {})
        for machine in resources(template, "AWS::StepFunctions::StateMachine").values():
            definition = json.loads(_text(machine["Properties"]["DefinitionString"]))
            for name, state in definition["States"].items():
                if str(state.get("Resource", "")).endswith("sagemaker:createProcessingJob"):
                    yield f"{stack} {name}", state["Parameters"].get("NetworkConfig", {})


def _steps(template: Template) -> Iterator[dict[str, Any]]:
    for pipeline in resources(template, "AWS::SageMaker::Pipeline").values():
        body = pipeline["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"]
        yield from (step for step in json.loads(_text(body))["Steps"] if step["Type"] in ("Processing", "Training"))


def _text(value: Any) -> str:
    """A string of a template, with a word for what only CloudFormation knows."""
    parts = value["Fn::Join"][1] if isinstance(value, dict) else [value]
    return "".join(part if isinstance(part, str) else "<token>" for part in parts)
