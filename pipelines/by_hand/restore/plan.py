"""What a restore would do: read, and nothing changed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from botocore.exceptions import ClientError

from config import Model
from pipelines.by_hand.restore import objects, registry
from pipelines.by_hand.restore.objects import Version
from pipelines.by_hand.restore.places import hold_to_lifecycle, places
from pipelines.by_hand.restore.records import Described, in_order
from pipelines.by_hand.restore.registry import Return
from pipelines.stages.surroundings import Surroundings
from pipelines.stages.telling import number

SHOWN = 20


@dataclass(frozen=True)
class Plan:
    """The objects and packages of a model that come back."""

    group: str
    objects: tuple[Version, ...]
    returns: tuple[Return, ...]
    there: tuple[Described, ...] | None
    """What the registry has; None where the group itself is gone."""
    lost: tuple[str, ...]
    """Packages that cannot come back, with the reason."""
    unrecorded: tuple[str, ...]
    """Packages of the registry that nothing would bring back."""

    @classmethod
    def make(cls, around: Surroundings, model: Model, at: datetime | None) -> Self:
        """Reads buckets and registry; exits where AT lies before what the buckets keep."""
        s3, found = around.client("s3"), places(around, model)
        if at:
            for bucket in sorted({place.bucket for place in found}):
                hold_to_lifecycle(s3, bucket, at)
        records = [place for place in found if place.prefix == around.names.package_records(model.name)]
        group, sagemaker = around.names.package_group(model.name), around.client("sagemaker")
        shape = sagemaker.meta.service_model.operation_model("DescribeModelPackage").output_shape
        recorded = in_order(_parsed(s3, each, shape) for place in records for each in objects.wanted(s3, place, at))
        there = registry.registered(sagemaker, group)
        # A record says what is true now; one of a time is read, and does not take the place of a later one.
        times = [(place, None if place in records else at) for place in found]
        coming = [each for place, then in times for each in objects.wanted(s3, place, then) if not each.is_back]
        kept, lost = _with_content(s3, list(registry.returns(recorded, there or ())), coming)
        known = {each.identity for each in recorded}
        return cls(
            group,
            tuple(coming),
            tuple(kept),
            None if there is None else tuple(there),
            tuple(lost),
            tuple(each.arn for each in there or () if not at and each.identity not in known),
        )

    @property
    def is_empty(self) -> bool:
        return not self.objects and not self.returns

    def lines(self) -> Iterator[str]:
        """What comes back, line by line."""
        size = sum(version.size for version in self.objects)
        yield f"These come back: {_count(self.objects, 'object')} ({size:,} bytes), {_count(self.returns, 'package')}."
        for (bucket, folder), count in Counter(_folder(version) for version in self.objects).most_common(SHOWN):
            yield f"  s3://{bucket}/{folder}: {count}"
        if self.there is None and self.returns:
            yield f"  the package group {self.group}"
        for each in self.returns:
            yield f"  {number(each.package.arn)} as {each.status}{f': {each.why}' if each.why else ''}"
        yield from self.remarks()

    def remarks(self) -> Iterator[str]:
        """What does not come back, and what would not."""
        yield from (f"  not {line}" for line in self.lost)
        yield from (f"  {number(arn)} is in the registry, and has no record of itself" for arn in self.unrecorded)


def _parsed(s3: Any, record: Version, shape: Any) -> Described:
    try:
        return Described.parse(record.content(s3), shape)
    except ValueError as error:
        sys.exit(f"s3://{record.bucket}/{record.key} is not the record of a package ({error}); delete it, then go on.")


def _with_content(s3: Any, coming: Sequence[Return], versions: Sequence[Version]) -> tuple[list[Return], list[str]]:
    """Those whose model.tar.gz is there, or comes back; and why the others do not."""
    back = {f"s3://{version.bucket}/{version.key}" for version in versions}
    kept: list[Return] = []
    lost: list[str] = []
    for each in coming:
        gone = [uri for uri in each.package.model_data if uri not in back and not _is_there(s3, uri)]
        if gone:
            lost.append(f"{number(each.package.arn)}: no version of {', '.join(gone)} is kept any more")
        else:
            kept.append(each)
    return kept, lost


def _is_there(s3: Any, uri: str) -> bool:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NoSuchBucket"):
            return False
        raise
    return True


def _folder(version: Version) -> tuple[str, str]:
    """The first three folders of an object: those of a model, and what kind it is."""
    return version.bucket, "/".join(version.key.split("/")[:-1][:3]) + "/"


def _count(found: Sequence[object], noun: str) -> str:
    return f"{len(found)} {noun}{'' if len(found) == 1 else 's'}"
