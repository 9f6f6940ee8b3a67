"""Where containers run: in AWS's own network as shipped, in a VPC without a way out where project.yaml says private."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from cloudformation_validate import RegoEngine, Severity

from config.hosting import Batch as Fleet
from stacks import jobs
from tests.stacks.private import PLACES, containers, private_fork
from tests.stacks.test_app import MODELS
from tests.stacks.test_batch import JOBS
from tests.stacks.test_team import TEAMS
from tests.synthesis import Template, only, resources, synthesize, templates_of

VPC = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}
WAYS_OUT = ("InternetGateway", "NatGateway", "Route", "EgressOnlyInternetGateway", "VPCPeeringConnection", "EIP")
NETWORK_ENDPOINTS = {
    "cloudwatch": "monitoring",
    "events": "events",
    "kms": "kms",
    "logs": "logs",
    "sagemaker": "sagemaker.api",
    "ssm": "ssm",
}
"""How the endpoint of a service is called, by the prefix of its actions."""
BY_SAGEMAKER = (
    *("ecr:", "ec2:", "kms:CreateGrant", "logs:Create", "logs:Describe", "logs:Put"),
    *("cloudwatch:DescribeAlarms", "s3:"),
)
"""What SageMaker itself does under a role, and what goes through the gateway."""
OF_BUCKETS = {"Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKey*", "ReEncrypt*"}
"""What S3 asks KMS under a role."""


@pytest.fixture(scope="module")
def private_assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All places private; the account is named, so that a lookup in it would show."""
    folder = tmp_path_factory.mktemp("private")
    root = private_fork(folder)
    file = root / "project.yaml"
    named = "  account: '111122223333'\n  region: eu-west-1\n"
    text = file.read_text()
    for place in PLACES:
        text = text.replace(f"\n{place}:\n", f"\n{place}:\n{named}")
    file.write_text(text)
    return synthesize(folder / "out", root)


@pytest.fixture(scope="module")
def private(private_assembly: Path) -> dict[str, Template]:
    return templates_of(private_assembly)


def test_as_shipped_there_is_no_vpc_and_no_right_to_one(templates: dict[str, Template]) -> None:
    for name, template in templates.items():
        text = json.dumps(template)
        assert not any(word in text for word in ('"AWS::EC2::', "ec2:", "VpcConfig")), name


def test_jobs_that_call_nothing_have_no_network_at_all(templates: dict[str, Template]) -> None:
    isolated = {name: found.get("EnableNetworkIsolation", False) for name, found in containers(templates)}
    for name, alone in isolated.items():
        if " " in name and name.split()[1] in ("Prepare", "Train", "Evaluate", "Screen", "Reconcile", "Judge"):
            assert alone == (name.split()[1] in ("Prepare", "Train")), name
    assert isolated["greenlight-training-employment Train"]


@pytest.mark.slow
def test_every_container_of_a_private_place_is_in_its_vpc(private: dict[str, Template]) -> None:
    found = list(containers(private))
    # A model has three training jobs, and in each environment an endpoint and two jobs of a batch; a team has a watch.
    assert len(found) == 9 * len(MODELS) + len(TEAMS)
    for name, described in found:
        config = described["VpcConfig"]
        assert len(config["Subnets"]) == 2, name
        assert len(config["SecurityGroupIds"]) == 1, name


@pytest.mark.slow
def test_a_private_vpc_has_no_way_out_and_no_public_address(private: dict[str, Template]) -> None:
    for place in PLACES:
        template = private[f"greenlight-{place}"]
        kinds = {resource["Type"].removeprefix("AWS::EC2::") for resource in template["Resources"].values()}
        assert not kinds & set(WAYS_OUT)
        subnets = resources(template, "AWS::EC2::Subnet")
        assert {subnet["Properties"]["MapPublicIpOnLaunch"] for subnet in subnets.values()} == {False}
        zones = [json.dumps(subnet["Properties"]["AvailabilityZone"]) for subnet in subnets.values()]
        assert len(set(zones)) == len(zones) == 2
        ranges = [ipaddress.IPv4Network(subnet["Properties"]["CidrBlock"]) for subnet in subnets.values()]
        assert not any(one.overlaps(other) for one, other in combinations(ranges, 2))
        routed = resources(template, "AWS::EC2::SubnetRouteTableAssociation").values()
        assert {each["Properties"]["SubnetId"]["Fn::GetAtt"][0] for each in routed} == set(subnets)


