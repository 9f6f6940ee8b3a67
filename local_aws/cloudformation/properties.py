"""A template's properties as the input of the API operation that takes them."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from botocore.model import Shape


def to_input(properties: Mapping[str, Any], shape: Shape, elsewhere: Collection[str] = ()) -> dict[str, Any]:
    """The properties as the members of the operation's input shape.

    Names differ in case (`RoleArn`, `roleArn`, `RoleARN`), numbers and booleans may be strings, keys of maps are kept.
    A property that is neither in the shape nor among those taken `elsewhere` is a ValueError.
    """
    here = {name: value for name, value in properties.items() if name not in elsewhere or _member(name, shape)}
    return _convert(here, shape, "")


def _convert(value: Any, shape: Any, path: str) -> Any:
    if shape.type_name == "structure":
        return _structure(value, shape, path)
    if shape.type_name == "list":
        return [_convert(item, shape.member, path) for item in (value if isinstance(value, list) else [value])]
    if shape.type_name == "map":
        return {key: _convert(item, shape.value, f"{path}{key}.") for key, item in value.items()}
    return SCALARS.get(shape.type_name, _unchanged)(value)


def _structure(value: Mapping[str, Any], shape: Any, path: str) -> dict[str, Any]:
    converted = {}
    for name, item in value.items():
        member = _member(name, shape)
        if member is None:
            known = ", ".join(shape.members)
            raise ValueError(f"The property {path}{name} is not rehearsed on the local AWS: {shape.name} has {known}.")
        converted[member] = _convert(item, shape.members[member], f"{path}{name}.")
    return converted


def _member(name: str, shape: Any) -> str | None:
    return next((member for member in shape.members if member.lower() == name.lower()), None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _truth(value: Any) -> bool:
    return str(value).lower() == "true"


def _unchanged(value: Any) -> Any:
    return value


SCALARS: dict[str, Callable[[Any], Any]] = {
    "string": _text,
    "boolean": _truth,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
}
