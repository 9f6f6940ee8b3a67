"""The definition of a pipeline: parameters, and steps that follow from each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_aws.errors import AwsError
from local_aws.sagemaker.pipelines.expressions import TYPES, steps_named_in

VERSION = "2020-12-01"


@dataclass(frozen=True)
class Step:
    """One step as defined; `after` names the steps that must have succeeded before it."""

    name: str
    type: str
    arguments: Mapping[str, Any]
    property_files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    after: frozenset[str] = frozenset()
    then: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Definition:
    """A pipeline's definition: `first` are the steps that no condition decides about."""

    parameters: Mapping[str, Mapping[str, Any]]
    steps: Mapping[str, Step]
    first: tuple[str, ...]


def parse(text: str) -> Definition:
    """Read a definition. Raises AwsError ValidationException, as CreatePipeline does, for what cannot run."""
    try:
        document = json.loads(text)
        parameters = {parameter["Name"]: parameter for parameter in document.get("Parameters", [])}
        steps = {step.name: step for step in _steps(document["Steps"])}
        first = tuple(step["Name"] for step in document["Steps"])
        count = sum(1 for _ in _steps(document["Steps"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unusable(f"it is not the JSON of a definition: {error!r}") from error
    if document.get("Version") != VERSION:
        raise _unusable(f"Version is {document.get('Version')!r}; it must be {VERSION!r}")
    if len(steps) < count:
        raise _unusable("step names must be unique")
    for parameter in parameters.values():
        if parameter.get("Type") not in TYPES:
            raise _unusable(f"parameter {parameter['Name']} has type {parameter.get('Type')!r}; use {', '.join(TYPES)}")
    _check_order(steps)
    return Definition(parameters, steps, first)


def _steps(raw: list[dict[str, Any]], decided_by: str | None = None) -> Iterator[Step]:
    for step in raw:
        arguments = step.get("Arguments", {})
        own = {key: value for key, value in arguments.items() if key not in ("IfSteps", "ElseSteps")}
        branches = arguments.get("IfSteps", []), arguments.get("ElseSteps", [])
        after = {*step.get("DependsOn", []), *steps_named_in(own), *([decided_by] if decided_by else [])}
        files = {file["PropertyFileName"]: file for file in step.get("PropertyFiles", [])}
        then, otherwise = (tuple(child["Name"] for child in branch) for branch in branches)
        yield Step(step["Name"], step["Type"], own, files, frozenset(after), then, otherwise, step)
        for branch in branches:
            yield from _steps(branch, step["Name"])


def _check_order(steps: Mapping[str, Step]) -> None:
    for step in steps.values():
        if unknown := step.after - steps.keys():
            raise _unusable(f"step {step.name} refers to {', '.join(sorted(unknown))}, which is no step of it")
    left = dict(steps)
    while left:
        free = [name for name, step in left.items() if not step.after & left.keys()]
        if not free:
            raise _unusable(f"the steps {', '.join(sorted(left))} wait for each other")
        for name in free:
            del left[name]


def _unusable(why: str) -> AwsError:
    return AwsError("ValidationException", f"Unable to parse pipeline definition: {why}.")
