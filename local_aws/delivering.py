"""What a target of a rule asks of EventBridge: its own policy, or the role that the rule gives for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from local_aws import topics
from local_aws.errors import AwsError
from local_aws.service import Permission

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)
PRINCIPAL = "events.amazonaws.com"

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
    """As on AWS, EventBridge tells a topic and its key neither the rule nor the account.

    A policy with such a condition never allows.
    """
    topics.publish(account, PRINCIPAL, target["Arn"], {})


ASKED: dict[str, Callable[[Account, Rule, Target], None]] = {
    ":states:": _ask_role("states:StartExecution"),
    ":sns:": _ask_topic,
    ":api-destination/": _ask_role("events:InvokeApiDestination"),
}
"""By what the target's ARN holds."""
