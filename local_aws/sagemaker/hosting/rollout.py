"""How an update shifts traffic: SageMaker's DeploymentConfig as steps.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.errors import AwsError

BLUE_GREEN, ROLLING = "BlueGreenUpdatePolicy", "RollingUpdatePolicy"
LINEAR_SHARES, BATCH_SHARES = (0.1, 0.5), (0.05, 0.5)
CANARY_SHARES, BACK_SHARES = (0, 0.5), (0, 1)
TIMEOUT_SECONDS = 28_800
"""Where none is given: the longest that may be; AWS does not say its default."""


@dataclass(frozen=True)
class Rollout:
    """What an update does: `steps` are how many new instances have traffic after each, `bake` follows each of them.

    All times are SageMaker's, in seconds. `keep` is how long the old fleet stays after the last step; `back` is how
    many old instances a rolling update that goes back starts at once.
    """

    steps: tuple[int, ...]
    instances: int
    bake: float = 0
    keep: float = 0
    timeout: float = TIMEOUT_SECONDS
    rolling: bool = False
    back: int = 0
    alarms: tuple[str, ...] = ()

    def remaining(self, step: int, old: int) -> int:
        """Of so many old instances, those that serve on after a step of a rolling update."""
        return math.ceil(old * (self.instances - step) / self.instances)

    def share(self, step: int, old: int | None = None) -> float:
        """The share of the requests that the new instances get after a step; SageMaker shifts by instances.

        A rolling update from a fleet of another size, *old*, shares by the instances that there are.
        """
        if self.rolling and old is not None:
            return step / (step + self.remaining(step, old))
        return step / self.instances


def rollout(deployment: Mapping[str, Any] | None, instances: int, *, plain: bool = True) -> Rollout:
    """The steps for a fleet of so many instances; AwsError for what SageMaker refuses.

    *plain* says whether the endpoint has one variant with instances, which rolling needs.
    """
    if not deployment:
        return Rollout((instances,), instances)
    if BLUE_GREEN in deployment and ROLLING in deployment:
        raise _refused(f"give {BLUE_GREEN} or {ROLLING}, not both")
    alarms = tuple(each["AlarmName"] for each in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", ()))
    if ROLLING in deployment:
        return _rolling(deployment[ROLLING], instances, alarms, plain=plain)
    policy = deployment.get(BLUE_GREEN)
    if policy is None:
        return Rollout((instances,), instances, alarms=alarms)
    routing = policy["TrafficRoutingConfiguration"]
    found = Rollout(
        _blue_green(routing, instances),
        instances,
        bake=routing["WaitIntervalInSeconds"],
        keep=policy.get("TerminationWaitInSeconds", 0),
        timeout=policy.get("MaximumExecutionTimeoutInSeconds", TIMEOUT_SECONDS),
        alarms=alarms,
    )
    if "MaximumExecutionTimeoutInSeconds" in policy:
        _check_time(found)
    return found


def refuse_other_variants(deployment: Mapping[str, Any] | None, old: Collection[str], new: Collection[str]) -> None:
    """AwsError where a guarded update would change the names of the variants.

    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
    """
    if deployment and set(old) != set(new):
        raise _refused(
            f"the new endpoint configuration has the variants {', '.join(new)}, the old one {', '.join(old)}; "
            "they must have the same names"
        )


def _blue_green(routing: Mapping[str, Any], instances: int) -> tuple[int, ...]:
    match routing["Type"]:
        case "CANARY":
            size = _size(routing.get("CanarySize"), "CanarySize", instances, CANARY_SHARES)
            return (size, instances)
        case "LINEAR":
            size = _size(routing.get("LinearStepSize"), "LinearStepSize", instances, LINEAR_SHARES)
            return (*range(size, instances, size), instances)
    return (instances,)


def _rolling(policy: Mapping[str, Any], instances: int, alarms: tuple[str, ...], *, plain: bool) -> Rollout:
    if not plain:
        raise _refused("a rolling deployment needs one variant with instances; it has none for serverless or several")
    size = _size(policy["MaximumBatchSize"], "MaximumBatchSize", instances, BATCH_SHARES)
    back = policy.get("RollbackMaximumBatchSize")
    return Rollout(
        (*range(size, instances, size), instances),
        instances,
        bake=policy["WaitIntervalInSeconds"],
        timeout=policy.get("MaximumExecutionTimeoutInSeconds", TIMEOUT_SECONDS),
        rolling=True,
        back=_size(back, "RollbackMaximumBatchSize", instances, BACK_SHARES) if back else instances,
        alarms=alarms,
    )


def _check_time(found: Rollout) -> None:
    waits = found.bake * len(found.steps) + found.keep
    if waits >= found.timeout:
        raise _refused(
            f"MaximumExecutionTimeoutInSeconds is {found.timeout}; it must be larger than all waiting, which is "
            f"{waits} seconds"
        )


def _size(capacity: Mapping[str, Any] | None, member: str, instances: int, shares: tuple[float, float]) -> int:
    """Whole instances; a percentage is rounded up, and what was asked for must be within the shares of the fleet."""
    if capacity is None:
        raise _refused(f"{member} is needed for this type of traffic routing")
    percent = capacity["Type"] == "CAPACITY_PERCENT"
    size = math.ceil(instances * capacity["Value"] / 100) if percent else capacity["Value"]
    asked = capacity["Value"] / 100 if percent else size / instances
    lowest, highest = shares
    if instances < 2 or not lowest <= asked <= highest:
        raise _refused(
            f"{member} is {capacity['Value']} ({capacity['Type']}) of {instances} instances; it must be between "
            f"{lowest:.0%} and {highest:.0%} of them, and of at least two"
        )
    return size


def _refused(why: str) -> AwsError:
    return AwsError("ValidationException", f"Invalid DeploymentConfig: {why}.")
