"""What a resource type of ours is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Properties = Mapping[str, Any]


class Tagging(NamedTuple):
    """The operations that set and remove tags of a resource, their member for its ARN, and where its ARN is."""

    tag: str
    untag: str
    member: str
    arn: str


@dataclass(frozen=True)
class Kind:
    """A resource type: operations of `service`, and where CloudFormation finds things in their answers.

    `ref` and `attributes` (what Ref and Fn::GetAtt give) are JMESPath into the answer of `describe`; no `ref` means
    the name. `create_only` properties replace the resource, and with `update` empty nothing else can change but tags.
    `after_update` gives a further operation that a change in place brings, and its input.
    `adapt` turns the properties into those of `create` and `update`; `elsewhere` are properties that only one of the
    two takes. `settled` says, by a description and the properties, whether a change is done; ValueError: it failed.
    """

    type: str
    service: str
    create: str
    delete: str
    name: str
    key: Callable[[str, Properties], dict[str, Any]]
    describe: str = ""
    delete_key: Callable[[str, Properties], dict[str, Any]] | None = None
    update: str = ""
    ref: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    create_only: tuple[str, ...] = ()
    adapt: Callable[[Properties], dict[str, Any]] = dict
    after_update: Callable[[str, Properties], tuple[str, dict[str, Any]] | None] = lambda _name, _properties: None
    elsewhere: frozenset[str] = frozenset()
    settled: Callable[[Mapping[str, Any], Properties], bool] | None = None
    taggable: bool = True
    tagging: Tagging | None = None
    longest_name: int = 63
