"""Builds the images that the models need, where their content changed, and notes each by digest."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
from typing import Any

from pipelines.stages.surroundings import Surroundings

CONTENT = {
    "serving": ("model_server", "pyproject.toml", "uv.lock"),
    "serving-native": ("model_server", "pyproject.toml", "uv.lock"),
    "job": ("config", "model_server", "monitoring", "pipelines", "pyproject.toml", "uv.lock"),
}
"""What goes into each target of the Dockerfile."""


def main() -> None:
    around = Surroundings()
    ecr, parameters = around.client("ecr"), around.client("ssm")
    repository = os.environ["REPOSITORY"]
    built: list[str] = []
    images: dict[str, str] = {}
    for target in needed(around):
        tag = f"{target}-{content_hash(around, target)}"
        digest = _digest(ecr, repository, tag)
        if digest is None:
            if not built:
                _log_in(ecr)
            built.append(target)
            _build(target, f"{repository}:{tag}")
            digest = _digest(ecr, repository, tag)
        image = images[target] = f"{repository}@{digest}"
        parameters.put_parameter(Name=around.names.image_parameter(target), Value=image, Type="String", Overwrite=True)
        print(f"{target}: {image}")
    around.leave(
        JOB_IMAGE=images["job"],
        SUMMARY=f"Built: {', '.join(built)}."
        if built
        else "Nothing to build: the content is that of an earlier image.",
    )


def needed(around: Surroundings) -> list[str]:
    """The targets that are worth building: the larger serving image only where a model asks for it."""
    asked = {"serving", "job", *(model.serving.image for model in around.models)}
    return [target for target in CONTENT if target in asked]


def content_hash(around: Surroundings, target: str) -> str:
    """Names the content of a target: git's hashes of everything that the Dockerfile copies into it."""
    listing = subprocess.run(
        ["git", "ls-tree", "-r", "HEAD", "--", *CONTENT[target]], cwd=around.root, check=True, capture_output=True
    ).stdout
    return hashlib.sha256(listing).hexdigest()[:12]


def _digest(ecr: Any, repository: str, tag: str) -> str | None:
    _registry, _, name = repository.partition("/")
    try:
        found = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": tag}])["imageDetails"]
    except ecr.exceptions.ImageNotFoundException:
        return None
    return found[0]["imageDigest"] if found else None


def _log_in(ecr: Any) -> None:
    token = ecr.get_authorization_token()["authorizationData"][0]
    user, password = base64.b64decode(token["authorizationToken"]).decode().split(":", 1)
    command = ["docker", "login", "--username", user, "--password-stdin", token["proxyEndpoint"]]
    subprocess.run(command, input=password, text=True, check=True)


def _build(target: str, image: str) -> None:
    build = ["docker", "build", "--file", "model_server/Dockerfile", "--target", target, "--tag", image, "."]
    for command in (build, ["docker", "push", image]):
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
