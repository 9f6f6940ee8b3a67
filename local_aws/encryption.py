"""Objects and topics under a KMS key, used with the rights of who calls S3 or SNS, which MiniStack does not ask."""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from local_aws.authorization import ACCESS_KEY
from local_aws.errors import AwsError
from local_aws.service import Permission

if TYPE_CHECKING:
    from local_aws.account import Account

ALGORITHM = "x-amz-server-side-encryption"
KEY = "x-amz-server-side-encryption-aws-kms-key-id"


def install(account: Account) -> None:
    """Ask for kms:GenerateDataKey where an object is written, and for kms:Decrypt where it is read."""
    s3 = account.emulator.s3
    of_write, check_read, head = s3._resolve_sse_write_headers, s3._check_sse_read_headers, s3._head_object

    def write(headers: Mapping[str, str], bucket: str) -> Any:
        if headers.get(ALGORITHM) == "aws:kms" and not headers.get(KEY):
            # AWS takes its own key aws/s3 then, which every principal of the account may use through S3.
            return {ALGORITHM: "aws:kms"}, None
        kept, error = of_write(headers, bucket)
        return kept, error or _refusal(account, "kms:GenerateDataKey", (kept or {}).get(KEY))

    def read(headers: Mapping[str, str], stored: Mapping[str, Any]) -> Any:
        key = stored.get("preserved_headers", {}).get(KEY)
        return check_read(headers, stored) or _refusal(account, "kms:Decrypt", key)

    def head_without_key(*args: Any) -> Any:
        asking = ACCESS_KEY.set("")
        try:
            return head(*args)
        finally:
            ACCESS_KEY.reset(asking)

    s3._resolve_sse_write_headers = write
    s3._check_sse_read_headers = read
    s3._head_object = head_without_key
    _ask_publishers(account)


def _ask_publishers(account: Account) -> None:
    sns = account.emulator.sns
    publish = sns._publish

    def publish_if_allowed(params: Mapping[str, Any]) -> Any:
        try:
            for needed in of_topic(account, sns._p(params, "TopicArn")) if ACCESS_KEY.get() else ():
                account.authorization.require(ACCESS_KEY.get(), "kms", needed)
        except AwsError as error:
            return sns._error("KMSAccessDenied", error.message, 400)
        return publish(params)

    sns._publish = publish_if_allowed


def of_topic(account: Account, topic: str) -> Iterator[Permission]:
    """What the key of an encrypted topic asks of who publishes to it."""
    found = account.emulator.sns._topic_by_arn_any_scope(topic) or {}
    key = account.emulator.kms._resolve_key(found.get("attributes", {}).get("KmsMasterKeyId"))
    context = {
        "kms:ViaService": f"sns.{account.settings.region}.amazonaws.com",
        "kms:CallerAccount": account.settings.account,
        "kms:EncryptionContext:aws:sns:topicArn": topic,
    }
    for action in ("kms:GenerateDataKey", "kms:Decrypt") if key else ():
        yield Permission(action, key["Arn"], context)


def _refusal(account: Account, action: str, key: str | None) -> Any:
    """S3's answer to a caller that may not use the key."""
    found = account.emulator.kms._resolve_key(key)
    if found is None or not ACCESS_KEY.get():
        return None
    via = f"s3.{account.settings.region}.amazonaws.com"
    context = {"kms:ViaService": via, "kms:CallerAccount": account.settings.account}
    try:
        account.authorization.require(ACCESS_KEY.get(), "kms", Permission(action, found["Arn"], context))
    except AwsError as error:
        return account.emulator.s3._error("AccessDenied", error.message, 403)
    return None
