"""The data that a job reads: what an S3DataSource or an S3Input names, on a host's disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_aws.sagemaker.jobs.hosts import Host
from local_aws.sagemaker.jobs.lifecycle import JobError
from local_aws.sagemaker.rehearsal import refused
from local_aws.sagemaker.storage import Storage, StoredObject


def fetch_source(storage: Storage, source: Mapping[str, Any], folder: Path, host: Host) -> None:
    """Download the objects of a source to a folder: all of them, or this host's share when they are sharded."""
    folder.mkdir(parents=True, exist_ok=True)
    for item in _share(objects_of(storage, source), source, host):
        storage.fetch(item, folder)


def objects_of(storage: Storage, source: Mapping[str, Any]) -> list[StoredObject]:
    """The objects that a source names, at least one."""
    kind = source.get("S3DataType", "S3Prefix")
    if kind != "S3Prefix":
        raise refused(f"S3DataType {kind}", "use S3Prefix")
    if source.get("S3InputMode", "File") != "File":
        raise refused(f"S3InputMode {source['S3InputMode']}", "use File")
    found = storage.objects(source["S3Uri"])
    if not found:
        raise JobError(
            f'ClientError: No S3 objects found under S3 URL "{source["S3Uri"]}" given in input data source. '
            "Please ensure that the bucket exists and that objects exist under that S3 prefix."
        )
    return found


def _share(items: list[StoredObject], source: Mapping[str, Any], host: Host) -> list[StoredObject]:
    sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
    return items[host.index :: host.count] if sharded else items
