"""Putting a container into a VPC as SageMaker does: under the role, so that its permissions decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local_aws.errors import AwsError
from local_aws.sagemaker import roles
from local_aws.sagemaker.rehearsal import say
from local_aws.service import Permission

if TYPE_CHECKING:
    from local_aws.account import Account

OF_INTERFACES = ("CreateNetworkInterfacePermission", "DeleteNetworkInterface", "DeleteNetworkInterfacePermission")
SAID = "The VPC of {} is not rehearsed: its containers use this machine's network."


def attach(account: Account, vpc: Mapping[str, Any] | None, role: str, what: str) -> None:
    """Looks subnets and security groups up, and asks for the rights to an interface there; none is made.

    Raises AwsError where there are no such, they are not of one VPC, or the role may not.
    """
    if not vpc:
        return
    say(account, SAID.format(what))
    ec2 = roles.client(account, "ec2", role)
    try:
        subnets = ec2.describe_subnets(SubnetIds=vpc["Subnets"])["Subnets"]
        groups = ec2.describe_security_groups(GroupIds=vpc["SecurityGroupIds"])["SecurityGroups"]
    except ClientError as error:
        raise AwsError("ValidationException", error.response["Error"]["Message"]) from error
    if len({each["VpcId"] for each in (*subnets, *groups)}) > 1:
        raise AwsError("ValidationException", "Subnets and security groups must be of the same VPC.")
    try:
        _may_attach(account, vpc, role)
    except AwsError as error:
        raise AwsError("ValidationException", f"{role} cannot attach {what} to the VPC: {error.message}") from error


def _may_attach(account: Account, vpc: Mapping[str, Any], role: str) -> None:
    key = account.authorization.assume(role, roles.PRINCIPAL, "SageMaker").access_key
    arn = f"arn:aws:ec2:{account.settings.region}:{account.settings.account}:"
    interface, subnets = f"{arn}network-interface/eni-0", [f"{arn}subnet/{each}" for each in vpc["Subnets"]]
    groups = [f"{arn}security-group/{each}" for each in vpc["SecurityGroupIds"]]
    asked = [Permission("ec2:CreateNetworkInterface", resource) for resource in (interface, *subnets, *groups)]
    for subnet in subnets:
        asked += [Permission(f"ec2:{action}", interface, {"ec2:Subnet": subnet}) for action in OF_INTERFACES]
    for permission in asked:
        account.authorization.require(key, "ec2", permission)
