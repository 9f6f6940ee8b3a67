"""The handler of a resource type of ours, as MiniStack's CloudFormation calls it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import jmespath

from local_aws.cloudformation.api import HandlerError, call
from local_aws.cloudformation.kind import Kind, Properties, Tagging
from local_aws.cloudformation.properties import to_input
from local_aws.protocol import service_model

if TYPE_CHECKING:
    from local_aws.account import Account

POLL_SECONDS = 0.2
Made = tuple[str, dict[str, Any]]  # the physical id, and what Fn::GetAtt gives


class Handler:
    """Creates, updates and deletes resources of one kind, with the rights of the stack's role."""

    def __init__(self, account: Account, kind: Kind) -> None:
        self._account = account
        self._kind = kind
        self._names: dict[str, str] = {}  # by physical id: an ARN of SageMaker has the name in lower case

    def create(self, logical_id: str, properties: Properties, stack: str) -> Made:
        """Create a resource, and wait until it is settled; one that fails is removed again, as on AWS."""
        name = self._name(logical_id, properties, stack)
        self._change(self._kind.create, name, properties)
        try:
            return self._settle(name, properties)
        except ValueError:
            self._delete(name, properties)
            raise

    def update(self, physical_id: str, old: Properties, new: Properties, *_: str) -> Made:
        """Change a resource in place; what cannot be, MiniStack replaces before this is called."""
        name = self._names[physical_id]
        changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
        if changed - {"Tags"} or not self._kind.tagging:
            self._change(self._kind.update, name, new)
            if further := self._kind.after_update(name, new):
                self._call(*further)
        made = self._settle(name, new)
        if "Tags" in changed and self._kind.tagging:
            self._tag(self._kind.tagging, name, old, new)
        return made

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Delete a resource, and wait until it is gone."""
        self._delete(self._names.pop(physical_id), properties)

    def _name(self, logical_id: str, properties: Properties, stack: str) -> str:
        """As AWS names what has no name; a suffix of chance, since what a deleted stack has kept has one too."""
        if given := properties.get(self._kind.name) if self._kind.name else logical_id:
            return given
        suffix = secrets.token_hex(6)
        return f"{f'{stack}-{logical_id}'[: self._kind.longest_name - len(suffix) - 1]}-{suffix}"

    def _change(self, operation: str, name: str, properties: Properties) -> None:
        named: dict[str, Any] = {**properties, **({self._kind.name: name} if self._kind.name else {})}
        if "Tags" in named:
            named["Tags"] = own_tags(named["Tags"])
        self._call(operation, self._kind.adapt(named), self._kind.elsewhere)

    def _settle(self, name: str, properties: Properties) -> Made:
        description = self._describe(name, properties)
        while self._kind.settled and not self._kind.settled(description, properties):
            time.sleep(POLL_SECONDS)
            description = self._describe(name, properties)
        physical_id = jmespath.search(self._kind.ref, description) if self._kind.ref else name
        self._names[physical_id] = name
        found = {name: jmespath.search(path, description) for name, path in self._kind.attributes.items()}
        return physical_id, found

    def _describe(self, name: str, properties: Properties) -> Mapping[str, Any]:
        key = self._kind.key(name, properties)
        return self._call(self._kind.describe, key) if self._kind.describe else key

    def _delete(self, name: str, properties: Properties) -> None:
        self._call(self._kind.delete, (self._kind.delete_key or self._kind.key)(name, properties))
        while self._kind.settled and self._exists(name, properties):
            time.sleep(POLL_SECONDS)

    def _exists(self, name: str, properties: Properties) -> bool:
        try:
            self._describe(name, properties)
        except HandlerError:
            return False
        return True

    def _tag(self, tagging: Tagging, name: str, old: Properties, new: Properties) -> None:
        arn = jmespath.search(tagging.arn, self._describe(name, new))
        tags = own_tags(new.get("Tags", []))
        gone = {tag["Key"] for tag in own_tags(old.get("Tags", []))} - {tag["Key"] for tag in tags}
        if gone:
            self._call(tagging.untag, {tagging.member: arn, "TagKeys": sorted(gone)})
        if tags:
            self._call(tagging.tag, {tagging.member: arn, "Tags": tags})

    def _call(self, operation: str, given: Properties, elsewhere: Collection[str] = ()) -> dict[str, Any]:
        shape = service_model(self._kind.service).operation_model(operation).input_shape
        params = to_input(given, shape, elsewhere) if shape else {}
        return call(self._account, self._kind.service, operation, params)


def own_tags(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    """Tags without those of `aws:`, which only AWS itself can set."""
    return [tag for tag in tags if not tag["Key"].startswith("aws:")]
