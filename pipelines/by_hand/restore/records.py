"""A package as the registry has described it: from its record, or from the registry itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

ROOT, FIRST = "restored_from", "first_registered"
"""What a restored package says of the one that it was, in its metadata."""
_SECONDS = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Described:
    """A package, here or not any more."""

    description: dict[str, Any]

    @classmethod
    def parse(cls, record: bytes, shape: Any) -> Self:
        """*shape* is what DescribeModelPackage answers, as botocore has it; raises ValueError where it is no record."""
        description = json.loads(record)
        if not isinstance(description, dict) or "ModelPackageArn" not in description:
            raise ValueError("it has no ModelPackageArn")
        return cls(_as_named(shape, description))

    @property
    def arn(self) -> str:
        return self.description["ModelPackageArn"]

    @property
    def status(self) -> str:
        return self.description.get("ModelApprovalStatus", "PendingManualApproval")

    @property
    def metadata(self) -> dict[str, str]:
        return self.description.get("CustomerMetadataProperties") or {}

    @property
    def root(self) -> str:
        """The ARN that it was first registered under."""
        return self.metadata.get(ROOT, self.arn)

    @property
    def first(self) -> str:
        """When that was, to the second: an ARN may come twice where a group was deleted and made anew."""
        return self.metadata.get(FIRST) or f"{_moment(self.description['CreationTime']):{_SECONDS}}"

    @property
    def identity(self) -> tuple[str, str]:
        """The same for a package and for what it was restored as."""
        return self.first, self.root

    @property
    def order(self) -> tuple[str, int]:
        """Packages come back in the order in which they were first registered."""
        return self.first, int(self.root.rpartition("/")[2])

    @property
    def created(self) -> datetime:
        return _moment(self.description["CreationTime"])

    @property
    def model_data(self) -> list[str]:
        """The S3 URIs of its model.tar.gz, one for each container."""
        return [container["ModelDataUrl"] for container in self.description["InferenceSpecification"]["Containers"]]


def in_order(packages: Iterable[Described]) -> list[Described]:
    """The packages by their first registration, each once: as it was described last."""
    found = {each.identity: each for each in sorted(packages, key=lambda each: each.created)}
    return sorted(found.values(), key=lambda each: each.order)


def _as_named(shape: Any, value: Any) -> Any:
    """A value with the names that the API has: Step Functions writes some of them in other case."""
    match shape.type_name:
        case "structure":
            names = {name.lower(): name for name in shape.members}
            known = {names[name.lower()]: item for name, item in value.items() if name.lower() in names}
            return {name: _as_named(shape.members[name], item) for name, item in known.items()}
        case "list":
            return [_as_named(shape.member, item) for item in value]
    return value


def _moment(value: Any) -> datetime:
    """Step Functions writes times as texts on AWS, and as numbers on the local AWS."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, str):
        return datetime.fromisoformat(value).astimezone(UTC)
    return datetime.fromtimestamp(value, UTC)
