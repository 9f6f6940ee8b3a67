"""Which variants scale by themselves, and what that forbids an update."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError

if TYPE_CHECKING:
    from local_aws.account import Account

SERVICE = "application-autoscaling"
IDENTITY = ("ServiceNamespace", "ResourceId", "ScalableDimension")
NAMESPACE, DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"


def targets(account: Account) -> list[dict[str, Any]]:
    """The variants that are registered with Application Auto Scaling."""
    store = account.store(SERVICE)
    found = store.call("DescribeScalableTargets", {"ServiceNamespace": NAMESPACE})["ScalableTargets"]
    return [target for target in found if target["ScalableDimension"] == DIMENSION]


def deregister(account: Account, endpoint: str) -> None:
    """Application Auto Scaling forgets the variants of an endpoint that is deleted, and tells nobody."""
    for target in targets(account):
        if target["ResourceId"].startswith(resource(endpoint, "")):
            identity = {member: target[member] for member in IDENTITY}
            with contextlib.suppress(AwsError):  # somebody else has done it in this very moment
                account.store(SERVICE).call("DeregisterScalableTarget", identity)
                forget_policies(account, identity)


def forget_policies(account: Account, identity: Mapping[str, Any]) -> None:
    """The policies of a target go with it, which moto leaves to us."""
    store = account.store(SERVICE)
    for policy in store.call("DescribeScalingPolicies", dict(identity))["ScalingPolicies"]:
        if policy["ResourceId"] == identity["ResourceId"]:
            store.call("DeleteScalingPolicy", {**identity, "PolicyName": policy["PolicyName"]})


def resource(endpoint: str, variant: str) -> str:
    """What Application Auto Scaling calls a variant."""
    return f"endpoint/{endpoint}/variant/{variant}"


def refuse_other_instances(account: Account, endpoint: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """AwsError where a variant under scaling would get another instance type, or go.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
    """
    after = {each["VariantName"]: each.get("InstanceType") for each in new["ProductionVariants"]}
    changed = [
        each["VariantName"]
        for each in old["ProductionVariants"]
        if after.get(each["VariantName"], "none") != each.get("InstanceType")
    ]
    scaled = {each["ResourceId"] for each in targets(account)} if changed else set()
    if held := [name for name in changed if resource(endpoint, name) in scaled]:
        raise AwsError(
            "ValidationException",
            f"The instance type of variant {', '.join(held)} cannot be changed, nor the variant removed, while it is "
            "registered as a scalable target with Application Auto Scaling; deregister it first.",
        )
