"""What every delivery stage has: the project, its names, AWS, and a way to hand variables to later stages."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import boto3

from config import ConfigError, Model, Project, load_models, load_project
from config.naming import Names


@dataclass(frozen=True)
class Surroundings:
    """The checkout that a stage runs in, and the account that it acts on."""

    root: Path = field(default_factory=Path.cwd)

    @cached_property
    def project(self) -> Project:
        return load_project(self.root)

    @cached_property
    def models(self) -> tuple[Model, ...]:
        return load_models(self.root, self.project)

    @property
    def names(self) -> Names:
        return Names(self.project.name)

    def model(self, name: str) -> Model:
        """The model of that name; raises ConfigError."""
        for model in self.models:
            if model.name == name:
                return model
        known = ", ".join(model.name for model in self.models)
        raise ConfigError(f"MODEL is {name!r}: there is no such folder in model_code; there are: {known}")

    def client(self, service: str) -> Any:
        """The client of a service, the same at every call: each one made costs tens of milliseconds."""
        return _client(service)

    def leave(self, **variables: str) -> None:
        """Writes `stage.env`, which the build sources so that CodeBuild exports the variables."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
        (self.root / "stage.env").write_text("".join(lines))


@cache
def _client(service: str) -> Any:
    return boto3.client(service)
