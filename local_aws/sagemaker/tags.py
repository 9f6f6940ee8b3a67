"""Tags of SageMaker's resources."""

from collections.abc import Iterable, Mapping
from typing import Any


class Tags:
    """The tags of every resource, by ARN."""

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, str]] = {}

    def put(self, arn: str, tags: Iterable[Mapping[str, str]]) -> None:
        """Add tags to a resource, or overwrite theirs of the same key."""
        old = self._tags.get(arn, {})
        self._tags[arn] = {**old, **{tag["Key"]: tag["Value"] for tag in tags}}

    def of(self, arn: str) -> list[dict[str, str]]:
        """The tags of a resource, in AWS's form."""
        return [{"Key": key, "Value": value} for key, value in self._tags.get(arn, {}).items()]

    def context(self, arn: str) -> dict[str, str]:
        """What policies may ask of a resource's tags; a registered package has none but those of its group."""
        before, package, name = arn.partition(":model-package/")
        if package:
            arn = f"{before}:model-package-group/{name.partition('/')[0]}"
        return {f"aws:ResourceTag/{key}": value for key, value in self._tags.get(arn, {}).items()}

    def forget(self, arn: str) -> None:
        """The resource is gone, and its tags with it."""
        self._tags.pop(arn, None)

    def add_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        """AddTags."""
        self.put(params["ResourceArn"], params["Tags"])
        return {"Tags": self.of(params["ResourceArn"])}

    def list_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListTags; one page holds them all (a resource has at most 50)."""
        return {"Tags": self.of(params["ResourceArn"])}

    def delete_tags(self, params: dict[str, Any]) -> dict[str, Any]:
        """DeleteTags."""
        arn = params["ResourceArn"]
        keys = set(params["TagKeys"])
        self._tags[arn] = {key: value for key, value in self._tags.get(arn, {}).items() if key not in keys}
        return {}
