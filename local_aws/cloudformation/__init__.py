"""CloudFormation: the resource types and properties that MiniStack does not have, under the stack's role."""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.cloudformation import buckets, conditions, flow_logs, gaps, patience, roles
from local_aws.cloudformation.handler import Handler
from local_aws.cloudformation.kinds import KINDS

if TYPE_CHECKING:
    from local_aws.account import Account

BUCKET = "AWS::S3::Bucket"


def install(account: Account) -> None:
    """Put our handlers among MiniStack's."""
    provisioners, stacks = account.emulator.provisioners, account.emulator.stacks
    handlers = provisioners._RESOURCE_HANDLERS
    account.front.before_answer["cloudformation"] = lambda: patience.until_done(account)
    conditions.install(account)
    roles.install(account)
    for kind in KINDS:
        handler = Handler(account, kind)
        handlers[kind.type] = {
            "create": handler.create,
            "update": handler.update,
            "update_with_logical_id": True,
            "delete": handler.delete,
        }
        provisioners._REPLACING_PROPERTIES[kind.type] = kind.create_only
        if kind.taggable:
            provisioners._STACK_TAG_PROPERTY[kind.type] = ("Tags", "list")
        if kind.name:
            provisioners._CUSTOM_NAME_REPLACEMENT[kind.type] = {"name": kind.name}
    for name in gaps.GAPS:
        handlers[name] = gaps.fill(account, name, handlers[name])
    handlers[flow_logs.TYPE] = flow_logs.handlers(account)
    provisioners._REPLACING_PROPERTIES[flow_logs.TYPE] = ("ResourceId", *flow_logs.TAKEN)
    handlers[BUCKET] = buckets.strict(account, handlers[BUCKET])
    provisioners._STACK_TAG_PROPERTY[BUCKET] = ("Tags", "list")
    ours = {kind.type for kind in KINDS} | gaps.GAPS.keys() | {flow_logs.TYPE}
    blocks = stacks._runs_on_worker_thread
    # Our handlers make requests, which the event loop they are called on must be free to answer.
    stacks._runs_on_worker_thread = lambda name: name in ours or blocks(name)
