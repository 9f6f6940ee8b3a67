"""Seals a package: a list of all its files with their digests, signed by a key that never leaves AWS KMS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from model_server import seal as sealed
from model_server.errors import PackageError
from pipelines.container import StepError
from pipelines.packaging import package

ALGORITHM = "ECDSA_SHA_256"

Sign = Callable[[bytes], bytes]
"""From a SHA-256 digest to its signature."""


def seal(folder: Path, about: Mapping[str, str], sign: Sign) -> None:
    """Writes the manifest of *folder*, which has *about* in it too, and its signature; nothing may change after."""
    try:
        files = sealed.entries(folder)
    except PackageError as error:
        raise StepError(f"the package cannot be signed: {error}") from error
    content = json.dumps({"format": sealed.FORMAT, **about, "files": files}, indent=2).encode()
    (folder / sealed.MANIFEST).write_bytes(content)
    (folder / sealed.SIGNATURE).write_bytes(sign(hashlib.sha256(content).digest()))


def by_kms(key: str) -> Sign:
    """Signs with the key of that ARN (its own or its alias's), in the region that the ARN names."""
    parts = key.split(":")
    if parts[:1] != ["arn"] or len(parts) < 6:
        raise StepError(f"--signing-key is {key!r}; give the ARN of a KMS key or of its alias")
    import boto3  # noqa: PLC0415  only who signs needs AWS
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    kms = boto3.client("kms", region_name=parts[3])

    def sign(digest: bytes) -> bytes:
        try:
            answer = kms.sign(KeyId=key, Message=digest, MessageType="DIGEST", SigningAlgorithm=ALGORITHM)
        except (BotoCoreError, ClientError) as error:
            raise StepError(f"the package cannot be signed with {key}: {error}") from error
        return answer["Signature"]

    return sign


def unpack(archive: Path, folder: Path) -> Path:
    """Unpacks a released package and, in an image that has keys, checks its seal.

    Raises StepError where it is none, PackageError where it is not as it was signed.
    """
    package.unpack(archive, folder)
    if sealed.is_required():
        sealed.check(folder)
    return folder
