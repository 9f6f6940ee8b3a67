"""A project whose places are private, on the local AWS: its VPC is not enforced, what its roles may do with it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.delivery import role, unique
from tests.local_aws.sagemaker.programs import SERVER
from tests.local_aws.sagemaker.stage import DATA, LOGS, PULL, Stage
from tests.stacks.private import private_fork
from tests.synthesis import synthesize

PROJECT, MODEL, TEAM = "hidden", "employment", "labour"
SERVING = f"{PROJECT}-serving-{MODEL}-production"


class Deployed(NamedTuple):
    """The stacks of the private project, as far as they are deployed."""

    stacks: Stacks
    assembly: Path
    stage: Stage

    def template(self, name: str) -> dict[str, Any]:
        return json.loads((self.assembly / f"{name}.template.json").read_text())

    def deploy(self, name: str, **parameters: str) -> None:
        template = self.template(name)
        sections = {key: value for key, value in template.items() if key[0].isupper() and key != "Resources"}
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        status = self.stacks.deploy(name, template["Resources"], **sections, parameters=given)
        assert status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), self.stacks.failures(name)

    def physical(self, name: str, kind: str, word: str = "") -> list[str]:
        """What the resources of a kind are called in the account whose logical names hold a word."""
        found = self.template(name)["Resources"].items()
        return [self.stacks.resource(name, each) for each, made in found if made["Type"] == kind and word in each]

    def vpc_config(self, place: str) -> dict[str, list[str]]:
        stack = f"{PROJECT}-{place}"
        return {
            "SecurityGroupIds": self.physical(stack, "AWS::EC2::SecurityGroup", "Jobs"),
            "Subnets": self.physical(stack, "AWS::EC2::Subnet"),
        }

    def role(self, place: str, word: str) -> str:
        (name,) = self.physical(f"{PROJECT}-{place}", "AWS::IAM::Role", f"{TEAM}{word}")
        return f"arn:aws:iam::123456789012:role/{name}"


@pytest.fixture(scope="module")
def deployed(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("hidden")
    assembly = synthesize(folder / "out", private_fork(folder, name=PROJECT))
    version = {"Name": "/cdk-bootstrap/hnb659fds/version", "Value": "30", "Type": "String"}
    account.client("ssm").put_parameter(**version, Overwrite=True)
    found = Deployed(Stacks(account), assembly, Stage(account))
    for place in ("tooling", "production"):
        found.deploy(f"{PROJECT}-{place}")
    yield found
    for stack in (SERVING, *(f"{PROJECT}-{place}" for place in ("production", "tooling"))):
        found.stacks.delete(stack)


@pytest.mark.slow
def test_an_endpoint_of_a_private_place_serves_and_says_where_it_is(account: Account, deployed: Deployed) -> None:
    stage, sagemaker = deployed.stage, account.client("sagemaker")
    (artifacts,) = deployed.physical(f"{PROJECT}-tooling", "AWS::S3::Bucket", "Artifacts")
    (repository,) = deployed.physical(f"{PROJECT}-tooling", "AWS::ECR::Repository")
    key = f"{TEAM}/{MODEL}/model.tar.gz"
    stage.s3.put_object(Bucket=artifacts, Key=key, Body=stage.get(stage.artifact()))
    group = unique(PROJECT)
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    container = {
        "Image": stage.image("server", {"server.py": SERVER}, repository),
        "ModelDataUrl": f"s3://{artifacts}/{key}",
    }
    types = ["text/csv"]
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": types,
            "SupportedResponseMIMETypes": types,
        },
    )["ModelPackageArn"]

    deployed.deploy(SERVING, Package=package, Rollout="at-once")

    endpoint = sagemaker.describe_endpoint(EndpointName=f"{PROJECT}-{MODEL}-production")
    assert endpoint["EndpointStatus"] == "InService"
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    (variant,) = config["ProductionVariants"]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    assert model["VpcConfig"] == deployed.vpc_config("production")
    assert model["EnableNetworkIsolation"] is True
    said = "\n".join(account.not_rehearsed)
    assert "The VPC of a model is not rehearsed" in said
    assert "Flow logs are not rehearsed" in said


def process(deployed: Deployed, image: str, role: str, vpc_config: dict[str, list[str]]) -> str:
    name = unique("processing")
    deployed.stage.sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=role,
        AppSpecification={"ImageUri": image},
        ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
        NetworkConfig={"EnableNetworkIsolation": True, "VpcConfig": vpc_config},
    )
    return name


@pytest.mark.slow
def test_the_role_of_a_job_is_asked_whether_it_may_be_put_there(account: Account, deployed: Deployed) -> None:
    stage, vpc_config = deployed.stage, deployed.vpc_config("tooling")
    (repository,) = deployed.physical(f"{PROJECT}-tooling", "AWS::ECR::Repository")
    image = stage.image("job", {"process.py": "print('here')"}, repository, tag="job")

    ended = stage.ended("Processing", process(deployed, image, deployed.role("tooling", "Job"), vpc_config))

    assert ended["ProcessingJobStatus"] == "Completed", ended
    assert ended["NetworkConfig"]["VpcConfig"] == vpc_config

    without = role(account, "sagemaker", PULL, LOGS, DATA)
    with pytest.raises(ClientError, match="not authorized to perform: ec2:DescribeSubnets"):
        process(deployed, stage.processor, without, vpc_config)
    with pytest.raises(ClientError, match=r"cannot attach a processing job to the VPC.*ec2:CreateNetworkInterface"):
        process(deployed, image, deployed.role("tooling", "Job"), deployed.vpc_config("production"))
    both = {**vpc_config, "Subnets": [*vpc_config["Subnets"], *deployed.vpc_config("production")["Subnets"]]}
    with pytest.raises(ClientError, match="must be of the same VPC"):
        process(deployed, image, deployed.role("tooling", "Job"), both)


@pytest.mark.slow
def test_the_vpc_has_no_way_out_and_its_connections_would_be_written_down(account: Account, deployed: Deployed) -> None:
    ec2 = account.client("ec2")
    (vpc,) = deployed.physical(f"{PROJECT}-production", "AWS::EC2::VPC")
    of_it = [{"Name": "vpc-id", "Values": [vpc]}]
    assert not ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])[
        "InternetGateways"
    ]
    subnets = ec2.describe_subnets(Filters=of_it)["Subnets"]
    assert len({each["AvailabilityZone"] for each in subnets}) == 2
    (flows,) = ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc]}])["FlowLogs"]
    assert flows["FlowLogId"].startswith("fl-")
