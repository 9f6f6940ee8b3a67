"""Objects of a bucket that several runs may write at once: whoever read an older one does not replace it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

_CONFLICTS = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_ABSENT = {"NoSuchKey", "404", "NotFound"}


class Item(NamedTuple):
    """An object as a listing shows it."""

    key: str
    etag: str
    modified: datetime


class Kept(NamedTuple):
    """An object as it was read; its ETag says which one it was."""

    content: bytes
    etag: str


@dataclass(frozen=True)
class Shelf:
    """A bucket."""

    s3: Any
    bucket: str

    def read(self, key: str) -> Kept | None:
        """The object, or None where there is none."""
        try:
            found = self.s3.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if _code(error) in _ABSENT:
                return None
            raise
        return Kept(found["Body"].read(), found["ETag"].strip('"'))

    def replace(self, key: str, content: bytes, etag: str | None) -> str | None:
        """Writes over the object of that ETag (None: over none); the new ETag, or None where another was quicker."""
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        try:
            put = self.s3.put_object(Bucket=self.bucket, Key=key, Body=content, **condition)
        except ClientError as error:
            if _code(error) in _CONFLICTS | (_ABSENT if etag else set()):
                return None
            raise
        return put["ETag"].strip('"')

    def write(self, key: str, content: bytes, kind: str) -> None:
        """Writes over whatever there is."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType=kind)

    def items(self, prefix: str, after: str = "") -> Iterator[Item]:
        """The objects below a prefix in the order of their keys, from beyond the key *after* on."""
        told = {"StartAfter": after} if after else {}
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, **told):
            for each in page.get("Contents", ()):
                if not each["Key"].endswith("/"):
                    yield Item(each["Key"], each["ETag"].strip('"'), each["LastModified"].astimezone(UTC))

    def folders(self, prefix: str) -> list[str]:
        """The folders right below a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
        return [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())]


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
