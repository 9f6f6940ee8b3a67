"""Answers that wait for what they started: a stack here is done in a second, and the CDK CLI looks every five."""

from __future__ import annotations

import asyncio
import contextvars
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_aws.account import Account

AT_MOST_SECONDS = 15.0
LOOK_SECONDS = 0.02
STARTED = contextvars.ContextVar("local_aws_stack_started", default="")


async def until_done(account: Account) -> None:
    """Return when the stack operation that this request started is over, or has taken long enough."""
    stacks, name = account.emulator.cloudformation._stacks, STARTED.get()  # noqa: SLF001 - see emulator.py
    deadline = time.monotonic() + AT_MOST_SECONDS
    while name and time.monotonic() < deadline:
        await asyncio.sleep(LOOK_SECONDS)  # first, because the operation has only been put on the event loop
        status = (stacks.get(name) or {}).get("StackStatus", "")
        if not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
            return
