"""A place that is put into a VPC which somebody else has made."""

from __future__ import annotations

import json

import pytest

from tests.stacks.private import containers, private_fork
from tests.synthesis import Template, resources, synthesize, templates_of

EXISTING = {
    "kind": "existing",
    "vpc": "vpc-0123456789abcdef0",
    "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "security_groups": ["sg-0123456789abcdef0"],
}
NAMED = {"SecurityGroupIds": EXISTING["security_groups"], "Subnets": EXISTING["subnets"]}


@pytest.fixture(scope="module")
def existing(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    folder = tmp_path_factory.mktemp("existing")
    return templates_of(
        synthesize(folder / "out", private_fork(folder, EXISTING, tooling={**EXISTING, "builds": True}))
    )


@pytest.mark.slow
def test_a_vpc_that_exists_is_used_and_nothing_is_made(existing: dict[str, Template]) -> None:
    found = [described["VpcConfig"] for _, described in containers(existing)]
    assert found
    assert all(config == NAMED for config in found)
    assert not any(
        resource["Type"].startswith("AWS::EC2::")
        for each in existing.values()
        for resource in each["Resources"].values()
    )


@pytest.mark.slow
def test_builds_run_there_where_it_says_so_and_have_the_rights_first(existing: dict[str, Template]) -> None:
    template = existing["greenlight-delivery"]
    projects = resources(template, "AWS::CodeBuild::Project")
    assert projects
    for project in projects.values():
        assert project["Properties"]["VpcConfig"] == {**NAMED, "VpcId": EXISTING["vpc"]}
        first = [name for name in project["DependsOn"] if "ec2:" in json.dumps(template["Resources"][name])]
        (policy,) = [name for name in first if template["Resources"][name]["Type"] == "AWS::IAM::Policy"]
        permitting = [
            each
            for each in template["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"]
            if each["Action"] == "ec2:CreateNetworkInterfacePermission"
        ]
        (condition,) = [each["Condition"]["StringEquals"] for each in permitting]
        assert condition["ec2:AuthorizedService"] == "codebuild.amazonaws.com"
        assert all("subnet-0123456789abcdef" in json.dumps(each) for each in condition["ec2:Subnet"])
