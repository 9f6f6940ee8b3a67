"""Buckets: what MiniStack would let pass, and AWS does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local_aws.cloudformation.api import HandlerError, call

if TYPE_CHECKING:
    from local_aws.account import Account

KEPT = {
    "BucketEncryption",
    "BucketName",
    "CorsConfiguration",
    "LifecycleConfiguration",
    "LoggingConfiguration",
    "NotificationConfiguration",
    "OwnershipControls",
    "PublicAccessBlockConfiguration",
    "Tags",
    "VersioningConfiguration",
    "WebsiteConfiguration",
}


def strict(account: Account, handlers: dict[str, Any]) -> dict[str, Any]:
    """A property that nobody keeps is refused, and a bucket that is not empty is not deleted."""
    create, delete = handlers["create"], handlers["delete"]

    def create_known(logical_id: str, properties: Mapping[str, Any], stack: str) -> Any:
        unknown = properties.keys() - KEPT
        if properties.get("AccessControl") == "Private":
            unknown -= {"AccessControl"}  # which every bucket is
        if unknown:
            raise ValueError(
                f"{', '.join(sorted(unknown))} of a bucket is not rehearsed on the local AWS; "
                f"it keeps {', '.join(sorted(KEPT))}."
            )
        return create(logical_id, properties, stack)

    def delete_empty(name: str, properties: Mapping[str, Any]) -> None:
        try:
            call(account, "s3", "DeleteBucket", {"Bucket": name})
        except HandlerError as error:
            if error.code != "NoSuchBucket":
                raise
        delete(name, properties)

    return {**handlers, "create": create_known, "delete": delete_empty}
