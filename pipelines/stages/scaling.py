"""An instance type that changes under scaling: SageMaker refuses that while the variant is a scalable target.

So the target is taken away before the update, and comes back with the values that it had, as soon as the endpoint has
its new instances: CloudFormation, which comes to the policies after it, finds the target that they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from config.hosting import Dedicated, Hosting
from pipelines.stages.running import Running

SPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"

_TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension", "MinCapacity", "MaxCapacity", "SuspendedState")
_POLICY = (
    "PolicyName",
    "ServiceNamespace",
    "ResourceId",
    "ScalableDimension",
    "PolicyType",
    "StepScalingPolicyConfiguration",
    "TargetTrackingScalingPolicyConfiguration",
)


@dataclass(frozen=True)
class Target:
    """A variant that scales, and its policies, as the calls that make them want to have them."""

    target: dict[str, Any]
    policies: tuple[dict[str, Any], ...]


class Pause:
    """Scaling that was taken away; `look` brings it back when the endpoint has changed."""

    def __init__(self, autoscaling: Any, sagemaker: Any, before: Running, targets: list[Target]) -> None:
        self._autoscaling = autoscaling
        self._sagemaker = sagemaker
        self._before = before
        self._targets = targets

    def look(self) -> None:
        """Registers again what is missing, once the endpoint is in service with other instances."""
        if not self._targets:
            return
        try:
            now = Running.describe(self._sagemaker, self._before.endpoint)
            if now and now.status == "InService" and now.instances != self._before.instances:
                self.end(now)
        except ClientError as error:
            print(f"Scaling could not come back yet: {error}", flush=True)  # the end tries again

    def end(self, now: Running | None) -> None:
        """Registers again what is missing of the variants that have instances; what somebody else made stays."""
        for each in self._targets:
            if now is None or now.instances.get(_variant(each)) is None:
                continue
            if registered(self._autoscaling, [each.target["ResourceId"]]):
                continue
            self._autoscaling.register_scalable_target(**each.target)
            there = {policy["PolicyName"] for policy in _policies(self._autoscaling, each.target["ResourceId"])}
            for policy in each.policies:
                if policy["PolicyName"] not in there:
                    self._autoscaling.put_scaling_policy(**policy)
            print(f"{each.target['ResourceId']} scales again, as before.", flush=True)
        self._targets = []


@contextmanager
def paused(autoscaling: Any, sagemaker: Any, endpoint: str, hosting: Hosting) -> Iterator[Pause]:
    """Takes the scaling of *endpoint* away, where the instance type changes to that of *hosting*, until the end.

    It comes back also where the update fails; not where the update succeeds and *hosting* does not scale any more.
    """
    before = Running.describe(sagemaker, endpoint)
    if before is None or not changes(before, hosting):
        yield Pause(autoscaling, sagemaker, before or Running(endpoint, "", "", "", ()), [])
        return
    targets = registered(autoscaling, [_resource(endpoint, variant) for variant in before.instances])
    for each in targets:
        place = {name: each.target[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
        autoscaling.deregister_scalable_target(**place)
        print(f"{each.target['ResourceId']} does not scale while its instance type changes.", flush=True)
    pause = Pause(autoscaling, sagemaker, before, targets)
    try:
        yield pause
    finally:
        now = Running.describe(sagemaker, endpoint)
        still = isinstance(hosting, Dedicated) and hosting.scaling
        if still or now is None or now.instances == before.instances:
            pause.end(now)


def changes(before: Running, hosting: Hosting) -> bool:
    """Whether *hosting* has other instances than what runs."""
    wanted = hosting.instance if isinstance(hosting, Dedicated) else None
    return any(found != wanted for found in before.instances.values())


def registered(autoscaling: Any, resources: list[str]) -> list[Target]:
    """What scales of these variants."""
    if not resources:
        return []
    place: dict[str, Any] = {"ServiceNamespace": SPACE, "ScalableDimension": DIMENSION}
    pages = autoscaling.get_paginator("describe_scalable_targets").paginate(**place, ResourceIds=resources)
    return [
        Target(_only(found, _TARGET), tuple(_policies(autoscaling, found["ResourceId"])))
        for page in pages
        for found in page["ScalableTargets"]
    ]


def _policies(autoscaling: Any, resource: str) -> Iterator[dict[str, Any]]:
    pages = autoscaling.get_paginator("describe_scaling_policies").paginate(
        ServiceNamespace=SPACE, ScalableDimension=DIMENSION, ResourceId=resource
    )
    for page in pages:
        for found in page["ScalingPolicies"]:
            yield _only(found, _POLICY)


def _only(found: dict[str, Any], members: tuple[str, ...]) -> dict[str, Any]:
    return {name: found[name] for name in members if found.get(name) is not None}


def _resource(endpoint: str, variant: str) -> str:
    return f"endpoint/{endpoint}/variant/{variant}"


def _variant(target: Target) -> str:
    return target.target["ResourceId"].rsplit("/", 1)[-1]
