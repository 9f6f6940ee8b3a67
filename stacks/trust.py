"""Whom AWS's services act for when they take a role of ours: for what is in this account, and for nobody else's."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import IConstruct

SOURCES = {"codebuild": "project/", "events": "rule/"}
"""The services whose guides say that they tell which resource they act for, and how its ARN goes on after the account.

CodePipeline's guide says nothing of the kind, so a condition might lock it out; its role is passed within its account
alone. Application Auto Scaling has a role of its own for SageMaker. The roles of the others have their conditions from
where they are made.
"""


def same_account(scope: IConstruct) -> dict[str, str]:
    """The condition that a service acts for the account of *scope*."""
    return {"aws:SourceAccount": cdk.Stack.of(scope).account}


def for_this_account(scope: IConstruct, service: str) -> iam.PrincipalBase:
    """A service (`sagemaker`) that may take a role only where it acts for the account of *scope*."""
    principal = iam.ServicePrincipal(f"{service}.amazonaws.com")
    return principal.with_conditions({"StringEquals": same_account(scope)})


@jsii.implements(cdk.IAspect)
class OnlyForThisAccount:
    """Adds the conditions to the roles that the CDK makes without, wherever in a stack they are."""

    def visit(self, node: IConstruct) -> None:
        """The CDK calls this for every construct."""
        if isinstance(node, iam.CfnRole):
            for place, statement in enumerate(_statements(node)):
                service = str(statement.get("Principal", {}).get("Service", "")).partition(".")[0]
                if service in SOURCES and "Condition" not in statement:
                    node.add_property_override(
                        f"AssumeRolePolicyDocument.Statement.{place}.Condition", _conditions(node, service)
                    )


def _statements(role: iam.CfnRole) -> list[dict[str, Any]]:
    return cdk.Stack.of(role).resolve(role.assume_role_policy_document)["Statement"]


def _conditions(role: iam.CfnRole, service: str) -> dict[str, Any]:
    arn = cdk.Stack.of(role).format_arn(service=service, resource=f"{SOURCES[service]}*")
    return {"StringEquals": same_account(role), "ArnLike": {"aws:SourceArn": arn}}
