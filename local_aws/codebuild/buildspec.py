"""A buildspec, read and checked.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from local_aws.errors import AwsError

PHASES = ("install", "pre_build", "build", "post_build")
_NOT_REHEARSED = ("reports", "batch", "run-as")
_TOP = {"version", "env", "phases", "artifacts", "cache", "proxy", *_NOT_REHEARSED}
_ENV = {"shell", "variables", "parameter-store", "secrets-manager", "exported-variables", "git-credential-helper"}
_PHASE = {"commands", "finally", "on-failure", "runtime-versions", "run-as"}
_ARTIFACT = {"files", "name", "discard-paths", "base-directory", "exclude-paths", "enable-symlinks", "s3-prefix"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_YES = ("yes", "true")


@dataclass(frozen=True)
class Phase:
    """The commands of a phase; `finally_` run in any case; `on_failure` is ABORT, CONTINUE or "" (AWS's own way)."""

    name: str
    commands: tuple[str, ...] = ()
    finally_: tuple[str, ...] = ()
    on_failure: str = ""


@dataclass(frozen=True)
class ArtifactFiles:
    """Which files become an artifact."""

    files: tuple[str, ...]
    name: str = ""
    base_directory: str = "."
    exclude_paths: tuple[str, ...] = ()
    discard_paths: bool = False
    symlinks: bool = False


@dataclass(frozen=True)
class Buildspec:
    """What a build does."""

    shell: str
    variables: dict[str, str]
    parameters: dict[str, str]
    secrets: dict[str, str]
    exported: tuple[str, ...]
    phases: dict[str, Phase]
    artifacts: ArtifactFiles | None
    secondary_artifacts: dict[str, ArtifactFiles]
    not_rehearsed: tuple[str, ...]


def parse(text: str) -> Buildspec:
    """Read a buildspec; AwsError YAML_FILE_ERROR says what is wrong with it."""
    try:
        document = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - makes strings alone: each scalar is its text
    except yaml.YAMLError as error:
        raise _error(" ".join(str(error).split())) from error
    top = _mapping(document, "The buildspec", _TOP)
    if top.get("version") != "0.2":
        raise _error(f"The buildspec's version is {top.get('version')!r}; it must be 0.2.")
    if not top.get("phases"):
        raise _error("The buildspec has no phases; give at least one of " + ", ".join(PHASES) + ".")
    env = _mapping(top.get("env"), "env", _ENV)
    artifacts = _mapping(top.get("artifacts"), "artifacts", {*_ARTIFACT, "secondary-artifacts"})
    secondary = _mapping(artifacts.get("secondary-artifacts"), "artifacts/secondary-artifacts")
    return Buildspec(
        shell=_one_of(env.get("shell", "sh"), "env/shell", ("sh", "bash")),
        variables=_strings(env.get("variables"), "env/variables"),
        parameters=_strings(env.get("parameter-store"), "env/parameter-store"),
        secrets=_strings(env.get("secrets-manager"), "env/secrets-manager"),
        exported=_names(env.get("exported-variables"), "env/exported-variables"),
        phases={name: _phase(name, value) for name, value in _mapping(top["phases"], "phases").items()},
        artifacts=_artifact(artifacts, "artifacts") if artifacts.get("files") else None,
        secondary_artifacts={
            name: _artifact(_mapping(value, f"secondary-artifacts/{name}", _ARTIFACT), f"secondary-artifacts/{name}")
            for name, value in secondary.items()
        },
        not_rehearsed=tuple(name for name in _NOT_REHEARSED if name in top),
    )


def _phase(name: str, value: object) -> Phase:
    if name not in PHASES:
        expected = ",".join(sorted(phase.upper() for phase in PHASES))
        raise _error(f"Invalid buildspec phase name: {name.upper()}. Expecting: {expected}")
    content = _mapping(value, f"phases/{name}", _PHASE)
    on_failure = content.get("on-failure", "")
    if str(on_failure).startswith("RETRY"):
        raise _error(
            f"phases/{name}/on-failure: {on_failure} is not rehearsed on the local AWS; use ABORT or CONTINUE."
        )
    return Phase(
        name,
        commands=_list(content.get("commands"), f"phases/{name}/commands"),
        finally_=_list(content.get("finally"), f"phases/{name}/finally"),
        on_failure=_one_of(on_failure, f"phases/{name}/on-failure", ("", "ABORT", "CONTINUE")),
    )


def _artifact(content: dict[str, Any], where: str) -> ArtifactFiles:
    if not content.get("files"):
        raise _error(f"{where} names no files.")
    return ArtifactFiles(
        files=_list(content["files"], f"{where}/files"),
        name=_scalar(content.get("name", ""), f"{where}/name"),
        base_directory=_scalar(content.get("base-directory", "."), f"{where}/base-directory"),
        exclude_paths=_list(content.get("exclude-paths"), f"{where}/exclude-paths"),
        discard_paths=content.get("discard-paths") in _YES,
        symlinks=content.get("enable-symlinks") in _YES,
    )


def _mapping(value: object, where: str, allowed: set[str] | None = None) -> dict[str, Any]:
    if not value:
        return {}
    if not isinstance(value, dict):
        raise _error(f"{where} must be a mapping, and is {type(value).__name__}.")
    if unknown := sorted(str(key) for key in value if allowed is not None and key not in allowed):
        raise _error(
            f"{where} has unknown keys: {', '.join(unknown)}. It may have: {', '.join(sorted(allowed or ()))}."
        )
    return {str(key): content for key, content in value.items()}


def _strings(value: object, where: str) -> dict[str, str]:
    return {name: _scalar(content, f"{where}/{name}") for name, content in _mapping(value, where).items()}


def _list(value: object, where: str) -> tuple[str, ...]:
    if not value:
        return ()
    if not isinstance(value, list):
        raise _error(f"{where} must be a list, and is {type(value).__name__}.")
    return tuple(_scalar(item, where) for item in value)


def _names(value: object, where: str) -> tuple[str, ...]:
    names = _list(value, where)
    if wrong := [name for name in names if not _NAME.fullmatch(name)]:
        raise _error(f"{where}: {', '.join(wrong)} cannot be a variable; use letters, digits and underscores.")
    return names


def _scalar(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _error(f"{where}: {value!r} is not a string; a command with a colon and a space needs quotes.")
    return value


def _one_of(value: object, where: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise _error(f"{where} is {value!r}; it must be one of {', '.join(filter(None, allowed))}.")
    return value


def _error(message: str) -> AwsError:
    return AwsError("YAML_FILE_ERROR", message)
