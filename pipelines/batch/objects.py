"""The records bucket as the programs of a batch see it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

_CHUNK = 1024 * 1024
_NOT_THERE = ("NoSuchKey", "404", "NotFound")
_NOT_SO = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")

Json = dict[str, Any]


@dataclass(frozen=True)
class Objects:
    """The objects of one bucket, by key."""

    bucket: str
    s3: Any

    @classmethod
    def of(cls, bucket: str) -> Objects:
        """With the credentials and the region of the environment."""
        return cls(bucket, boto3.client("s3"))

    def names(self, prefix: str, ending: str = "") -> set[str]:
        """What is below *prefix* and has that *ending*, without both."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return {
            key.removeprefix(prefix).removesuffix(ending) for key in keys if key.endswith(ending) and key[-1:] != "/"
        }

    def chunks(self, key: str) -> Iterator[bytes]:
        """The content, some at a time; nothing where there is no such object."""
        try:
            body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_THERE:
                return
            raise
        with body:
            yield from body.iter_chunks(_CHUNK)

    def lines(self, key: str) -> Iterator[bytes]:
        """The lines with their ends, which only a newline is; none where there is no such object."""
        rest = b""
        for chunk in self.chunks(key):
            *whole, rest = (rest + chunk).split(b"\n") if b"\n" in chunk else (rest + chunk,)
            for line in whole:
                yield line + b"\n"
        if rest:
            yield rest

    def count(self, key: str) -> int:
        """How many lines an object has; none where there is no such object."""
        found, last = 0, b"\n"
        for chunk in self.chunks(key):
            found += chunk.count(b"\n")
            last = chunk[-1:] or last
        return found + (last != b"\n")

    def json(self, key: str) -> Json | None:
        """The object's content, if it is there."""
        content = b"".join(self.chunks(key))
        return json.loads(content) if content else None

    def put(self, key: str, content: bytes) -> None:
        """Writes an object."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def put_json(self, key: str, content: Json) -> None:
        """Writes an object as JSON."""
        self.put(key, json.dumps(content, indent=1).encode())

    def put_first(self, key: str, content: bytes) -> bool:
        """Writes an object that is not there yet; whether it was not."""
        try:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=content, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_SO:
                return False
            raise
        return True

    def tag(self, key: str) -> str:
        """What changes whenever the object does; empty where there is none."""
        try:
            return self.s3.head_object(Bucket=self.bucket, Key=key)["ETag"]
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_THERE:
                return ""
            raise

    def replace(self, source: str, target: str) -> None:
        """Puts a copy of *source* in the place of *target*, or deletes *target* where there is no such source."""
        if self.tag(source):
            place = {"Bucket": self.bucket, "Key": source}
            self.s3.copy(place, self.bucket, target)
        else:
            self.delete(target)

    def delete(self, key: str) -> None:
        """Deletes an object; the bucket keeps its version."""
        self.s3.delete_object(Bucket=self.bucket, Key=key)
