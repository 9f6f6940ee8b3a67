"""Answers in the shapes of SageMaker's API."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from botocore.model import ListShape, Shape, StructureShape

from local_aws.protocol import service_model


def answer(operation: str, description: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a description that an operation answers."""
    return _project(_output(operation), description)


def summaries(operation: str, descriptions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The answer of a List operation, without its token: the one list it has, each item with the members it shows."""
    name, shape = next(item for item in _output(operation).members.items() if item[1].type_name == "list")
    item = cast(StructureShape, cast(ListShape, shape).member)
    return {name: [_project(item, description) for description in descriptions]}


def _output(operation: str) -> StructureShape:
    return cast(StructureShape, service_model("sagemaker").operation_model(operation).output_shape)


def _project(shape: StructureShape, description: Mapping[str, Any]) -> dict[str, Any]:
    shown = ((name, member, description.get(name)) for name, member in shape.members.items())
    return {name: _fit(member, value) for name, member, value in shown if value is not None}


def _fit(shape: Shape, value: Any) -> Any:
    """A text is cut to the longest that the shape allows, as AWS does with reasons and messages."""
    return value[: shape.metadata.get("max")] if isinstance(value, str) else value
