"""Flow logs of a VPC: EC2 has them here, and CloudFormation learns of them; nothing is ever written to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local_aws.cloudformation.api import call
from local_aws.sagemaker.rehearsal import say

if TYPE_CHECKING:
    from local_aws.account import Account

TYPE = "AWS::EC2::FlowLog"
TAKEN = (
    "DeliverLogsPermissionArn",
    "LogDestination",
    "LogDestinationType",
    "LogGroupName",
    "ResourceType",
    "TrafficType",
)


def handlers(account: Account) -> dict[str, Any]:
    """As MiniStack's CloudFormation calls them."""

    def create(_: str, properties: Mapping[str, Any], __: str) -> tuple[str, dict[str, Any]]:
        say(account, "Flow logs are not rehearsed: no connection is written down.")
        given = {name: properties[name] for name in TAKEN if name in properties}
        (made,) = call(account, "ec2", "CreateFlowLogs", {"ResourceIds": [properties["ResourceId"]], **given})[
            "FlowLogIds"
        ]
        return made, {"Id": made}

    def delete(physical_id: str, _: Mapping[str, Any]) -> None:
        call(account, "ec2", "DeleteFlowLogs", {"FlowLogIds": [physical_id]})

    return {"create": create, "delete": delete}
