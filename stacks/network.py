"""The network of a place: the VPC that its endpoints and jobs are put into, where project.yaml asks for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config.network import Existing, Private, Public
from stacks.place import Place
from stacks.vpc import Vpc

CALLED_BY_TRAINING = ("kms",)
"""What a training job calls besides S3, as VPC endpoints are named: Evaluate signs the package."""
CALLED_BY_WATCH = ("events", "logs", "monitoring", "sagemaker.api", "ssm")
"""What the job that judges a team's models calls besides S3; no other container of an environment calls anything."""

ATTACHING = ("CreateNetworkInterface", "CreateNetworkInterfacePermission", "DeleteNetworkInterface")
LOOKING = ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")


@dataclass(frozen=True)
class Network:
    """Where SageMaker attaches a container: subnets of a VPC, and the security groups that the container gets."""

    vpc_id: str
    subnets: Sequence[str]
    security_groups: Sequence[str]

    def vpc_config(self) -> dict[str, list[str]]:
        """As CreateModel, CreateTrainingJob and CreateProcessingJob take it."""
        return {"SecurityGroupIds": list(self.security_groups), "Subnets": list(self.subnets)}

    def grant_attach(self, role: iam.IRole, *also: str) -> None:
        """Lets SageMaker put a container under *role* into these subnets; *also* are further EC2 actions that look."""
        for statement in self._attaching(role, "DeleteNetworkInterfacePermission", looks=also):
            role.add_to_principal_policy(statement)

    def join(self, scope: Construct, project: codebuild.Project) -> None:
        """Puts the builds of *project* there; its rights come first, because CodeBuild looks whether it has them."""
        assert project.role
        policy = iam.Policy(
            scope,
            "Network",
            statements=self._attaching(project, only={"ec2:AuthorizedService": "codebuild.amazonaws.com"}),
            roles=[project.role],
        )
        resource = project.node.default_child
        assert isinstance(resource, codebuild.CfnProject)
        resource.vpc_config = codebuild.CfnProject.VpcConfigProperty(
            vpc_id=self.vpc_id, subnets=list(self.subnets), security_group_ids=list(self.security_groups)
        )
        resource.node.add_dependency(policy)

    def _attaching(
        self, scope: Construct, *more: str, looks: Sequence[str] = (), only: dict[str, str] | None = None
    ) -> list[iam.PolicyStatement]:
        def arns(resource: str, *names: str) -> list[str]:
            stack = cdk.Stack.of(scope)
            return [stack.format_arn(service="ec2", resource=resource, resource_name=name) for name in names]

        make, permit, delete = (f"ec2:{action}" for action in ATTACHING)
        places = {"ec2:Subnet": arns("subnet", *self.subnets)}
        every = arns("network-interface", "*")
        used = [*places["ec2:Subnet"], *arns("security-group", *self.security_groups)]
        return [
            iam.PolicyStatement(actions=[make], resources=[*every, *used]),
            iam.PolicyStatement(
                actions=[permit], resources=every, conditions={"StringEquals": {**places, **(only or {})}}
            ),
            iam.PolicyStatement(
                actions=[delete, *(f"ec2:{action}" for action in more)],
                resources=every,
                conditions={"StringEquals": places},
            ),
            iam.PolicyStatement(
                actions=[*(f"ec2:Describe{noun}" for noun in LOOKING), *looks],
                resources=["*"],  # they have no resource
            ),
        ]


def network_of(
    scope: Construct, place: Place, *, key: kms.IKey, buckets: Sequence[s3.IBucket], services: Sequence[str]
) -> Network | None:
    """The network that project.yaml gives a place; a VPC that is made for it reaches *buckets* and *services* alone."""
    settings = place.account.network
    match settings:
        case Public():
            return None
        case Private():
            vpc = Vpc(scope, "Network", place, settings, key=key, buckets=buckets, services=services)
            return Network(vpc.vpc_id, vpc.subnets, [vpc.jobs])
        case Existing():
            return _named(settings)
    assert_never(settings)


def network_of_builds(place: Place) -> Network | None:
    """Where builds run; none is AWS's own network, whence they reach packages and images on the internet."""
    settings = place.account.network
    return _named(settings) if isinstance(settings, Existing) and settings.builds else None


def _named(settings: Existing) -> Network:
    return Network(settings.vpc, settings.subnets, settings.security_groups)
