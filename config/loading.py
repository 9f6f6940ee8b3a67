"""Reads project.yaml and every model.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from config.closed import Closed
from config.errors import ConfigError, explain
from config.model import Model
from config.naming import Names
from config.network import refusal
from config.project import Project

T = TypeVar("T", bound=Closed)


def load_project(root: Path) -> Project:
    """Reads `project.yaml` under *root*; raises ConfigError."""
    return _parse(root / "project.yaml", Project, {})


def load_models(root: Path, project: Project) -> tuple[Model, ...]:
    """Reads every `model_code/*/model.yaml` under *root*, in the order of their names; raises ConfigError."""
    models = tuple(load_model(file.parent) for file in sorted((root / "model_code").glob("*/model.yaml")))
    for model in models:
        file = root / "model_code" / model.name / "model.yaml"
        if model.team not in project.teams:
            raise ConfigError(f"{file}: team is {model.team!r}; project.yaml has: {', '.join(sorted(project.teams))}")
        longest = max((Names(project.name).endpoint(model.name, place) for place in project.environments), key=len)
        if len(longest) > Names.LONGEST_ENDPOINT:
            raise ConfigError(
                f"{file}: the endpoint's name would be {longest!r}, {len(longest)} characters; SageMaker allows "
                f"{Names.LONGEST_ENDPOINT}; shorten the name of the folder or of the project"
            )
        unknown = sorted(model.environments.keys() - project.environments.keys())
        if unknown:
            allowed = ", ".join(project.environments)
            raise ConfigError(f"{file}: environments.{unknown[0]}: no such environment; allowed: {allowed}")
        for name, place in project.environments.items():
            if why := refusal(place.network, model.in_environment(name).hosting):
                raise ConfigError(f"{file}: in {name}, {why}")
    return models


def load_model(folder: Path) -> Model:
    """Reads the `model.yaml` of one model's folder; raises ConfigError."""
    return _parse(folder / "model.yaml", Model, {"name": folder.resolve().name})


def _parse(file: Path, kind: type[T], given: dict[str, Any]) -> T:
    try:
        content = _loaded(file.read_bytes())
    except FileNotFoundError as error:
        raise ConfigError(
            f"{file} does not exist; every project has a project.yaml, every model a model.yaml"
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} is not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file} holds {type(content).__name__}; expected fields such as `name: value`")
    for field in given.keys() & content.keys():
        raise ConfigError(
            f"{file}: {field} is {content[field]!r}: not written here, it is the folder's name; remove it"
        )
    try:
        return kind.model_validate(content | given)
    except ValidationError as error:
        raise explain(file, error, kind, content) from None


class _Loader(yaml.SafeLoader):
    """YAML that refuses a field written twice, where plain YAML silently keeps the last."""


_WithLibyaml: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML can be built without


class _Quick(_WithLibyaml):
    """The same by libyaml, six times as fast, as hundreds of models need; its errors do not show the line."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key!r} is written twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


for _each in (_Loader, _Quick):
    _each.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _loaded(text: bytes) -> Any:
    try:
        return yaml.load(text, Loader=_Quick)  # noqa: S506 - a safe loader
    except yaml.YAMLError:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, which says what is wrong where
