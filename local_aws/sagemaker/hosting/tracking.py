"""Target tracking: how many instances a variant should have, by what each of them was asked in the last minutes.

Out when three minutes were above the target, in when fifteen were below nine tenths of it, by as much as brings the
metric back to the target. A variant that nobody calls publishes nothing, and so does not scale in; that is AWS's too.
https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OUT_MINUTES, IN_MINUTES, IN_SHARE = 3, 15, 0.9
COOLDOWN_SECONDS = 300
"""SageMaker's default for both cooldowns."""


@dataclass(frozen=True)
class Scaled:
    """The last time that a variant was scaled: out or in, and how many of SageMaker's seconds ago."""

    out: bool
    ago: float


def wanted(
    policies: Sequence[Mapping[str, Any]], minutes: Sequence[float | None], instances: int, last: Scaled | None = None
) -> tuple[int, str] | None:
    """The instances that the policies ask for now, and the policy that does; None when all is well or cooling down.

    *minutes* are the invocations per instance, newest first; None where there were none. As on AWS the policy that
    asks for most decides, and all of them have to agree before anything scales in.
    """
    asked = [
        (_one(each["TargetTrackingScalingPolicyConfiguration"], minutes, instances, last), each) for each in policies
    ]
    counts = [(count, policy["PolicyName"]) for count, policy in asked if count is not None]
    if not counts:
        return None
    most = max(counts)
    return most if most[0] > instances or len(counts) == len(policies) else None


def _one(
    configuration: Mapping[str, Any], minutes: Sequence[float | None], instances: int, last: Scaled | None
) -> int | None:
    target = configuration["TargetValue"]
    recent = [minute for minute in minutes[:OUT_MINUTES] if minute is not None]
    if len(recent) == OUT_MINUTES and min(recent) > target:
        return None if _cools(configuration, last, out=True) else math.ceil(instances * recent[0] / target)
    known = [minute for minute in minutes[:IN_MINUTES] if minute is not None]
    if configuration.get("DisableScaleIn") or len(known) < IN_MINUTES or max(known) >= IN_SHARE * target:
        return None
    return None if _cools(configuration, last, out=False) else math.ceil(instances * known[0] / target)


def _cools(configuration: Mapping[str, Any], last: Scaled | None, *, out: bool) -> bool:
    """To scale out does not wait for the cooldown of a scaling in."""
    if last is None or (out and not last.out):
        return False
    member = "ScaleOutCooldown" if last.out else "ScaleInCooldown"
    return last.ago < configuration.get(member, COOLDOWN_SECONDS)
