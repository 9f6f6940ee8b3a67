"""Application Auto Scaling: remembers its targets and policies."""

from typing import Any, ClassVar

from local_aws.service import Caller, Permission, Service


class ApplicationAutoScaling(Service):
    """Targets and policies are kept and described; nothing scales by itself on the local AWS."""

    name: ClassVar[str] = "application-autoscaling"
    rehearsed: ClassVar[tuple[str, ...]] = (
        "DeleteScalingPolicy",
        "DeregisterScalableTarget",
        "DescribeScalableTargets",
        "DescribeScalingPolicies",
        "ListTagsForResource",
        "PutScalingPolicy",
        "RegisterScalableTarget",
        "TagResource",
        "UntagResource",
    )

    @classmethod
    def operations(cls) -> list[str]:
        """The operations that moto keeps for us."""
        return list(cls.rehearsed)

    def permissions(self, operation: str, params: dict[str, Any]) -> list[Permission]:
        """AWS knows the target's ARN only after it is registered, so its policies name "*" or the target."""
        return [Permission(f"{self.name}:{operation}", params.get("ResourceARN", "*"))]

    def call(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Do one operation in moto's memory."""
        if operation not in self.rehearsed:
            return super().call(operation, params, caller)
        return self.account.store(self.name).call(operation, params)
