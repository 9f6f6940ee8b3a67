"""Application Auto Scaling: keeps its targets and policies in moto's memory, and scales endpoints by them.

Its policies track SageMakerVariantInvocationsPerInstance (hosting/tracking.py); of others, and of other services'
targets, it only keeps a record. The local AWS's minute may be shorter (Settings.minute_seconds): cooldowns and the
metric's minutes are, and the metric counts as of a whole minute.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from local_aws.alarms import PUBLISHED_SECONDS
from local_aws.errors import AwsError
from local_aws.metrics import Series
from local_aws.sagemaker.hosting import scaling, tracking
from local_aws.sagemaker.periodic import Periodic
from local_aws.service import Caller, Permission, Service

if TYPE_CHECKING:
    from local_aws.account import Account

TRACKED = "SageMakerVariantInvocationsPerInstance"
EVERY_SECONDS = 1.0


class ApplicationAutoScaling(Service):
    """Targets and policies, and what they do to SageMaker's endpoints; other services' targets are only kept."""

    name: ClassVar[str] = "application-autoscaling"
    rehearsed: ClassVar[tuple[str, ...]] = (
        "DeleteScalingPolicy",
        "DeregisterScalableTarget",
        "DescribeScalableTargets",
        "DescribeScalingActivities",
        "DescribeScalingPolicies",
        "ListTagsForResource",
        "PutScalingPolicy",
        "RegisterScalableTarget",
        "TagResource",
        "UntagResource",
    )

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._activities: list[dict[str, Any]] = []
        self._has_targets = False  # moto is loaded with the first
        self._scaled: dict[str, tuple[bool, float]] = {}  # out or in, and when (monotonic), by target
        self._tracking = Periodic(account, "scaling of endpoints", EVERY_SECONDS, self._track)

    @classmethod
    def operations(cls) -> list[str]:
        """The operations that are rehearsed."""
        return list(cls.rehearsed)

    def permissions(self, operation: str, params: dict[str, Any]) -> list[Permission]:
        """Looking has no resource; what changes a target is about one, whose id AWS makes up."""
        target = self.account.arn(self.name, f"scalable-target/{params.get('ResourceId', '').replace('/', '-')}")
        resource = params.get("ResourceARN", "*" if operation.startswith("Describe") else target)
        return [Permission(f"{self.name}:{operation}", resource)]

    def call(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Do one operation in moto's memory."""
        if operation not in self.rehearsed:
            return super().call(operation, params, caller)
        if operation == "DescribeScalingActivities":
            asked = {member: params[member] for member in scaling.IDENTITY if member in params}
            found = [each for each in reversed(self._activities) if asked.items() <= each.items()]
            return {"ScalingActivities": found}
        answer = self.account.store(self.name).call(operation, params)
        self._has_targets |= operation == "RegisterScalableTarget"
        if operation == "DeregisterScalableTarget":
            scaling.forget_policies(self.account, params)
        return answer

    def start(self) -> None:
        """Begin to scale."""
        self._tracking.start()

    def stop(self) -> None:
        """Scale no more."""
        self._tracking.stop()

    def _track(self) -> None:
        # Requests of a month that come in a moment say nothing about a minute.
        if not self._has_targets or self.account.calendar.is_set:
            return
        for target in scaling.targets(self.account):
            _, endpoint, _, variant = target["ResourceId"].split("/")
            found = self._variant(endpoint, variant)
            if found:
                self._end_activity(target["ResourceId"], found["DesiredInstanceCount"])
                self._scale(target, endpoint, variant, found["DesiredInstanceCount"])

    def _variant(self, endpoint: str, variant: str) -> dict[str, Any] | None:
        """A variant with instances; None while its endpoint is not in service."""
        try:
            described = self.account.services["sagemaker"].call("DescribeEndpoint", {"EndpointName": endpoint}, _NOBODY)
        except AwsError:
            return None
        if described["EndpointStatus"] != "InService":
            return None
        named = [each for each in described["ProductionVariants"] if each["VariantName"] == variant]
        return next((each for each in named if "DesiredInstanceCount" in each), None)

    def _scale(self, target: Mapping[str, Any], endpoint: str, variant: str, now: int) -> None:
        lowest, highest = target["MinCapacity"], target["MaxCapacity"]
        bounded = min(max(now, lowest), highest)
        if bounded != now:
            bound = "minimum" if bounded > now else "maximum"
            self._change(target, endpoint, variant, bounded, f"{bound} capacity was set to {bounded}")
            return
        if found := self._wanted(target["ResourceId"], endpoint, variant, now):
            count, policy = found
            count = min(max(count, lowest), highest)
            alarm = f"TargetTracking-{target['ResourceId']}-{'AlarmHigh' if count > now else 'AlarmLow'}"
            if count != now and not _suspended(target, out=count > now):
                self._scaled[target["ResourceId"]] = count > now, time.monotonic()
                cause = f"monitor alarm {alarm} in state ALARM triggered policy {policy}"
                self._change(target, endpoint, variant, count, cause)

    def _wanted(self, resource: str, endpoint: str, variant: str, now: int) -> tuple[int, str] | None:
        scale = self.account.settings.minute_seconds / 60
        asked = {"ServiceNamespace": scaling.NAMESPACE, "ResourceId": resource}
        policies = self.account.store(self.name).call("DescribeScalingPolicies", asked)["ScalingPolicies"]
        policies = [policy for policy in policies if policy["ResourceId"] == resource and _tracks(policy)]
        if not policies:
            return None
        out, at = self._scaled.get(resource, (None, 0.0))
        last = None if out is None else tracking.Scaled(out, (time.monotonic() - at) / scale)
        return tracking.wanted(policies, self._minutes(endpoint, variant, scale), now, last)

    def _minutes(self, endpoint: str, variant: str, scale: float) -> list[float | None]:
        """Invocations per instance in each of the last minutes, newest first; of a shorter minute as of a whole one."""
        metric = {
            "Namespace": "AWS/SageMaker",
            "MetricName": "InvocationsPerInstance",
            "Dimensions": [
                {"Name": "EndpointName", "Value": endpoint},
                {"Name": "VariantName", "Value": variant},
            ],
            "Statistic": "Sum",
            "Period": 60,
        }
        published = self.account.calendar.now().timestamp() - (PUBLISHED_SECONDS if scale < 1 else 0)
        values = Series(self.account.emulator.cloudwatch, metric, scale).values(tracking.IN_MINUTES, published)
        return [None if value is None else value / scale for value in values]

    def _change(self, target: Mapping[str, Any], endpoint: str, variant: str, count: int, cause: str) -> None:
        counts = [{"VariantName": variant, "DesiredInstanceCount": count}]
        params = {"EndpointName": endpoint, "DesiredWeightsAndCapacities": counts}
        activity = {
            "ActivityId": str(uuid.uuid4()),
            **{member: target[member] for member in scaling.IDENTITY},
            "Description": f"Setting desired instance count to {count}.",
            "Cause": cause,
            "StartTime": datetime.now(UTC),
            "StatusCode": "InProgress",
        }
        try:
            self.account.services["sagemaker"].call("UpdateEndpointWeightsAndCapacities", params, _NOBODY)
        except AwsError:  # an update of the endpoint has begun in this very moment
            return
        self._activities.append(activity)

    def _end_activity(self, resource: str, desired: int) -> None:
        """The endpoint is in service again: its last activity has come about, or not."""
        for activity in self._activities:
            if activity["ResourceId"] == resource and activity["StatusCode"] == "InProgress":
                done = activity["Description"] == f"Setting desired instance count to {desired}."
                activity["EndTime"] = datetime.now(UTC)
                activity["StatusCode"] = "Successful" if done else "Failed"
                activity["StatusMessage"] = (
                    f"Successfully set desired instance count to {desired}. Change successfully fulfilled by sagemaker."
                    if done
                    else f"Failed to change the desired instance count; it is {desired}."
                )


_NOBODY: Any = None
"""Who calls: AWS itself, under its service-linked role."""


def _suspended(target: Mapping[str, Any], *, out: bool) -> bool:
    return target.get("SuspendedState", {}).get(f"DynamicScaling{'Out' if out else 'In'}Suspended", False)


def _tracks(policy: Mapping[str, Any]) -> bool:
    configuration = policy.get("TargetTrackingScalingPolicyConfiguration", {})
    return configuration.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType") == TRACKED
