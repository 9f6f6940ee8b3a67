"""Shifting an endpoint's traffic from one fleet to another, and back where an alarm goes off meanwhile."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws.sagemaker.hosting import guards
from local_aws.sagemaker.hosting.deployments import Deployment
from local_aws.sagemaker.hosting.rollout import Rollout
from local_aws.sagemaker.hosting.servers import StartupError

if TYPE_CHECKING:
    from local_aws.account import Account

LOOK_SECONDS = 0.25
CHANCE = random.SystemRandom()


class RolledBackError(Exception):
    """The old fleet has all the traffic again; the message is the FailureReason."""


class RollbackFailedError(Exception):
    """Neither the new fleet nor the old one is whole; both serve. The message is the FailureReason."""


class Shift:
    """Two fleets of one endpoint, and the share of the requests that the new one gets.

    `going_back` is called before traffic goes back, `changed` whenever the stage of the new fleet is another one.
    """

    def __init__(
        self,
        account: Account,
        old: Deployment,
        new: Deployment,
        rollout: Rollout,
        role: str,
        *,
        going_back: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self.old, self.new = old, new
        self.share = 0.0
        self.stage: dict[str, Any] = {}
        self._account = account
        self._rollout = rollout
        self._role = role
        self._going_back = going_back
        self._changed = changed
        self._before = old.desired
        self._minute = account.settings.minute_seconds / 60
        self._deadline = time.monotonic() + rollout.timeout * self._minute

    def choose(self) -> tuple[Deployment, Deployment]:
        """The fleet that gets the next request, and the one that would if that has no instance."""
        if self.share and (self.share >= 1 or CHANCE.random() < self.share):
            return self.new, self.old
        return self.old, self.new

    def run(self) -> None:
        """Goes all the way; or, where an alarm says no, goes back and raises RolledBackError.

        Raises StartupError when the new fleet cannot start, and RollbackFailedError when the old one cannot either.
        """
        if why := self._problem():
            raise RolledBackError(why)
        if self._rollout.rolling:
            self.new.encrypt()
        else:
            self._enter("Creating", f"Launching {self._rollout.instances} instance(s).")
            self.new.launch()
        for step in self._rollout.steps:
            if self._rollout.rolling:
                self._launch_batch(step)
            self._activate(step)
            self._bake(self._rollout.bake, "WaitIntervalInSeconds", step)
            if self._rollout.rolling:
                self._end_batch(step)
        self._bake(self._rollout.keep, "TerminationWaitInSeconds", self._rollout.instances)

    def _activate(self, step: int) -> None:
        self._enter("ActivatingTraffic", f"Activating traffic on {self._capacity(step)}.")
        self.share = self._rollout.share(step, self._before)

    def _launch_batch(self, step: int) -> None:
        (new,) = self.new.variants.values()
        self._enter("Creating", f"Launching {step - len(new.servers)} instance(s).")
        try:
            new.scale(step)
        except StartupError:
            self._go_back()
            raise
        new.desired = self._rollout.instances

    def _end_batch(self, step: int) -> None:
        """As many old instances go as new ones have proved themselves."""
        (old,) = self.old.variants.values()
        left = self._rollout.remaining(step, self._before)
        self._enter("Deleting", f"Terminating {len(old.servers) - left} instance(s).")
        old.scale(left)

    def _bake(self, seconds: float, member: str, step: int) -> None:
        """Watches the alarms for so long; goes back, and raises RolledBackError, where one of them goes off."""
        if not seconds and not self._rollout.alarms:
            return
        baking = f"Baking for {seconds} seconds ({member}) with traffic enabled on {self._capacity(step)}."
        self._enter("Baking", baking)
        end = time.monotonic() + seconds * self._minute
        while not (why := self._problem()) and time.monotonic() < end:
            time.sleep(min(LOOK_SECONDS, max(0.0, end - time.monotonic())))
        if why:
            self._go_back()
            raise RolledBackError(why)

    def _problem(self) -> str | None:
        if time.monotonic() > self._deadline:
            return "The update was rolled back because it took longer than MaximumExecutionTimeoutInSeconds."
        return guards.problem(self._account, self._rollout.alarms, self._role)

    def _go_back(self) -> None:
        self._going_back()
        if self._rollout.rolling:
            self._start_old_again()
        self.share = 0.0
        self._enter("Deleting", f"Terminating {self.new.running} instance(s).")
        self.new.retire()

    def _start_old_again(self) -> None:
        """Batch by batch the old instances come up and take the traffic; what is left of the new fleet goes after."""
        (old,) = self.old.variants.values()
        while (missing := self._before - len(old.servers)) > 0:
            try:
                old.scale(len(old.servers) + min(missing, self._rollout.back))
            except StartupError as failure:
                self.share = self.new.running / (self.new.running + self.old.running)
                raise RollbackFailedError(
                    f"Both the rolling deployment and the auto-rollback failed; the endpoint serves with a mix of the "
                    f"old and the new endpoint configuration. {failure}"
                ) from failure
            self.share = min(self.share, 1 - len(old.servers) / self._before)

    def _capacity(self, step: int) -> str:
        return f"{'full' if step == self._rollout.instances else 'canary'} capacity of {step} instance(s)"

    def _enter(self, status: str, message: str) -> None:
        self.stage = {"Status": status, "StatusMessage": message, "StartTime": datetime.now(UTC)}
        self._changed()
