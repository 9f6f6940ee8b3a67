"""Services that write to topics: the topic's policy must let them, and that of the key that it is encrypted with."""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local_aws.authorization import REQUEST
from local_aws.errors import AwsError
from local_aws.journal import Decision
from local_aws.server import HOST

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)
ALARMS = "cloudwatch.amazonaws.com"
KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")


def install(account: Account) -> None:
    """Ask the policies where an alarm writes to a topic, which MiniStack does not."""
    cloudwatch = account.emulator.cloudwatch
    dispatch = cloudwatch._dispatch_alarm_actions

    def asked(alarm: Mapping[str, Any], *change: Any) -> None:
        for_us = {"aws:sourceaccount": account.settings.account, "aws:sourcearn": alarm["AlarmArn"]}
        heard = {kind: [arn for arn in alarm.get(kind) or () if hears(account, arn, for_us)] for kind in ACTIONS}
        dispatch({**alarm, **heard}, *change)

    cloudwatch._dispatch_alarm_actions = asked


def hears(account: Account, arn: str, context: Mapping[str, str]) -> bool:
    """Whether a topic hears an alarm; one that does not is in the journal, and the log says why."""
    try:
        publish(account, ALARMS, arn, context)
    except AwsError as error:
        LOG.warning("%s did not reach %s: %s", context["aws:sourcearn"], arn, error)
        return False
    return True


def publish(account: Account, service: str, arn: str, context: Mapping[str, str]) -> None:
    """Ask both policies whether a service may write to a topic; AwsError where one does not let it.

    *context* is what the service tells them about whom it acts for, with keys in lower case. SNS adds the topic to what
    the key is told.
    """
    sns = account.emulator.sns
    # A topic may ask for TLS, which AWS's services speak; a thread that emits an event has no request to say so.
    account.emulator.evaluator.pin_request_origin(HOST, secure_transport=True)
    source = (context.get("aws:sourcearn", ""), context.get("aws:sourceaccount", ""))
    _note(account, service, "sns:Publish", arn, context, allowed=sns.topic_policy_allows(arn, service, *source))
    topic = sns._topic_by_arn_any_scope(arn) or {}
    key = account.emulator.kms._resolve_key(topic.get("attributes", {}).get("KmsMasterKeyId"))
    about = {**context, "kms:encryptioncontext:aws:sns:topicarn": arn}
    for action in KEY_ACTIONS if key else ():
        _note(account, service, action, key["Arn"], about, allowed=_key_allows(account, service, key, action, about))


def _key_allows(
    account: Account, service: str, key: Mapping[str, Any], action: str, context: Mapping[str, str]
) -> bool:
    evaluator = account.emulator.evaluator
    asked = evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=key["Arn"],
        region=account.settings.region,
        service_context=dict(context),
    )
    return evaluator.evaluate_resource_policy(key["Policy"], asked, service=service).decision == "Allow"


def _note(
    account: Account, service: str, action: str, resource: str, context: Mapping[str, str], *, allowed: bool
) -> None:
    """Journal the decision of a resource's policy; refused is an AwsError."""
    decision = "allow" if allowed else "implicit-deny"
    of = action.partition(":")[0]
    account.journal.record(Decision(service, of, action, resource, decision, REQUEST.get(), dict(context)))
    if not allowed:
        raise AwsError("AccessDenied", f"the policy of {resource} does not let {service} do {action}", 403)
