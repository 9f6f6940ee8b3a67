"""What CloudFormation has made, by the names that a run gives it: each stands for a construct of the stacks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from local_aws.account import Account
from local_aws.permissions.lived import Lived, Scene

SHORTEST = 8
"""A name that CloudFormation makes is longer; shorter ones would be found inside of others."""


class Landmarks:
    """The names of a run, and the paths of the constructs that they stand for; each look adds what is new.

    A look does not forget: what a stack has replaced or deleted was called by its name before.
    """

    def __init__(self, account: Account, assembly: Path) -> None:
        self._place = (account.settings.account, account.settings.region)
        self._cloudformation = account.client("cloudformation")
        self._assembly = assembly
        self.paths: dict[str, str] = {}
        """By name, such as that of a bucket, or the id of a key."""
        self.roles: dict[str, str] = {}
        """Those of roles."""

    def look(self) -> None:
        """Note what there is now; before the first `cdk synth` that is nothing."""
        tree = self._assembly / "tree.json"
        if not tree.exists():
            return
        paths = construct_paths(json.loads(tree.read_text())["tree"])
        for stack in self._cloudformation.describe_stacks()["Stacks"]:
            template = self._assembly / f"{stack['StackName']}.template.json"
            if template.exists():
                self._note(stack["StackName"], paths, template.read_text())

    def keep(self, home: Path, scenes: Iterable[Scene]) -> None:
        """Leaves in a home what its journal is to be read with."""
        Lived(home, self.paths, self.roles, tuple(scenes), self._place).keep()

    def _note(self, stack: str, paths: Mapping[tuple[str, str], str], template: str) -> None:
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        for resource in (each for page in pages for each in page["StackResourceSummaries"]):
            path = paths.get((stack, resource["LogicalResourceId"]))
            name = re.split("[:/]", resource.get("PhysicalResourceId", ""))[-1]
            if path is None or len(name) < SHORTEST:
                continue
            if resource["ResourceType"] == "AWS::IAM::Role":
                self.roles[name] = path
            if f'{name}"' not in template:  # else it has the same name wherever it is deployed
                self.paths[name] = path


def construct_paths(node: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """The path of each construct of an assembly's tree, by its stack and logical id."""
    return dict(_paths(node))


def _paths(node: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    logical = node.get("attributes", {}).get("aws:cdk:cloudformation:logicalId")
    if logical:
        yield (node["path"].split("/")[0], logical), node["path"].removesuffix("/Resource")
    for child in node.get("children", {}).values():
        yield from _paths(child)
