"""Container images on this machine: a folder with what the Dockerfile copied, and how it starts."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local_aws.errors import AwsError

if TYPE_CHECKING:
    from local_aws.account import Account


@dataclass(frozen=True)
class Image:
    """An image to start a program from: `folder` is its working directory, `command` its entrypoint and command.

    Paths of the image in `command` and `environment` are those of this machine.
    """

    uri: str
    folder: Path
    command: tuple[str, ...]
    environment: dict[str, str]

    @classmethod
    def load(cls, uri: str, stored: Path) -> Image:
        """An image from the folder that holds it: `root/`, and `config.json` as a registry keeps it."""
        root = stored / "root"
        config = json.loads((stored / "config.json").read_text())["config"]
        variables = dict(item.split("=", 1) for item in config["Env"])
        return cls(
            uri=uri,
            folder=root / config["WorkingDir"].lstrip("/"),
            command=tuple(_here(word, root) for word in [*config["Entrypoint"], *config["Cmd"]]),
            # An image's PATH leads to what its own build would have installed.
            environment={name: _here(value, root) for name, value in variables.items() if name != "PATH"},
        )


class Images:
    """The images that were pushed to the account's registry."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._folder = account.settings.home / "images"

    def find(self, uri: str) -> Image:
        """The image of `registry/repository:tag` or `registry/repository@sha256:...`.

        AwsError ImageNotFoundException names the images known when this one was never pushed here.
        """
        repository, identifier = _parse(uri)
        ecr = self._account.client("ecr")
        try:
            found = ecr.batch_get_image(repositoryName=repository, imageIds=[identifier])["images"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "RepositoryNotFoundException":
                raise
            found = []
        stored = self._folder / found[0]["imageId"]["imageDigest"].removeprefix("sha256:") if found else None
        if stored is None or not stored.is_dir():
            known = ", ".join(_known(ecr)) or "none"
            raise AwsError(
                "ImageNotFoundException",
                f"The image {uri} was never pushed to the local AWS, which has: {known}. "
                "Build and push it in a build here first (`docker build`, `docker push`).",
            )
        return Image.load(uri, stored)


def _parse(uri: str) -> tuple[str, dict[str, str]]:
    name, at, digest = uri.partition("@")
    if not at:
        name, colon, tag = name.rpartition(":")
        name, tag = (name, tag) if colon and "/" not in tag else (uri, "latest")
        return name.partition("/")[2], {"imageTag": tag}
    return name.partition("/")[2], {"imageDigest": digest}


def _known(ecr: Any) -> list[str]:
    return [
        f"{repository['repositoryUri']}:{tag}"
        for repository in ecr.describe_repositories()["repositories"]
        for image in ecr.describe_images(repositoryName=repository["repositoryName"])["imageDetails"]
        for tag in image.get("imageTags", ())
    ]


def _here(text: str, root: Path) -> str:
    """A path (or paths with colons between) of the image as paths of this machine, where the image has them."""
    parts = text.split(os.pathsep)
    return os.pathsep.join(
        str(root / part[1:]) if part[:1] == "/" and part != "/" and (root / part[1:]).exists() else part
        for part in parts
    )
