"""AWS's JSON protocol: requests and answers by the shapes that botocore has of every service."""

import base64
import binascii
import gc
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from local_aws.errors import AwsError

LONGEST_HELD_TO_PATTERN = 4096
PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
    "blob": (str,),
}


SDK_NAMES = {"servicequotas": "service-quotas"}
"""What the SDK calls a service, where that is not what requests are signed for."""


@lru_cache
def service_model(service: str) -> ServiceModel:
    """What botocore knows of a service."""
    described = ServiceModel(Loader().load_service_model(SDK_NAMES.get(service, service), "service-2"), service)
    gc.freeze()  # as Clients does, and for the same reason
    return described


def read(shape: Shape | None, body: bytes, invalid: str) -> dict[str, Any]:
    """A request's parameters; AwsError with the code `invalid` in AWS's words when they break the shape's rules."""
    try:
        document = json.loads(body or b"{}")
        params = _read(document, shape) if shape else {}
    except (ValueError, TypeError) as error:
        raise AwsError("SerializationException", f"The request cannot be read: {error}.") from error
    broken = list(_violations(params, shape, "")) if shape else []
    if broken:
        errors = "error" if len(broken) == 1 else "errors"
        raise AwsError(invalid, f"{len(broken)} validation {errors} detected: {'; '.join(broken)}")
    return params


def write(shape: Shape | None, answer: dict[str, Any]) -> bytes:
    """An answer on the wire; a member that the shape does not have is a mistake of ours (TypeError)."""
    return json.dumps(_write(answer, shape) if shape else {}).encode()


def plain(value: Any) -> Any:
    """Any value as the JSON protocol spells it, without a shape."""
    match value:
        case datetime():
            return value.timestamp()
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {key: plain(item) for key, item in value.items() if item is not None}
        case list() | tuple():
            return [plain(item) for item in value]
    return value


def _read(value: Any, shape: Any) -> Any:
    kind = shape.type_name
    if not isinstance(value, PYTHON_TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        raise TypeError(f"{shape.name} cannot be {value!r}")
    if kind == "structure":
        known = ((name, item) for name, item in value.items() if name in shape.members and item is not None)
        return {name: _read(item, shape.members[name]) for name, item in known}
    if kind == "map":
        return {key: _read(item, shape.value) for key, item in value.items()}
    if kind == "list":
        return [_read(item, shape.member) for item in value]
    if kind == "timestamp":
        return datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value, UTC)
    if kind == "blob":
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise ValueError(f"{shape.name} is not base64") from error
    return value


def _violations(value: Any, shape: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure":
        for name in shape.required_members:
            if name not in value:
                yield _violation("null", _member(path, name), "Member must not be null")
        for name, item in value.items():
            yield from _violations(item, shape.members[name], _member(path, name))
        return
    for rule in _broken_rules(value, kind, shape):
        yield _violation(value, path, rule)
    if kind == "list":
        for number, item in enumerate(value, 1):
            yield from _violations(item, shape.member, f"{path}.{number}.member")
    if kind == "map":
        for key, item in value.items():
            yield from _violations(item, shape.value, f"{path}.{key}.member")


def _broken_rules(value: Any, kind: str, shape: Shape) -> Iterator[str]:
    rules = shape.metadata
    sized = isinstance(value, str | bytes | list | dict)
    size = len(value) if sized else value
    if "min" in rules and kind not in ("boolean", "timestamp") and size < rules["min"]:
        yield f"Member must have {'length' if sized else 'value'} greater than or equal to {rules['min']}"
    if "max" in rules and kind not in ("boolean", "timestamp") and size > rules["max"]:
        yield f"Member must have {'length' if sized else 'value'} less than or equal to {rules['max']}"
    if "enum" in rules and value not in rules["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(rules['enum'])}]"
    # AWS does not hold long texts (a pipeline's definition) to the patterns of its own model.
    if "pattern" in rules and rules.get("max", LONGEST_HELD_TO_PATTERN) <= LONGEST_HELD_TO_PATTERN:
        pattern = _pattern(rules["pattern"])
        if pattern and not pattern.fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {rules['pattern']}"


@lru_cache
def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error:  # Java's classes, such as \p{L}
        return None


def _violation(value: Any, path: str, rule: str) -> str:
    return f"Value {value if value == 'null' else repr(value)} at '{path}' failed to satisfy constraint: {rule}"


def _member(path: str, name: str) -> str:
    return f"{path}.{name[0].lower()}{name[1:]}" if path else f"{name[0].lower()}{name[1:]}"


def _write(value: Any, shape: Any) -> Any:
    kind = shape.type_name
    if kind == "structure":
        unknown = value.keys() - shape.members.keys()
        if unknown:
            raise TypeError(f"{shape.name} has no {', '.join(sorted(unknown))}; it has {', '.join(shape.members)}")
        return {name: _write(item, shape.members[name]) for name, item in value.items() if item is not None}
    if kind == "map":
        return {key: _write(item, shape.value) for key, item in value.items()}
    if kind == "list":
        return [_write(item, shape.member) for item in value]
    return plain(value)