def called(*templates: Template) -> set[str]:
    """The services that the programs under SageMaker's roles call, by the rights that they have."""
    found = set()
    for template in templates:
        for policy in resources(template, "AWS::IAM::Policy").values():
            (role,) = policy["Properties"]["Roles"]
            trust = template["Resources"][role["Ref"]]["Properties"]["AssumeRolePolicyDocument"]
            if "sagemaker.amazonaws.com" in json.dumps(trust):
                for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                    actions = statement["Action"]
                    found |= set([actions] if isinstance(actions, str) else actions)
    # These metrics SageMaker writes; the watch's own have another namespace, and come with what it reads.
    calls = {
        action for action in found - {f"kms:{each}" for each in OF_BUCKETS} if not action.startswith(BY_SAGEMAKER)
    } - {"cloudwatch:PutMetricData"}
    return {NETWORK_ENDPOINTS[action.partition(":")[0]] for action in calls}


@pytest.mark.slow
def test_there_are_endpoints_of_the_services_that_are_called_and_no_others(private: dict[str, Template]) -> None:
    watch = private["greenlight-watch-production"]
    for place in PLACES:
        template = private[f"greenlight-{place}"]
        found = [each["Properties"] for each in resources(template, "AWS::EC2::VPCEndpoint").values()]
        by_kind: dict[str, set[str]] = {"Gateway": set(), "Interface": set()}
        for each in found:
            by_kind[each["VpcEndpointType"]].add(each["ServiceName"].removeprefix("com.amazonaws.eu-west-1."))
        assert by_kind["Gateway"] == {"s3"}
        assert by_kind["Interface"] == called(template, *([watch] if place == "production" else [])), place


@pytest.mark.slow
def test_the_endpoints_serve_the_account_alone_and_s3_its_buckets_alone(private: dict[str, Template]) -> None:
    for place in PLACES:
        for endpoint in resources(private[f"greenlight-{place}"], "AWS::EC2::VPCEndpoint").values():
            properties = endpoint["Properties"]
            ours, *others = properties["PolicyDocument"]["Statement"]
            assert ours["Condition"] == {"StringEquals": {"aws:PrincipalAccount": "111122223333"}}
            if properties["VpcEndpointType"] == "Interface":
                assert not others
                assert properties["PrivateDnsEnabled"] is True
                continue
            (layers,) = others
            assert "prod-eu-west-1-starport-layer-bucket/*" in json.dumps(layers["Resource"])
            assert layers["Action"] == "s3:GetObject"
            named = json.dumps(ours["Resource"])
            assert "*" not in ours["Resource"]
            assert ("Records" in named or "records" in named) == (place != "tooling")
            assert ("Data" in named) == (place != "staging")


@pytest.mark.slow
def test_nothing_gets_in_but_jobs_to_endpoints_and_the_instances_of_a_job_to_each_other(
    private: dict[str, Template],
) -> None:
    for place in PLACES:
        groups = resources(private[f"greenlight-{place}"], "AWS::EC2::SecurityGroup")
        (jobs_group,) = [name for name in groups if "Jobs" in name]
        for name, group in groups.items():
            for rule in group["Properties"]["SecurityGroupIngress"]:
                if name == jobs_group:
                    assert rule["CidrIp"] == "10.64.0.0/20"
                    assert (rule["IpProtocol"], rule.get("FromPort")) in (("udp", 500), ("50", None))
                else:
                    assert rule["SourceSecurityGroupId"] == {"Fn::GetAtt": [jobs_group, "GroupId"]}
                    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
            open_to_all = [each for each in group["Properties"]["SecurityGroupEgress"] if each["CidrIp"] == "0.0.0.0/0"]
            assert [each["ToPort"] for each in open_to_all] == ([443] if name == jobs_group else [])


