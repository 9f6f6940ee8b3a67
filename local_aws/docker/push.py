"""`docker push`: an image into Amazon ECR, by the calls that a push makes, under the caller's credentials."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from local_aws.docker.dockerfile import DockerError
from local_aws.docker.store import MANIFEST, Store, digest_of


def push(reference: str, store: Store, pushed: Path) -> str:
    """Push an image that is tagged `registry/repository:tag`; its digest."""
    name, colon, tag = reference.rpartition(":")
    if not colon or "/" in tag or "/" not in name:
        raise DockerError(f"{reference} is not a reference registry/repository:tag.")
    registry, _, repository = name.partition("/")
    if registry not in store.logins():
        raise DockerError(f"no basic auth credentials (log in to {registry} first: docker login)")
    digest = store.digest(reference)
    image = store.folder(digest)
    _copy(image, pushed / image.name)
    try:
        _upload(boto3.client("ecr"), repository, tag, digest, image)
    except ClientError as error:
        reason = error.response["Error"]
        denied = "denied" if reason["Code"].startswith("AccessDenied") else reason["Code"]
        raise DockerError(f"{denied}: {reason['Message']}") from error
    store.name_by_digest(f"{name}@{digest}", reference)
    return digest


def _copy(image: Path, target: Path) -> None:
    if target.exists():
        return
    half = target.with_name(f".{target.name}-{os.getpid()}")
    shutil.copytree(image, half, symlinks=True)
    try:
        half.rename(target)
    except OSError:  # another push was quicker
        shutil.rmtree(half)


def _upload(ecr: Any, repository: str, tag: str, digest: str, image: Path) -> None:
    for content in ((image / "layer").read_bytes(), (image / "config.json").read_bytes()):
        blob = [digest_of(content)]
        known = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=blob)
        if all(layer["layerAvailability"] == "AVAILABLE" for layer in known["layers"]):
            continue
        upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
        end = max(len(content) - 1, 0)
        ecr.upload_layer_part(
            repositoryName=repository, uploadId=upload, partFirstByte=0, partLastByte=end, layerPartBlob=content
        )
        ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=blob)
    ecr.put_image(
        repositoryName=repository,
        imageManifest=(image / "manifest.json").read_text(),
        imageManifestMediaType=MANIFEST,
        imageTag=tag,
        imageDigest=digest,
    )
