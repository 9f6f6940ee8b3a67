"""What a target of a rule asks of EventBridge: its own policy, or the role that the rule gives for it."""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from local_aws.authorization import REQUEST
from local_aws.errors import AwsError
from local_aws.journal import Decision
from local_aws.server import HOST
from local_aws.service import Permission

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)
PRINCIPAL = "events.amazonaws.com"
KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")

Rule = Mapping[str, Any]
Target = Mapping[str, Any]


def permits(account: Account, rule: Rule, target: Target) -> bool:
    """Whether the event may be delivered; if not, it is lost as on AWS, and the log and the journal say so."""
    for start, ask in ASKED.items():
        if start in f":{target.get('Arn', '')}":
            try:
                ask(account, rule, target)
            except AwsError as error:  # on AWS the rule's FailedInvocations would count it
                LOG.warning("rule %s did not reach %s: %s", rule["Name"], target["Arn"], error)
                return False
    return True


def _ask_role(action: str) -> Callable[[Account, Rule, Target], None]:
    def ask(account: Account, rule: Rule, target: Target) -> None:
        role = account.authorization.assume(target.get("RoleArn", ""), PRINCIPAL, "events", rule["Arn"])
        service = action.partition(":")[0]
        account.authorization.require(role.access_key, service, Permission(action, target["Arn"]))

    return ask


def _ask_topic(account: Account, _: Rule, target: Target) -> None:
    """The topic's policy must let EventBridge publish, and the policy of its key must let it use that.

    As on AWS, EventBridge tells neither of them the rule or the account: a policy with such a condition never allows.
    """
    sns, arn = account.emulator.sns, target["Arn"]
    # A topic may ask for TLS, which AWS's services speak; a thread that emits an event has no request to say so.
    account.emulator.evaluator.pin_request_origin(HOST, secure_transport=True)
    allowed = sns.topic_policy_allows(arn, PRINCIPAL, "", "")
    _note(account, "sns:Publish", arn, allowed=allowed)
    topic = sns._topic_by_arn_any_scope(arn) or {}
    key = account.emulator.kms._resolve_key(topic.get("attributes", {}).get("KmsMasterKeyId"))
    for action in KEY_ACTIONS if key else ():
        _note(account, action, key["Arn"], allowed=_key_allows(account, key, action))


def _key_allows(account: Account, key: Mapping[str, Any], action: str) -> bool:
    evaluator = account.emulator.evaluator
    context = evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=key["Arn"],
        region=account.settings.region,
    )
    return evaluator.evaluate_resource_policy(key["Policy"], context, service=PRINCIPAL).decision == "Allow"


def _note(account: Account, action: str, resource: str, *, allowed: bool) -> None:
    """Journal the decision of a resource's policy; refused is an AwsError."""
    decision = "allow" if allowed else "implicit-deny"
    service = action.partition(":")[0]
    account.journal.record(Decision(PRINCIPAL, service, action, resource, decision, REQUEST.get()))
    if not allowed:
        raise AwsError("AccessDenied", f"the policy of {resource} does not let {PRINCIPAL} do {action}", 403)


ASKED: dict[str, Callable[[Account, Rule, Target], None]] = {
    ":states:": _ask_role("states:StartExecution"),
    ":sns:": _ask_topic,
    ":api-destination/": _ask_role("events:InvokeApiDestination"),
}
"""By what the target's ARN holds."""
