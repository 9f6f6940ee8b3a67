"""What a build starts from: its sources and its buildspec, read under the project's service role."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_aws.codebuild.archive import unpack
from local_aws.errors import AwsError

S3_ARN = "arn:aws:s3:::"


def download(source: dict[str, Any], version: str, folder: Path, s3: Any) -> None:
    """Put a source into a folder; `version` is an object's ARN (CODEPIPELINE) or version id (S3, "" for the latest)."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = source["type"]
    if kind == "NO_SOURCE":
        return
    if kind == "CODEPIPELINE":
        bucket, key = split(version)
        unpack(read(s3, bucket, key, ""), folder)
    elif kind == "S3":
        bucket, key = split(source["location"])
        if key.endswith("/") or not key:
            _download_folder(s3, bucket, key, folder)
        else:
            unpack(read(s3, bucket, key, version), folder)
    else:
        raise AwsError(
            "CLIENT_ERROR",
            f"Sources of type {kind} are not rehearsed on the local AWS; use S3, CODEPIPELINE or NO_SOURCE here.",
        )


def buildspec_text(source: dict[str, Any], folder: Path, s3: Any) -> str:
    """The buildspec of a build: inline, an S3 object's ARN, or a file of the source (default `buildspec.yml`)."""
    given = source.get("buildspec") or "buildspec.yml"
    if "\n" in given or given.lstrip().startswith(("{", "version:")):
        return given
    if given.startswith(S3_ARN):
        return read(s3, *split(given), "").decode()
    path = folder / given
    if not path.is_file():
        raise AwsError("YAML_FILE_ERROR", f"stat {path}: no such file or directory")
    return path.read_text()


def split(location: str) -> tuple[str, str]:
    """The bucket and key of `bucket/key` or of an object's ARN."""
    bucket, _, key = location.removeprefix(S3_ARN).partition("/")
    return bucket, key


def read(s3: Any, bucket: str, key: str, version: str) -> bytes:
    """An object's content; AwsError CLIENT_ERROR names the object when it cannot be read."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))
        return answer["Body"].read()
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        raise AwsError("CLIENT_ERROR", f"{code}: {message} for source {S3_ARN}{bucket}/{key}") from error


def _download_folder(s3: Any, bucket: str, prefix: str, folder: Path) -> None:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", ()):
            if item["Key"].endswith("/"):
                continue
            target = folder / item["Key"].removeprefix(prefix)
            if not target.resolve().is_relative_to(folder.resolve()):
                raise AwsError("CLIENT_ERROR", f"The key {item['Key']!r} leads out of the source folder.")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(read(s3, bucket, item["Key"], ""))
