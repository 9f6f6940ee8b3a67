"""Objects as they were: an earlier version is copied over what is there now, and no version is ever deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.by_hand.restore.places import Place

FROM = "restored-version"
"""The metadata that says of which version an object is a copy: under a KMS key, ETags do not tell."""
KEPT = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType")


@dataclass(frozen=True)
class Version:
    """A version of an object; of a deleted one the last that had content."""

    bucket: str
    key: str
    identifier: str
    size: int
    is_back: bool = False
    """Whether the object has this content already."""

    def content(self, s3: Any) -> bytes:
        return s3.get_object(Bucket=self.bucket, Key=self.key, VersionId=self.identifier)["Body"].read()


def wanted(s3: Any, place: Place, at: datetime | None) -> Iterator[Version]:
    """What the objects of a place should be: as they were at a time, or, without one, not deleted."""
    for versions in _histories(s3, place):
        found = _at(versions, at) if at else _undeleted(versions)
        if found is None:
            continue
        newest = versions[0]
        same = newest is found or (at is not None and _is_copy(s3, place.bucket, newest, found["VersionId"]))
        yield Version(place.bucket, found["Key"], found["VersionId"], found["Size"], is_back=same)


def bring_back(s3: Any, version: Version) -> None:
    """Makes a copy of a version the newest one, with its metadata; objects of any size."""
    source = {"Bucket": version.bucket, "Key": version.key, "VersionId": version.identifier}
    head = s3.head_object(**source)
    extra = {name: head[name] for name in KEPT if name in head}
    metadata = head.get("Metadata", {}) | {FROM: version.identifier}
    extra |= {"Metadata": metadata, "MetadataDirective": "REPLACE"}
    s3.copy(source, version.bucket, version.key, ExtraArgs=extra)


def _histories(s3: Any, place: Place) -> Iterator[list[dict[str, Any]]]:
    """The versions and delete markers of each object below a prefix, newest first."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=place.bucket, Prefix=place.prefix):
        for each in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
            found[each["Key"]].append(each)
        for key in [key for key in found if key != page.get("NextKeyMarker")]:  # that one goes on in the next page
            # Within a second S3 itself tells which is the newest.
            yield sorted(found.pop(key), key=lambda each: (each["IsLatest"], each["LastModified"]), reverse=True)


def _has_content(version: dict[str, Any]) -> bool:
    return "Size" in version  # which a delete marker has not


def _undeleted(versions: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    return next((each for each in versions if _has_content(each)), None)


def _at(versions: Iterable[dict[str, Any]], at: datetime) -> dict[str, Any] | None:
    """The version of a time; None where the object was not there yet, or was deleted."""
    found = next((each for each in versions if each["LastModified"] <= at), None)
    return found if found and _has_content(found) else None


def _is_copy(s3: Any, bucket: str, newest: dict[str, Any], identifier: str) -> bool:
    if not _has_content(newest):
        return False
    head = s3.head_object(Bucket=bucket, Key=newest["Key"], VersionId=newest["VersionId"])
    return head.get("Metadata", {}).get(FROM) == identifier
