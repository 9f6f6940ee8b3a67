"""S3 as a role sees it, to and from folders."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_aws.errors import AwsError
from pipelines.packaging.archive import extract


@dataclass(frozen=True)
class StoredObject:
    """An object of S3, with its path below the prefix that it was found under."""

    bucket: str
    key: str
    path: str

    @property
    def uri(self) -> str:
        """s3://bucket/key."""
        return f"s3://{self.bucket}/{self.key}"


class StorageError(Exception):
    """S3 refused; the message reads as SageMaker's: what could not be done with which URI (code: message)."""


class Storage:
    """The objects that one role may read and write."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def objects(self, uri: str) -> list[StoredObject]:
        """The objects under a prefix, in the order of their keys, without the empty ones that stand for folders."""
        bucket, prefix = split(uri)
        try:
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        except ClientError as error:
            raise _failed("list objects under", uri, error) from error
        return [StoredObject(bucket, key, _below(prefix, key)) for key in keys if not key.endswith("/")]

    def fetch(self, item: StoredObject, folder: Path) -> Path:
        """Download an object to its path below a folder."""
        target = folder / item.path
        if not target.resolve().is_relative_to(folder.resolve()):
            raise StorageError(f"Unable to download object {item.uri} (its key leads out of the folder {folder.name})")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self.download(item.uri, target)
        except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
            clash = "a previously downloaded file/folder clashes with it"
            raise StorageError(f"Cannot download {item.uri}, {clash}") from error
        return target

    def download(self, uri: str, target: Path) -> None:
        """Download one object to a file."""
        bucket, key = split(uri)
        try:
            body = self._s3.get_object(Bucket=bucket, Key=key)["Body"]
            with body, target.open("wb") as file:
                shutil.copyfileobj(body, file, 1 << 20)
        except ClientError as error:
            raise _failed("download object", uri, error) from error

    def exists(self, uri: str) -> None:
        """Raise StorageError unless the object is there and may be read."""
        bucket, key = split(uri)
        try:
            self._s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            raise _failed("access object", uri, error) from error

    def upload(self, file: Path, uri: str, kms_key: str | None = None) -> None:
        """Upload one file, under a KMS key if given."""
        bucket, key = split(uri)
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        try:
            with file.open("rb") as body:
                self._s3.put_object(Bucket=bucket, Key=key, Body=body, **encryption)
        except ClientError as error:
            raise _failed("upload object", uri, error) from error

    def upload_folder(self, folder: Path, uri: str, kms_key: str | None = None) -> None:
        """Upload every file of a folder below a prefix."""
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            self.upload(file, f"{uri.rstrip('/')}/{file.relative_to(folder).as_posix()}", kms_key)


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise AwsError("ValidationException", f"{uri!r} is not an S3 URI; write s3://bucket/key.")
    return bucket, key


def pack(folders: Iterable[Path], archive: Path) -> None:
    """Put what several folders hold into one tar.gz."""
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        for folder in folders:
            for path in sorted(folder.iterdir()):
                tar.add(path, path.name)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar.gz; tarfile.TarError or OSError if it is none, or would write outside the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "r:gz") as tar:
        extract(tar, folder)


def _below(prefix: str, key: str) -> str:
    """s3://b/a holds a/x as "x"; s3://b/a/x, the object itself, is "x"; s3://b/a also finds ab/x, as "ab/x"."""
    folder = prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
    if key.startswith(folder):
        return key[len(folder) :]
    return key[prefix.rfind("/") + 1 :]


def _failed(what: str, uri: str, error: ClientError) -> StorageError:
    details = error.response["Error"]
    return StorageError(f"Unable to {what} {uri} ({details['Code']}: {details['Message']})")
