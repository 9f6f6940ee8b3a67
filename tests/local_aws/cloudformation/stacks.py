"""Deploy templates as any client does, and wait."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.delivery import eventually


class Stacks:
    """CloudFormation under the root user, or as a role."""

    def __init__(self, account: Account, client: Any = None) -> None:
        self.client = client or account.client("cloudformation")

    def deploy(self, name: str, resources: Mapping[str, Any], **more: Any) -> str:
        """Create or update a stack; its status in the end. `more` are sections, and members of the call in small."""
        members = {key: more.pop(key) for key in list(more) if key[0].islower()}
        call = {
            "StackName": name,
            "TemplateBody": json.dumps({"Resources": resources, **more}),
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            **{key[0].upper() + key[1:]: value for key, value in members.items()},
        }
        if self.status(name) is None:
            self.client.create_stack(**call)
        else:
            self.client.update_stack(**call)
        return self.settled(name)

    def delete(self, name: str) -> str:
        """Delete a stack; DELETE_COMPLETE, or its status when that failed."""
        self.client.delete_stack(StackName=name)
        return self.settled(name)

    def status(self, name: str) -> str | None:
        """The status of a stack, None when there is none."""
        try:
            return self.client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        except ClientError:
            return None

    def settled(self, name: str) -> str:
        """The status of a stack that nothing happens to any more."""

        def settled() -> str | None:
            status = self.status(name) or "DELETE_COMPLETE"
            return None if status.endswith("IN_PROGRESS") else status

        return eventually(settled, 60)

    def outputs(self, name: str) -> dict[str, str]:
        """The outputs of a stack."""
        stack = self.client.describe_stacks(StackName=name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def resource(self, name: str, logical_id: str) -> str:
        """The physical id of a resource."""
        found = self.client.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def failures(self, name: str) -> dict[str, str]:
        """Why resources failed, by logical id."""
        events = self.client.describe_stack_events(StackName=name)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
        return {event["LogicalResourceId"]: event["ResourceStatusReason"] for event in failed}


def output(**values: Any) -> dict[str, Any]:
    """An Outputs section."""
    return {name: {"Value": value} for name, value in values.items()}
