"""Build projects: what they may say, and what a build of one runs with."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from local_aws.errors import AwsError

DEFAULTS: dict[str, Any] = {
    "timeoutInMinutes": 60,
    "queuedTimeoutInMinutes": 480,
    "cache": {"type": "NO_CACHE"},
    "badge": {"badgeEnabled": False},
    "projectVisibility": "PRIVATE",
}
_OVERRIDES = {
    "sourceTypeOverride": ("source", "type"),
    "sourceLocationOverride": ("source", "location"),
    "buildspecOverride": ("source", "buildspec"),
    "environmentTypeOverride": ("environment", "type"),
    "imageOverride": ("environment", "image"),
    "computeTypeOverride": ("environment", "computeType"),
    "privilegedModeOverride": ("environment", "privilegedMode"),
    "sourceVersion": ("sourceVersion",),
    "secondarySourcesOverride": ("secondarySources",),
    "secondarySourcesVersionOverride": ("secondarySourceVersions",),
    "artifactsOverride": ("artifacts",),
    "secondaryArtifactsOverride": ("secondaryArtifacts",),
    "serviceRoleOverride": ("serviceRole",),
    "timeoutInMinutesOverride": ("timeoutInMinutes",),
    "queuedTimeoutInMinutesOverride": ("queuedTimeoutInMinutes",),
    "encryptionKeyOverride": ("encryptionKey",),
    "logsConfigOverride": ("logsConfig",),
    "cacheOverride": ("cache",),
}
_NO_EFFECT = {"idempotencyToken", "projectName", "environmentVariablesOverride"}


def check(project: dict[str, Any]) -> None:
    """Refuse what CodeBuild refuses of a project."""
    source, artifacts = project["source"]["type"], project["artifacts"]["type"]
    if (source == "CODEPIPELINE") != (artifacts == "CODEPIPELINE"):
        raise AwsError(
            "InvalidInputException",
            f"Invalid project: source type {source} with artifacts type {artifacts}; "
            "CODEPIPELINE must be the type of both or of neither.",
        )
    if source == "NO_SOURCE" and "\n" not in project["source"].get("buildspec", ""):
        raise AwsError("InvalidInputException", "Invalid project: with source type NO_SOURCE, give a buildspec inline.")
    if source == "S3" and "/" not in project["source"].get("location", ""):
        raise AwsError("InvalidInputException", "Invalid project: a source of type S3 needs the location bucket/key.")
    if artifacts == "S3" and not project["artifacts"].get("location"):
        raise AwsError("InvalidInputException", "Invalid project: artifacts of type S3 need a bucket as location.")


def settings_of_build(project: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The settings of one build: the project's, with what `StartBuild` overrides."""
    settings = deepcopy(project)
    for name, value in params.items():
        if name in _NO_EFFECT:
            continue
        if name not in _OVERRIDES:
            raise AwsError(
                "InvalidInputException",
                f"{name} is not rehearsed on the local AWS; it takes {', '.join(sorted(_OVERRIDES))}.",
            )
        *path, last = _OVERRIDES[name]
        target = settings[path[0]] if path else settings
        target[last] = value
    variables = {item["name"]: item for item in settings["environment"].get("environmentVariables", ())}
    variables |= {item["name"]: item for item in params.get("environmentVariablesOverride", ())}
    settings["environment"]["environmentVariables"] = list(variables.values())
    return settings


def not_rehearsed(settings: dict[str, Any]) -> list[str]:
    """What these settings ask for that a build here does without."""
    asked = {
        "the VPC of the project": settings.get("vpcConfig"),
        f"the {settings['cache']['type']} cache of the project": settings["cache"]["type"] != "NO_CACHE",
        "the file systems of the project": settings.get("fileSystemLocations"),
        "logs to S3": settings.get("logsConfig", {}).get("s3Logs", {}).get("status") == "ENABLED",
        "a fleet": settings["environment"].get("fleet"),
        "a registry credential": settings["environment"].get("registryCredential"),
    }
    return [what for what, wanted in asked.items() if wanted]
