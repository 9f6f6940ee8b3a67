"""The memory of one kind of resource."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.sagemaker import shapes
from local_aws.sagemaker.kinds import Kind
from local_aws.sagemaker.listing import page
from local_aws.sagemaker.tags import Tags

if TYPE_CHECKING:
    from local_aws.account import Account


class Shelf:
    """Descriptions by name, as Describe would answer them; each is replaced whole, so readers need no lock."""

    def __init__(self, account: Account, kind: Kind, tags: Tags) -> None:
        self.kind = kind
        self._account = account
        self._tags = tags
        self._items: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def arn(self, name: str) -> str:
        """The ARN of a resource of this kind, there or not."""
        return self._account.arn("sagemaker", self.kind.resource(name))

    def add(self, name: str, params: Mapping[str, Any], **members: Any) -> dict[str, Any]:
        """Remember a new resource: what was asked for, and what became of it. Raises AwsError when it exists."""
        now = datetime.now(UTC)
        arn = self.arn(name)
        item = {"CreationTime": now, "LastModifiedTime": now, **params, self.kind.arn: arn, **members}
        item.setdefault(self.kind.key, name)
        with self._lock:
            if name in self._items:
                raise self.kind.is_existing(name, arn)
            self._items[name] = item
        self._tags.put(arn, params.get("Tags", ()))
        return item

    def find(self, reference: str) -> dict[str, Any]:
        """The resource of this name or ARN. Raises AwsError in AWS's words when there is none."""
        name = self.name(reference)
        if name not in self._items:
            raise self.kind.is_missing(name, self.arn(name))
        return self._items[name]

    def name(self, reference: str) -> str:
        """The name that a name or an ARN stands for."""
        if not reference.startswith("arn:"):
            return reference
        named = (name for name, item in list(self._items.items()) if item[self.kind.arn] == reference)
        return next(named, reference.removeprefix(self.arn("")))

    def update(self, reference: str, **members: Any) -> dict[str, Any]:
        """Change members of a resource; None takes one away."""
        with self._lock:
            item = {**self.find(reference), "LastModifiedTime": datetime.now(UTC), **members}
            self._items[self.name(reference)] = item
        return item

    def move(self, reference: str, status: str, *, before: Collection[str], refusal: AwsError) -> dict[str, Any]:
        """Change the status if it is one of `before`, in one step; otherwise raise the refusal."""
        with self._lock:
            item = self.find(reference)
            if item[self.kind.status] not in before:
                raise refusal
            moved = {**item, "LastModifiedTime": datetime.now(UTC), self.kind.status: status}
            self._items[self.name(reference)] = moved
        return moved

    def remove(self, reference: str) -> dict[str, Any]:
        """Forget a resource and its tags."""
        with self._lock:
            item = self.find(reference)
            del self._items[self.name(reference)]
        self._tags.forget(item[self.kind.arn])
        return item

    def items(self) -> list[dict[str, Any]]:
        """Every resource, oldest first."""
        return list(self._items.values())

    def listed(
        self, operation: str, params: Mapping[str, Any], items: list[dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        """The answer of a List operation over the items, by default all of them."""
        found, token = page(self.kind, [*(self.items() if items is None else items)], params)
        answer = shapes.summaries(operation, found)
        return answer if token is None else {**answer, "NextToken": token}