def attaching(template: Template) -> Iterator[dict[str, Any]]:
    for policy in resources(template, "AWS::IAM::Policy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if "ec2:" in json.dumps(statement["Action"]):
                yield statement


@pytest.mark.slow
def test_roles_may_attach_to_their_own_subnets_only(private: dict[str, Template]) -> None:
    for stack in (*(f"greenlight-{place}" for place in PLACES), "greenlight-watch-production"):
        found = list(attaching(private[stack]))
        assert found, stack
        for statement in found:
            actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            of_ec2 = {action for action in actions if action.startswith("ec2:")}
            if statement["Resource"] == "*":
                assert all(action.startswith("ec2:Describe") for action in of_ec2)
            elif of_ec2 == {"ec2:CreateNetworkInterface"}:
                assert "subnet/*" not in json.dumps(statement)
                assert "security-group/*" not in json.dumps(statement)
            else:
                assert len(statement["Condition"]["StringEquals"]["ec2:Subnet"]) == 2


@pytest.mark.slow
def test_connections_are_written_to_a_log_that_ends_under_the_places_key(private: dict[str, Template]) -> None:
    template = private["greenlight-production"]
    flow = only(template, "AWS::EC2::FlowLog")["Properties"]
    assert flow["TrafficType"] == "ALL"
    group = template["Resources"][flow["LogGroupName"]["Ref"]]["Properties"]
    assert group["RetentionInDays"] == 365
    (key,) = resources(template, "AWS::KMS::Key")
    assert group["KmsKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    allowed = json.dumps(template["Resources"][key]["Properties"]["KeyPolicy"])
    assert "logs.eu-west-1.amazonaws.com" in allowed
    assert "log-group:/aws/vpc/greenlight-production" in allowed


@pytest.mark.slow
def test_synth_asks_the_account_for_nothing_and_makes_no_function(
    private_assembly: Path, private: dict[str, Template]
) -> None:
    assert "missing" not in json.loads((private_assembly / "manifest.json").read_text())
    assert not any(resources(template, "AWS::Lambda::Function") for template in private.values())


@pytest.mark.slow
def test_the_templates_of_a_private_project_are_valid(private_assembly: Path) -> None:
    engine = RegoEngine()
    for file in sorted(private_assembly.glob("*.template.json")):
        report = engine.validate_template(str(file))
        errors = [each for each in report.diagnostics if each.severity in (Severity.ERROR, Severity.FATAL)]
        assert not errors, (file.name, errors)


@pytest.mark.slow
def test_builds_of_a_private_place_keep_the_way_to_their_packages(private: dict[str, Template]) -> None:
    for project in resources(private["greenlight-delivery"], "AWS::CodeBuild::Project").values():
        assert "VpcConfig" not in project["Properties"]


@pytest.mark.slow
def test_zones_and_addresses_are_those_of_project_yaml_and_flow_logs_can_be_off(tmp_path: Path) -> None:
    zones = [f"eu-west-1{letter}" for letter in "abc"]
    settings = {"kind": "private", "cidr": "172.20.0.0/22", "zones": zones, "flow_logs": False}
    root = private_fork(tmp_path, "public", staging=settings)
    template = templates_of(synthesize(tmp_path / "out", root))["greenlight-staging"]
    subnets = [subnet["Properties"] for subnet in resources(template, "AWS::EC2::Subnet").values()]
    assert [subnet["AvailabilityZone"] for subnet in subnets] == zones
    assert [subnet["CidrBlock"] for subnet in subnets] == ["172.20.0.0/24", "172.20.1.0/24", "172.20.2.0/24"]
    assert not resources(template, "AWS::EC2::FlowLog")


@pytest.mark.parametrize("instances", [1, 2])
def test_what_instances_of_a_job_say_to_each_other_is_encrypted(instances: int) -> None:
    batch = replace(JOBS, fleet=Fleet(instances=instances), vpc_config=VPC)
    for network in (batch.screen()["NetworkConfig"], jobs.network(VPC, instances)["NetworkConfig"]):
        assert isinstance(network, dict)
        assert network.get("EnableInterContainerTrafficEncryption", False) == (instances > 1)
    assert "NetworkConfig" not in replace(batch, vpc_config=None).screen()
