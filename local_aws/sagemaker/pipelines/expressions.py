"""What a pipeline's definition refers to: parameters, the execution, what steps gave; and its conditions."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

TYPES: dict[str, Callable[[Any], Any]] = {
    "String": str,
    "Integer": int,
    "Float": float,
    "Boolean": lambda value: value if isinstance(value, bool) else {"true": True, "false": False}[value.lower()],
}
PART = re.compile(r"""\.?([^.\[\]'"]+)|\['([^']+)'\]|\["([^"]+)"\]|\[(\d+)\]""")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


class UnresolvedError(Exception):
    """A reference leads to nothing, or a condition cannot be told; the message says which and why."""


class Scope:
    """What may be referred to during one execution.

    `values` holds "Parameters", "Execution" and "Steps"; `read_file(step, property file)` gives the text of one.
    """

    def __init__(self, values: Mapping[str, Any], read_file: Callable[[str, str], str]) -> None:
        self._values = values
        self._read_file = read_file

    def resolve(self, value: Any) -> Any:
        """A value with every reference in it replaced by what it refers to. Raises UnresolvedError."""
        match value:
            case {"Get": str(path)} if len(value) == 1:
                return follow(self._values, path)
            case {"Std:Join": {"On": str(between), "Values": list(parts)}}:
                return between.join(_text(self.resolve(part)) for part in parts)
            case {"Std:JsonGet": {"PropertyFile": {"Get": str(file)}, "Path": path}}:
                return self._json(file, self.resolve(path))
            case dict():
                return {key: self.resolve(item) for key, item in value.items()}
            case list():
                return [self.resolve(item) for item in value]
        return value

    def holds(self, condition: Mapping[str, Any]) -> bool:
        """Whether a condition is true. Raises UnresolvedError."""
        match condition["Type"]:
            case "Not":
                return not self.holds(condition["Expression"])
            case "Or":
                return any(self.holds(each) for each in condition["Conditions"])
            case "And":
                return all(self.holds(each) for each in condition["Conditions"])
            case "In":
                return self.resolve(condition["QueryValue"]) in self.resolve(condition["Values"])
            case kind if kind in COMPARISONS:
                return self._compare(kind, condition)
        known = ", ".join([*COMPARISONS, "In", "Not", "Or", "And"])
        raise UnresolvedError(f"condition type {condition['Type']!r} is none of {known}")

    def _compare(self, kind: str, condition: Mapping[str, Any]) -> bool:
        left, right = self.resolve(condition["LeftValue"]), self.resolve(condition["RightValue"])
        try:
            return COMPARISONS[kind](left, right)
        except TypeError as error:
            raise UnresolvedError(f"{left!r} and {right!r} cannot be compared by {kind}") from error

    def _json(self, file: str, path: str) -> Any:
        _, step, _, name = parts(file)
        try:
            return follow(json.loads(self._read_file(step, name)), path.removeprefix("$").lstrip("."))
        except ValueError as error:
            raise UnresolvedError(f"the property file {name} of step {step} is not JSON: {error}") from error


def parts(path: str) -> list[str]:
    """The names along a path such as Steps.X.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri."""
    return [next(filter(None, found)) for found in PART.findall(path)]


def follow(value: Any, path: str) -> Any:
    """What a path leads to; a name leads into a list to the item that has this name. Raises UnresolvedError."""
    for part in parts(path):
        try:
            value = _item(value, part)
        except (LookupError, TypeError, StopIteration) as error:
            raise UnresolvedError(f"{path!r} leads to nothing at {part!r}") from error
    return value


def steps_named_in(value: Any) -> Iterator[str]:
    """The steps that a value refers to."""
    match value:
        case {"Get": str(path)} if path.startswith("Steps."):
            yield parts(path)[1]
        case dict():
            for item in value.values():
                yield from steps_named_in(item)
        case list():
            for item in value:
                yield from steps_named_in(item)


def _item(value: Any, part: str) -> Any:
    if not isinstance(value, list):
        return value[part]
    if part.isdecimal():
        return value[int(part)]
    return next(item for item in value if part in (name for key, name in item.items() if key.endswith("Name")))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
