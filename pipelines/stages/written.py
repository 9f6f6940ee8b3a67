"""A deployed ServingStack: who wrote it, whether something happens to it, what it holds, and why it failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from botocore.exceptions import ClientError

ONLY_FOLLOWS = ("cancelled", "canceled")
"""What CloudFormation says of resources that failed only because another one did."""


@dataclass(frozen=True)
class Written:
    """A stack as it is now; one that is not there yet was written by nobody."""

    status: str = ""
    parameters: dict[str, str] | None = None

    @classmethod
    def describe(cls, cloudformation: Any, stack: str) -> Self:
        try:
            (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return cls()
            raise
        parameters = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", ())}
        return cls(found["StackStatus"], parameters)

    @property
    def release(self) -> str:
        """Who wrote it."""
        return (self.parameters or {}).get("Release", "")

    @property
    def is_busy(self) -> bool:
        """Whether an operation goes on; a stack that only a change set has named waits for nobody."""
        return self.status.endswith("IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


def why_failed(cloudformation: Any, stack: str, since: datetime) -> str:
    """The first failure of a stack's resources after *since*, in a sentence; empty where there is none."""
    try:
        pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
        first = ""
        for event in (event for page in pages for event in page["StackEvents"]):  # newest first
            if event["Timestamp"] < since:
                break
            reason = event.get("ResourceStatusReason", "")
            if event["ResourceStatus"].endswith("FAILED") and not any(word in reason for word in ONLY_FOLLOWS):
                first = f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason or 'no reason given'}"
    except ClientError as error:
        return "" if "does not exist" in str(error) else f"its events cannot be read: {error}"
    return first


def resources(cloudformation: Any, stack: str) -> dict[str, str]:
    """The physical ids of what a stack holds, with their types."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    found = (each for page in pages for each in page["StackResourceSummaries"])
    return {each["PhysicalResourceId"]: each["ResourceType"] for each in found if each.get("PhysicalResourceId")}
