"""What a build leaves: files chosen by its buildspec, written to S3 under the project's service role."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_aws.codebuild.archive import pack
from local_aws.codebuild.buildspec import ArtifactFiles, Buildspec
from local_aws.codebuild.sources import S3_ARN, split
from local_aws.errors import AwsError


def choose(artifact: ArtifactFiles, source: Path) -> dict[str, Path]:
    """The files of an artifact by the names they get in it."""
    chosen: dict[str, Path] = {}
    for base in _bases(artifact, source):
        excluded = {path for pattern in artifact.exclude_paths for path in _glob(base, pattern)}
        for pattern in artifact.files:
            for path in sorted(_glob(base, pattern) - excluded):
                chosen[path.name if artifact.discard_paths else path.relative_to(base).as_posix()] = path
    if not chosen:
        raise AwsError("CLIENT_ERROR", "no matching artifact paths found: " + ", ".join(artifact.files))
    return chosen


def upload(
    declared: dict[str, Any], spec: Buildspec, source: Path, build_id: str, s3: Any, log: Callable[[str], None]
) -> dict[str, Any] | None:
    """Write one declared artifact (`artifacts` of a project or build); what `BatchGetBuilds` says of it."""
    identifier = declared.get("artifactIdentifier", "")
    if declared["type"] == "NO_ARTIFACTS" or (declared["type"] == "CODEPIPELINE" and not declared.get("location")):
        return None
    artifact = spec.secondary_artifacts.get(identifier) if identifier else spec.artifacts
    if artifact is None:
        where = f"artifacts/secondary-artifacts/{identifier}" if identifier else "artifacts/files"
        raise AwsError("CLIENT_ERROR", f"The buildspec does not define the artifact: give {where}.")
    files = choose(artifact, source)
    log(f"Found {len(files)} file(s)")
    described = {"artifactIdentifier": identifier} if identifier else {}
    bucket, key = _place(declared, artifact, build_id)
    if declared["type"] == "S3" and declared.get("packaging", "NONE") == "NONE":
        for name, path in files.items():
            _put(s3, declared, bucket, f"{key}/{name}".lstrip("/"), path.read_bytes())
        return {**described, "location": f"{S3_ARN}{bucket}/{key}"}
    content = pack(files, symlinks=artifact.symlinks)
    _put(s3, declared, bucket, key, content)
    return {
        **described,
        "location": f"{S3_ARN}{bucket}/{key}",
        "sha256sum": hashlib.sha256(content).hexdigest(),
        "md5sum": hashlib.md5(content, usedforsecurity=False).hexdigest(),
    }


def _place(declared: dict[str, Any], artifact: ArtifactFiles, build_id: str) -> tuple[str, str]:
    if declared["type"] == "CODEPIPELINE":
        return split(declared["location"])
    project, _, run = build_id.partition(":")
    name = declared.get("name") or project
    if declared.get("overrideArtifactName"):
        name = artifact.name or name
    parts = [declared.get("path", ""), run if declared.get("namespaceType") == "BUILD_ID" else "", name]
    return split(declared["location"])[0], "/".join(part.strip("/") for part in parts if part.strip("/"))


def _put(s3: Any, declared: dict[str, Any], bucket: str, key: str, content: bytes) -> None:
    encryption = declared.get("encryptionKey")
    extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": encryption} if encryption else {}
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=content, **extra)
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        raise AwsError(
            "CLIENT_ERROR", f"Error in UPLOAD_ARTIFACTS phase: {code}: {message} ({bucket}/{key})"
        ) from error


def _bases(artifact: ArtifactFiles, source: Path) -> list[Path]:
    if "*" not in artifact.base_directory:
        bases = [source / artifact.base_directory]
    else:
        bases = sorted(source.glob(artifact.base_directory))
    found = [base for base in bases if base.is_dir()]
    if not found:
        raise AwsError("CLIENT_ERROR", f"no matching base directory path found for {artifact.base_directory}")
    return found


def _glob(base: Path, pattern: str) -> set[Path]:
    if Path(pattern).is_absolute():
        raise AwsError("CLIENT_ERROR", f"The artifact path {pattern!r} is absolute; give it relative to the source.")
    return {
        path
        for path in base.glob(pattern.removesuffix("/**") + "/**/*" if pattern.endswith("/**") else pattern)
        if not path.is_dir()
    }
