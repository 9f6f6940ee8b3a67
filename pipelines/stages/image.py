"""Builds the images that the models need, where their content changed, and notes each by digest.

Each image has a bill of materials in the artifacts bucket. One with a vulnerability that project.yaml does not allow
fails the stage, and none is noted: what runs stays what ran.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from botocore.exceptions import ClientError

from pipelines.stages.keys import TRUSTED, trust
from pipelines.stages.materials import bill_of_materials
from pipelines.stages.scanning import refused, wait_for_scan
from pipelines.stages.surroundings import Surroundings

CONTENT = {
    "serving": ("model_server", "pyproject.toml", "uv.lock"),
    "serving-native": ("model_server", "pyproject.toml", "uv.lock"),
    "job": ("config", "model_server", "monitoring", "pipelines", "pyproject.toml", "uv.lock"),
}
"""What goes into each target of the Dockerfile."""

INSTEAD = (
    "Nothing will use these images: project.yaml allows only what is less than {}. Take a patched base image or "
    "package, or list the finding below vulnerabilities.ignore with a reason and a date. A scan that has failed is "
    "repeated by: aws ecr start-image-scan"
)


@dataclass(frozen=True)
class Image:
    """An image in the registry."""

    target: str
    version: str
    """Names its content."""
    repository: str
    digest: str
    is_new: bool

    @property
    def uri(self) -> str:
        return f"{self.repository}@{self.digest}"


def main() -> None:
    around = Surroundings()
    trust(around)
    images = build(around, os.environ["REPOSITORY"])
    kept = [keep_bill(around, os.environ["ARTIFACTS_BUCKET"], image) for image in images]
    scanned = check(around, images, datetime.now(UTC).date())
    parameters = around.client("ssm")
    for image in images:
        name = around.names.image_parameter(image.target)
        parameters.put_parameter(Name=name, Value=image.uri, Type="String", Overwrite=True)
        print(f"{image.target}: {image.uri}")
    built = ", ".join(image.target for image in images if image.is_new)
    said = f"Built: {built}." if built else "Nothing to build: the content is that of an earlier image."
    around.leave(
        JOB_IMAGE=next(image.uri for image in images if image.target == "job"), SUMMARY=" ".join([said, scanned, *kept])
    )


def build(around: Surroundings, repository: str) -> list[Image]:
    """The images that the models need; those that are not in the registry are built and pushed."""
    ecr = around.client("ecr")
    images: list[Image] = []
    for target in needed(around):
        version = content_hash(around, target)
        tag = f"{target}-{version}"
        digest = _digest(ecr, repository, tag)
        is_new = digest is None
        if digest is None:
            if not any(image.is_new for image in images):
                _log_in(ecr)
            _build(target, f"{repository}:{tag}")
            digest = _digest(ecr, repository, tag)
            assert digest
        images.append(Image(target, version, repository, digest, is_new))
    return images


def keep_bill(around: Surroundings, bucket: str, image: Image) -> str:
    """Keeps the image's bill of materials, unless an earlier run has; gives the sentence that names it."""
    bill = bill_of_materials(around.root, image.target, image.version, image.digest)
    key = f"sbom/{image.target}-{image.version}.cdx.json"
    try:
        around.client("s3").put_object(
            Bucket=bucket, Key=key, Body=bill, ContentType="application/vnd.cyclonedx+json", IfNoneMatch="*"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
    return f"SBOM of {image.target}: {key} (SHA-256 {hashlib.sha256(bill).hexdigest()})."


def check(around: Surroundings, images: Sequence[Image], today: date) -> str:
    """Ends the stage where a vulnerability is too severe; else the sentence that says what was scanned."""
    limits, ecr = around.project.vulnerabilities, around.client("ecr")
    stopping, unscanned, found = [], [], 0
    for image in images:
        scan = wait_for_scan(ecr, image.repository.partition("/")[2], image.digest)
        found += len(scan.findings)
        if too_severe := refused(scan, limits, today):
            stopping.append(f"{image.target} has {', '.join(map(str, too_severe))}")
        if scan.end == "failed":
            stopping.append(f"the scan of {image.target} ({image.uri}) has failed: {scan.why}")
        if scan.end == "none":
            unscanned.append(f"{image.target} ({scan.why})")
            print(f"WARNING: no scan has looked at {image.target}: {scan.why}")
    if stopping:
        sys.exit(f"{'; '.join(stopping)}. {INSTEAD.format(limits.limit)}")
    if unscanned:
        return f"NOT SCANNED for vulnerabilities: {', '.join(unscanned)}."
    return f"Scanned: {found} known vulnerabilities, none that counts as {limits.limit} or worse."


def needed(around: Surroundings) -> list[str]:
    """The targets that are worth building: the larger serving image only where a model asks for it."""
    asked = {"serving", "job", *(model.serving.image for model in around.models)}
    return [target for target in CONTENT if target in asked]


def content_hash(around: Surroundings, target: str) -> str:
    """Names the content of a target: git's hashes of what the Dockerfile copies into it, and the trusted keys."""
    listing = subprocess.run(
        ["git", "ls-tree", "-r", "HEAD", "--", *CONTENT[target]], cwd=around.root, check=True, capture_output=True
    ).stdout
    keys = b"".join(file.read_bytes() for file in sorted((around.root / TRUSTED).iterdir()))
    return hashlib.sha256(listing + keys).hexdigest()[:12]


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
