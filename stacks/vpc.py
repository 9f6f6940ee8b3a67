"""A VPC without a way to the internet: subnets, endpoints of the services that are called, a log of connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config.network import Private
from stacks.place import Place
from stacks.trust import for_this_account

HTTPS, IKE = 443, 500
NOWHERE = {"cidr_ip": "255.255.255.255/32", "ip_protocol": "icmp", "from_port": 252, "to_port": 86}
"""A rule that lets nothing out; a group without one would get a rule that lets everything out."""


class Vpc(Construct):
    """Made of plain resources: the CDK's own VPC asks the account for its zones, and brings a Lambda function.

    `jobs` is the security group of endpoints and jobs. It lets HTTPS out, for which there are routes to S3 and
    *services* alone; it lets nothing in but the encryption between the instances of one job.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        place: Place,
        settings: Private,
        *,
        key: kms.IKey,
        buckets: Sequence[s3.IBucket],
        services: Sequence[str],
    ) -> None:
        super().__init__(scope, name)
        self._place, self._settings = place, settings
        vpc = ec2.CfnVPC(
            self,
            "Vpc",
            cidr_block=settings.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=[cdk.CfnTag(key="Name", value=place.names.stack(place.name))],
        )
        self.vpc_id = vpc.attr_vpc_id
        routes = ec2.CfnRouteTable(self, "Routes", vpc_id=self.vpc_id)
        self.subnets = [self._subnet(number, range_, routes) for number, range_ in enumerate(settings.ranges())]
        self.jobs = self._jobs()
        self._reach_buckets(buckets, routes)
        if services:
            self._reach_services(services)
        if settings.flow_logs:
            self._write_down(key)

    def _subnet(self, number: int, addresses: str, routes: ec2.CfnRouteTable) -> str:
        zones = self._settings.zones
        subnet = ec2.CfnSubnet(
            self,
            f"Subnet{number}",
            vpc_id=self.vpc_id,
            availability_zone=zones[number] if zones else cdk.Fn.select(number, cdk.Fn.get_azs()),
            cidr_block=addresses,
            map_public_ip_on_launch=False,
        )
        ec2.CfnSubnetRouteTableAssociation(
            self, f"Routes{number}", route_table_id=routes.attr_route_table_id, subnet_id=subnet.attr_subnet_id
        )
        return subnet.attr_subnet_id

    def _jobs(self) -> str:
        # SageMaker encrypts between the instances of a job with IPsec; a group cannot name itself where it is made.
        own = {"cidr_ip": self._settings.cidr, "description": "Encryption between the instances of a job"}
        ipsec: list[dict[str, Any]] = [
            {**own, "ip_protocol": "udp", "from_port": IKE, "to_port": IKE},
            {**own, "ip_protocol": "50"},
        ]
        https = ec2.CfnSecurityGroup.EgressProperty(
            # The addresses of S3 have a name that only the account knows; no route leads to any other.
            cidr_ip="0.0.0.0/0",
            description="HTTPS, as far as there are routes",
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
        )
        return ec2.CfnSecurityGroup(
            self,
            "Jobs",
            group_description="Endpoints and jobs",
            vpc_id=self.vpc_id,
            security_group_ingress=[ec2.CfnSecurityGroup.IngressProperty(**rule) for rule in ipsec],
            security_group_egress=[https, *(ec2.CfnSecurityGroup.EgressProperty(**rule) for rule in ipsec)],
        ).attr_group_id

    def _reach_buckets(self, buckets: Sequence[s3.IBucket], routes: ec2.CfnRouteTable) -> None:
        layers = f"arn:{cdk.Aws.PARTITION}:s3:::prod-{cdk.Stack.of(self).region}-starport-layer-bucket/*"
        ours = [arn for bucket in buckets for arn in (bucket.bucket_arn, bucket.arn_for_objects("*"))]
        statements = [
            self._by_us("s3:*", ours),
            # Where Amazon ECR keeps the layers of images; it gives out signed addresses of its own.
            iam.PolicyStatement(actions=["s3:GetObject"], principals=[iam.AnyPrincipal()], resources=[layers]),
        ]
        ec2.CfnVPCEndpoint(
            self,
            "S3",
            vpc_id=self.vpc_id,
            service_name=self._service("s3"),
            vpc_endpoint_type="Gateway",
            route_table_ids=[routes.attr_route_table_id],
            policy_document=iam.PolicyDocument(statements=statements),
        )

    def _reach_services(self, services: Sequence[str]) -> None:
        group = ec2.CfnSecurityGroup(
            self,
            "Endpoints",
            group_description="Endpoints of AWS services",
            vpc_id=self.vpc_id,
            security_group_ingress=[
                ec2.CfnSecurityGroup.IngressProperty(
                    description="HTTPS of jobs",
                    ip_protocol="tcp",
                    from_port=HTTPS,
                    to_port=HTTPS,
                    source_security_group_id=self.jobs,
                )
            ],
            security_group_egress=[ec2.CfnSecurityGroup.EgressProperty(**NOWHERE)],
        )
        for service in services:
            ec2.CfnVPCEndpoint(
                self,
                service,
                vpc_id=self.vpc_id,
                service_name=self._service(service),
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                security_group_ids=[group.attr_group_id],
                subnet_ids=self.subnets,
                policy_document=iam.PolicyDocument(statements=[self._by_us("*", ["*"])]),
            )

    def _by_us(self, action: str, resources: list[str]) -> iam.PolicyStatement:
        """Only principals of the account pass an endpoint; what each may do, its own policy says."""
        account = {"StringEquals": {"aws:PrincipalAccount": cdk.Stack.of(self).account}}
        return iam.PolicyStatement(
            actions=[action], principals=[iam.AnyPrincipal()], resources=resources, conditions=account
        )

    def _service(self, name: str) -> str:
        return f"com.amazonaws.{cdk.Stack.of(self).region}.{name}"

    def _write_down(self, key: kms.IKey) -> None:
        stack, name = cdk.Stack.of(self), f"/aws/vpc/{self._place.names.stack(self._place.name)}"
        arn = stack.format_arn(
            service="logs", resource="log-group", resource_name=name, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
        )
        key.grant(
            iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com").with_conditions(
                {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": arn}}
            ),
            *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
        )
        log = logs.LogGroup(
            self,
            "Log",
            log_group_name=name,
            encryption_key=key,
            removal_policy=self._place.removal_policy,
            retention=self._place.log_retention,
        )
        role = iam.Role(
            self,
            "Recorder",
            description="Writes down the connections of the VPC.",
            assumed_by=for_this_account(self, "vpc-flow-logs"),
        )
        log.grant(
            role, "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"
        )
        flow = ec2.CfnFlowLog(
            self,
            "Flows",
            resource_id=self.vpc_id,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=log.log_group_name,
            deliver_logs_permission_arn=role.role_arn,
        )
        flow.node.add_dependency(role)
