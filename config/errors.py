"""What a person reads when a configuration file is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

Node = Mapping[str, Any]


class ConfigError(ValueError):
    """A configuration file that cannot be used; the message names file, field, value and what is allowed."""


def explain(file: Path, error: ValidationError, root: type[BaseModel], content: Mapping[str, Any]) -> ConfigError:
    """Turns pydantic's findings into one line each: file, field, what is wrong, the value, what is allowed."""
    schema = _schema(root)
    sentences = [_sentence(schema, content, finding) for finding in error.errors(include_url=False)]
    return ConfigError("\n".join(f"{file}: {sentence}" for sentence in sentences))


@cache
def _schema(root: type[BaseModel]) -> Node:
    return root.model_json_schema()


def _sentence(schema: Node, content: Mapping[str, Any], finding: Mapping[str, Any]) -> str:
    parts, value = finding["loc"], finding["input"]
    field = _display(schema, content, parts)
    context = finding.get("ctx", {})
    match finding["type"]:
        case "extra_forbidden":
            return _unknown(field, str(parts[-1]), value, sorted(_fields(_walk(schema, parts[:-1]), schema)))
        case "missing":
            return f"{field} is missing; add it"
        case "value_error":
            return f"{field}: {context['error']}" if field else str(context["error"])
        case "union_tag_invalid":
            tag = str(context["discriminator"]).strip("'")
            return _unknown(f"{field}.{tag}", context["tag"], context["tag"], [], context["expected_tags"])
        case "union_tag_not_found":
            return f"{field}.{str(context['discriminator']).strip(chr(39))} is missing; add it"
    message = finding["msg"][:1].lower() + finding["msg"][1:]
    return f"{field} is {value!r}: {message}"


def _unknown(field: str, name: str, value: object, fields: Sequence[str], kinds: str = "") -> str:
    allowed = kinds.replace("'", "").split(", ") if kinds else fields
    close = difflib.get_close_matches(name, allowed, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    what = "not one of the kinds" if kinds else "no such field"
    return f"{field} is {value!r}: {what}; allowed: {', '.join(allowed)}{hint}"


def _display(schema: Node, content: Any, parts: Sequence[Any]) -> str:
    """The path as its author wrote it: without the tags of unions, and with names for the items of a list."""
    shown = ""
    for index, part in enumerate(parts):
        if isinstance(part, int):
            content = content[part] if isinstance(content, Sequence) and part < len(content) else None
            name = content.get("name", part) if isinstance(content, Mapping) else part
            shown += f"[{name}]"
        elif not _is_tag(schema, parts[:index], part):
            content = content.get(part) if isinstance(content, Mapping) else None
            shown += f".{part}" if shown else str(part)
    return shown


def _is_tag(schema: Node, before: Sequence[Any], part: Any) -> bool:
    return any(part in _tags(branch) for node in _walk(schema, before) for branch in _branches(node, schema))


def _walk(schema: Node, parts: Sequence[Any]) -> list[Node]:
    """The schema nodes at a path."""
    nodes: list[Node] = [schema]
    for part in parts:
        nodes = [step for node in nodes for step in _step(node, part, schema)]
    return nodes


def _step(node: Node, part: Any, schema: Node) -> list[Node]:
    branches = _branches(node, schema)
    tagged = [branch for branch in branches if part in _tags(branch)]
    if tagged:
        return tagged
    found: list[Node] = []
    for branch in branches:
        if part in branch.get("properties", {}):
            found.append(branch["properties"][part])
        elif isinstance(part, int) and "items" in branch:
            found.append(branch["items"])
        elif isinstance(branch.get("additionalProperties"), Mapping):
            found.append(branch["additionalProperties"])
    return found


def _branches(node: Node, schema: Node) -> list[Node]:
    """The node itself, or each side of a union, with references followed."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    union = node.get("oneOf") or node.get("anyOf")
    return [branch for side in union for branch in _branches(side, schema)] if union else [node]


def _fields(nodes: Sequence[Node], schema: Node) -> set[str]:
    return {name for node in nodes for branch in _branches(node, schema) for name in branch.get("properties", {})}


def _tags(branch: Node) -> set[str]:
    """The values (`kind: dedicated`, `type: number`) that select this side of a union."""
    return {field["const"] for field in branch.get("properties", {}).values() if "const" in field}
