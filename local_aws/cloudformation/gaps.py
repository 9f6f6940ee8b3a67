"""Properties that MiniStack drops: they are set through the service's API once the resource is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_aws.cloudformation.api import call
from local_aws.cloudformation.handler import own_tags

if TYPE_CHECKING:
    from local_aws.account import Account

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Gap:
    """A property, the operation that sets it, and the one that takes it away (with the key alone).

    `key` names the resource in both, by its physical id; `to_input` gives the operation's other members.
    """

    property: str
    service: str
    put: str
    remove: str
    key: Callable[[str], dict[str, Any]]
    to_input: Callable[[Any], dict[str, Any]]


def _bucket(name: str) -> dict[str, Any]:
    return {"Bucket": name}


def _encryption(value: Properties) -> dict[str, Any]:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": str(rule.get("BucketKeyEnabled", False)).lower() == "true",
        }
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _logging(value: Properties) -> dict[str, Any]:
    """Kept, and no more: MiniStack delivers no access logs."""
    target = {"TargetBucket": value["DestinationBucketName"], "TargetPrefix": value.get("LogFilePrefix", "")}
    return {"BucketLoggingStatus": {"LoggingEnabled": target}}


def _lifecycle(value: Properties) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [_lifecycle_rule(dict(rule)) for rule in value["Rules"]]}}


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"Status": rule.pop("Status"), "Filter": {"Prefix": rule.pop("Prefix", "")}}
    if "Id" in rule:
        made["ID"] = rule.pop("Id")
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": int(rule.pop("ExpirationInDays"))}
    if rule.pop("ExpiredObjectDeleteMarker", False):
        made["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    if "NoncurrentVersionExpiration" in rule:
        made["NoncurrentVersionExpiration"] = _numbers(rule.pop("NoncurrentVersionExpiration"))
    if "AbortIncompleteMultipartUpload" in rule:
        made["AbortIncompleteMultipartUpload"] = _numbers(rule.pop("AbortIncompleteMultipartUpload"))
    if "Transitions" in rule:
        made["Transitions"] = [
            {"StorageClass": each["StorageClass"], "Days": int(each["TransitionInDays"])}
            for each in rule.pop("Transitions")
        ]
    if rule:
        raise ValueError(f"Of a lifecycle rule, {', '.join(rule)} is not rehearsed on the local AWS.")
    return made


def _numbers(value: Properties) -> dict[str, int]:
    return {name: int(number) for name, number in value.items()}


GAPS: dict[str, tuple[Gap, ...]] = {
    "AWS::S3::Bucket": (
        Gap(
            "Tags",
            "s3",
            "PutBucketTagging",
            "DeleteBucketTagging",
            _bucket,
            lambda tags: {"Tagging": {"TagSet": own_tags(tags)}},
        ),
        Gap("BucketEncryption", "s3", "PutBucketEncryption", "DeleteBucketEncryption", _bucket, _encryption),
        Gap(
            "LifecycleConfiguration",
            "s3",
            "PutBucketLifecycleConfiguration",
            "DeleteBucketLifecycle",
            _bucket,
            _lifecycle,
        ),
        Gap(
            "LoggingConfiguration",
            "s3",
            "PutBucketLogging",
            "PutBucketLogging",  # of nothing
            lambda name: {"Bucket": name, "BucketLoggingStatus": {}},
            _logging,
        ),
        Gap(
            "OwnershipControls",
            "s3",
            "PutBucketOwnershipControls",
            "DeleteBucketOwnershipControls",
            _bucket,
            lambda value: {"OwnershipControls": value},
        ),
    ),
    "AWS::IAM::Role": (
        Gap(
            "PermissionsBoundary",
            "iam",
            "PutRolePermissionsBoundary",
            "DeleteRolePermissionsBoundary",
            lambda name: {"RoleName": name},
            lambda arn: {"PermissionsBoundary": arn},
        ),
    ),
    "AWS::SNS::Topic": (
        Gap(
            "KmsMasterKeyId",
            "sns",
            "SetTopicAttributes",
            "SetTopicAttributes",
            lambda arn: {"TopicArn": arn, "AttributeName": "KmsMasterKeyId"},
            lambda key: {"AttributeValue": key},
        ),
    ),
}


def fill(account: Account, resource_type: str, handlers: dict[str, Any]) -> dict[str, Any]:
    """MiniStack's handlers of a type, with its gaps filled."""
    create, update = handlers["create"], handlers["update"]

    def create_and_fill(logical_id: str, properties: Properties, stack: str) -> Any:
        made = create(logical_id, properties, stack)
        try:
            _set(account, resource_type, made[0], {}, properties)
        except ValueError:
            handlers["delete"](made[0], properties)  # the rollback does not know of it yet
            raise
        return made

    def update_and_fill(physical_id: str, old: Properties, new: Properties, *rest: Any) -> Any:
        made = update(physical_id, old, new, *rest)
        _set(account, resource_type, made[0], old if made[0] == physical_id else {}, new)
        return made

    return {**handlers, "create": create_and_fill, "update": update_and_fill}


def _set(account: Account, resource_type: str, physical_id: str, old: Properties, new: Properties) -> None:
    for gap in GAPS[resource_type]:
        key = gap.key(physical_id)
        if gap.property in new and new[gap.property] != old.get(gap.property):
            call(account, gap.service, gap.put, {**key, **gap.to_input(new[gap.property])})
        elif gap.property in old and gap.property not in new:
            call(account, gap.service, gap.remove, key)
