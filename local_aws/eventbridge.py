"""What AWS puts on the event bus by itself, and the targets of rules that act under a role."""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jmespath
from botocore.exceptions import BotoCoreError, ClientError

from local_aws.delivering import PRINCIPAL, permits
from local_aws.errors import AwsError
from local_aws.protocol import plain
from local_aws.scheduler import SOURCE as SCHEDULES

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)


def emit(account: Account, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str]) -> None:
    """Put an event on the default bus; PutEvents refuses such sources (`aws.`) to everybody else."""
    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(plain(dict(detail))),
        "Resources": list(resources),
    }
    account.soon(lambda: account.emulator.events._put_events({"Entries": [entry]}, allow_aws_source=True))


def install(account: Account) -> None:
    """Rules start pipelines, and whatever a target's role may not do, is not done."""
    events = account.emulator.events
    deliver = events._invoke_target

    def invoke(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        kind = target.get("Arn", "").split(":")[2:3]
        if event.get("Source") == SCHEDULES:  # MiniStack's clock of schedules delivers as its rules do
            account.scheduler.due(rule)
        elif kind == ["codepipeline"]:
            given = _input(events, target, rule, view or events._pattern_event_view(event))
            account.background(f"rule {rule['Name']}", lambda: _start_pipeline(account, rule, target, given))
        elif permits(account, rule, target):
            deliver(target, event, rule, view)

    events._invoke_target = invoke


def _input(events: Any, target: dict[str, Any], rule: dict[str, Any], view: Any) -> dict[str, Any]:
    if target.get("InputTransformer"):
        return json.loads(events._apply_input_transformer(target["InputTransformer"], rule, view))
    if target.get("InputPath"):
        found = jmespath.search(target["InputPath"].removeprefix("$").strip("."), view.event_with_detail())
        return found if isinstance(found, dict) else {}
    return json.loads(target["Input"]) if target.get("Input") else {}


def _start_pipeline(account: Account, rule: dict[str, Any], target: dict[str, Any], given: dict[str, Any]) -> None:
    try:
        client = account.client(
            "codepipeline", target.get("RoleArn", ""), service_principal=PRINCIPAL, source_arn=rule["Arn"]
        )
        known = {name: given[name] for name in ("variables", "sourceRevisions") if name in given}
        client.start_pipeline_execution(name=target["Arn"].rpartition(":")[2], **known)
    except (AwsError, BotoCoreError, ClientError) as error:  # on AWS the rule's FailedInvocations would count it
        LOG.warning("rule %s did not start %s: %s", rule["Name"], target["Arn"], error)
