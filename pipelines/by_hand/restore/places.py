"""Where the objects of a model are, and back to when their earlier versions are kept."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from config import Model
from pipelines.by_hand.outputs import stack_output
from pipelines.stages.surroundings import Surroundings
from pipelines.stages.written import Written
from pipelines.watch.places import Places


@dataclass(frozen=True)
class Place:
    """A folder of a bucket; its prefix ends with a slash."""

    bucket: str
    prefix: str


def places(around: Surroundings, model: Model) -> list[Place]:
    """Every folder that is the model's: artifacts and records of packages, data, and what each environment keeps."""
    cloudformation, tooling = around.client("cloudformation"), around.names.stack("tooling")
    artifacts, data = (stack_output(cloudformation, tooling, f"{name}BucketName") for name in ("Artifacts", "Data"))
    found = [
        Place(artifacts, f"{model.team}/{model.name}/"),
        Place(artifacts, around.names.package_records(model.name)),
        Place(data, f"{model.team}/{model.data.prefix.strip('/')}/"),
    ]
    for environment in around.project.environments:
        found += _records(around, model, environment)
    return found


def _records(around: Surroundings, model: Model, environment: str) -> list[Place]:
    """What an environment keeps of a model; nothing, and a line that says so, where its stack is not here."""
    cloudformation, stack = around.client("cloudformation"), around.names.stack(environment)
    if not Written.describe(cloudformation, stack).status:
        print(f"{stack} is not in this account: the records of {environment} are not looked at.", flush=True)
        return []
    bucket = stack_output(cloudformation, stack, "RecordsBucketName")
    keys = Places(model.team, model.name, around.names.endpoint(model.name, environment))
    batch = f"batch/{model.team}/{model.name}/"
    return [Place(bucket, prefix) for prefix in (keys.capture, keys.labels, keys.watch, batch)]


def moment(text: str) -> datetime | None:
    """AT as a time; None where it is empty; exits where it is none, or is in the future."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        sys.exit(f"AT is {text!r}; write a time with its zone, such as AT=2026-11-20T12:00:00Z")
    if at > datetime.now(UTC):
        sys.exit(f"AT is {text}, which is in the future; it is {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} now.")
    return at


def hold_to_lifecycle(s3: Any, bucket: str, at: datetime) -> None:
    """Exits where the bucket may have let go of versions that were there at a time."""
    days = _days_kept(s3, bucket)
    first = datetime.now(UTC) - timedelta(days=days) if days is not None else at
    if at < first:
        sys.exit(
            f"AT is {at:%Y-%m-%dT%H:%M:%SZ}, and {bucket} keeps versions that were deleted or overwritten for {days} "
            f"days; take a time after {first:%Y-%m-%dT%H:%M:%SZ}, or leave AT out to bring back what is deleted."
        )


def _days_kept(s3: Any, bucket: str) -> int | None:
    try:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchLifecycleConfiguration":
            return None  # nothing ends
        raise
    days = [rule["NoncurrentVersionExpiration"].get("NoncurrentDays") for rule in rules if _ends_versions(rule)]
    return min((each for each in days if each is not None), default=None)


def _ends_versions(rule: dict[str, Any]) -> bool:
    return rule["Status"] == "Enabled" and "NoncurrentVersionExpiration" in rule
