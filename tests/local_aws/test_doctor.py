"""`make doctor` against an account: each thing that can be missing is told with what to do, and nothing is changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from local_aws.account import Account
from local_aws.quotas import ServiceQuotas
from local_aws.sources import CodeConnections
from pipelines.by_hand.doctor.accounts import BOOTSTRAP
from pipelines.by_hand.doctor.needs import BUILDS, TOTALS
from tests.local_aws.delivery import allow, role, unique
from tests.local_aws.sagemaker.stage import Stage
from tests.pipelines.tables import model

READ = (
    "cloudformation:DescribeStackResources",
    "cloudformation:DescribeStacks",
    "codecommit:GetRepository",
    "codeconnections:GetConnection",
    "ecr:DescribeRepositories",
    "iam:GetRole",
    "s3:GetBucketVersioning",
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:ListEndpoints",
    "servicequotas:ListAWSDefaultServiceQuotas",
    "servicequotas:ListServiceQuotas",
    "ssm:GetParameter",
    "sts:GetCallerIdentity",
)
ENDPOINT = "ml.r7i.xlarge for endpoint usage"
HOSTING = {"kind": "dedicated", "instance": "ml.r7i.xlarge", "instances": 2}


@dataclass
class Checkout:
    """A project with one model, and what doctor says of it under a role that may only read."""

    account: Account
    root: Path
    role: str
    name: str

    def write(self, **project: Any) -> None:
        whole = {"name": self.name, "source": {"kind": "s3"}, "teams": {"post": {"owners": ["a@example.com"]}}}
        (self.root / "project.yaml").write_text(yaml.safe_dump(whole | project))

    def doctor(self, where: str = "all", role: str = "") -> tuple[int, list[str]]:
        here = self.account.settings.checkout
        environment = self.account.environment(role or self.role, service_principal="codebuild.amazonaws.com")
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.by_hand.doctor", where],
            cwd=self.root,
            env=os.environ | environment | {"PYTHONPATH": str(here)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.stderr
        return done.returncode, done.stdout.splitlines()

    def says(self, state: str, words: str, where: str = "all", role: str = "") -> str:
        """The one line of that state that has these words."""
        _, lines = self.doctor(where, role)
        found = [line for line in lines if line.startswith(f"{state} ") and words in line]
        assert len(found) == 1, lines
        return found[0]

    @property
    def quotas(self) -> ServiceQuotas:
        return cast("ServiceQuotas", self.account.services["servicequotas"])


@pytest.fixture
def checkout(account: Account, tmp_path: Path) -> Iterator[Checkout]:
    for name in ("package.json", "pyproject.toml"):
        (tmp_path / name).write_bytes((account.settings.checkout / name).read_bytes())
    (tmp_path / "cdk.out").mkdir()
    stack = {"type": "aws:cloudformation:stack", "properties": {"requiresBootstrapStackVersion": 6}}
    (tmp_path / "cdk.out/manifest.json").write_text(json.dumps({"artifacts": {"tooling": stack}}))
    folder = tmp_path / "model_code/parcels"
    folder.mkdir(parents=True)
    described = model(hosting=HOSTING).model_dump(mode="json", exclude_unset=True, exclude={"name"})
    (folder / "model.yaml").write_text(yaml.safe_dump(described))
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    found = Checkout(account, tmp_path, role(account, "codebuild", allow(*READ)), unique("shop"))
    found.write()
    ssm = account.client("ssm")
    before = ssm.get_parameters(Names=[BOOTSTRAP])["Parameters"]  # other tests may have bootstrapped the account
    ssm.put_parameter(Name=BOOTSTRAP, Value="30", Type="String", Overwrite=True)
    yield found
    if before:
        ssm.put_parameter(Name=BOOTSTRAP, Value=before[0]["Value"], Type="String", Overwrite=True)
    else:
        ssm.delete_parameters(Names=[BOOTSTRAP])
    for service in ("sagemaker", "codebuild"):
        found.quotas.give(service)


def test_an_account_that_has_all_fails_nothing_and_is_only_read(checkout: Checkout) -> None:
    # More than all endpoints have that other tests left running in this account.
    checkout.quotas.give("sagemaker", **dict.fromkeys((ENDPOINT, *TOTALS.values()), 10_000.0))
    checkout.quotas.give("codebuild", **{BUILDS: 10.0})
    subprocess.run(["git", "add", "--all"], cwd=checkout.root, check=True)
    person = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *person, "commit", "--quiet", "-m", "First"], cwd=checkout.root, check=True)
    code, lines = checkout.doctor()
    assert code == 0, lines
    said = "\n".join(lines)
    assert "ok       credentials of account 123456789012: arn:aws:sts::123456789012:assumed-role/" in said
    assert "ok       bootstrap version 30; the templates need 6" in said
    assert f"ok       quota '{ENDPOINT}' is 10000; the project asks for 8" in said
    assert "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint comes with the first endpoint" in said
    assert "ok       the bucket of the source comes with the first deployment" in said
    assert "ok       the image repository comes with the first deployment" in said
    assert "AccessDenied" not in said  # a role that may only read is enough


def test_without_bootstrap_it_says_how(checkout: Checkout) -> None:
    ssm = checkout.account.client("ssm")
    ssm.put_parameter(Name=BOOTSTRAP, Value="5", Type="String", Overwrite=True)
    said = checkout.says("failed", "the bootstrap version is 5; the templates need 6")
    assert said.endswith("-> run: make bootstrap")
    ssm.delete_parameter(Name=BOOTSTRAP)
    assert checkout.says("failed", "not prepared for the CDK").endswith("-> run: make bootstrap")
    assert checkout.doctor()[0] == 1


def test_a_bootstrap_version_cannot_be_judged_before_a_synthesis(checkout: Checkout) -> None:
    (checkout.root / "cdk.out/manifest.json").unlink()
    assert "it is 30; what is needed is not known. -> run: make synth" in checkout.says("warning", "bootstrap version")


def test_quotas_that_nobody_lists_are_not_taken_for_good(checkout: Checkout) -> None:
    assert "Service Quotas lists none of them here" in checkout.says("warning", "quotas of sagemaker")
    checkout.quotas.give("sagemaker", **{TOTALS["endpoint"]: 100.0})
    assert "Service Quotas lists none in us-east-1" in checkout.says("warning", ENDPOINT)


def test_a_quota_that_is_too_small_fails_with_the_command_that_raises_it(checkout: Checkout) -> None:
    checkout.quotas.give("sagemaker", **{ENDPOINT: 7.0})
    said = checkout.says("failed", f"quota '{ENDPOINT}' is 7; the project asks for 8")
    assert "aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code L-" in said
    assert said.endswith("--desired-value 8 --region us-east-1")


def test_one_environment_needs_what_all_in_its_account_need(checkout: Checkout) -> None:
    checkout.quotas.give("sagemaker", **{ENDPOINT: 7.0, "ml.m5.large for training job usage": 0.0})
    said = checkout.says("failed", ENDPOINT, "production")
    assert "the project asks for 8" in said
    _, lines = checkout.doctor("production")
    assert not any("training job" in line for line in lines)


def test_what_others_have_running_is_subtracted(checkout: Checkout) -> None:
    stage = Stage(checkout.account)
    variant = stage.variant(stage.model(), InstanceType="ml.r7i.xlarge", InitialInstanceCount=3)
    endpoint = stage.endpoint(stage.config(variant))
    checkout.quotas.give("sagemaker", **{ENDPOINT: 10.0})
    try:
        said = checkout.says("failed", f"'{ENDPOINT}' is 10, of which others use 3; the project asks for 8")
        assert "--desired-value 11 " in said
    finally:
        stage.sagemaker.delete_endpoint(EndpointName=endpoint)


def test_an_endpoint_of_others_whose_config_is_deleted_is_not_counted_and_said(checkout: Checkout) -> None:
    stage = Stage(checkout.account)
    config = stage.config(stage.variant(stage.model()))
    endpoint = stage.endpoint(config)
    stage.sagemaker.delete_endpoint_config(EndpointConfigName=config)
    checkout.quotas.give("sagemaker", **{ENDPOINT: 100.0})
    try:
        checkout.says("warning", "deleted -> count them by hand")
        checkout.says("ok", f"quota '{ENDPOINT}' is 100")
    finally:
        stage.sagemaker.delete_endpoint(EndpointName=endpoint)


def test_a_connection_must_be_confirmed(checkout: Checkout) -> None:
    service = checkout.account.services["codeconnections"]
    made = checkout.account.client("codeconnections").create_connection(
        ConnectionName=unique("git"), ProviderType="GitHub"
    )["ConnectionArn"]
    checkout.write(source={"kind": "codeconnections", "connection": made, "repository": "octo-org/models"})
    said = checkout.says("failed", "the connection to the git host is PENDING", "tooling")
    assert "confirm it in the console" in said
    cast("CodeConnections", service).confirm(made)
    checkout.says("ok", "the connection to the git host is AVAILABLE", "tooling")


def test_a_repository_must_exist(checkout: Checkout) -> None:
    name = unique("models")
    checkout.write(source={"kind": "codecommit", "repository": name})
    said = checkout.says("failed", f"the CodeCommit repository {name} does not exist")
    assert f"aws codecommit create-repository --repository-name {name}" in said
    checkout.account.client("codecommit").create_repository(repositoryName=name)
    checkout.says("ok", f"the CodeCommit repository {name} is there")


def test_credentials_of_another_account_fail_where_one_environment_is_asked_about(checkout: Checkout) -> None:
    own, other = {"account": "123456789012", "region": "us-east-1"}, {"account": "999988887777", "region": "us-east-1"}
    checkout.write(tooling=own, staging=own, production=other)
    said = checkout.says(
        "failed", "project.yaml names account 999988887777, the credentials are of 123456789012", "production"
    )
    assert said.endswith("-> sign in to 999988887777, then: make doctor ENV=production")
    said = checkout.says("warning", "names account 999988887777")
    assert "not checked: production in us-east-1, account 999988887777" in said


def test_the_bootstrap_roles_must_trust_the_tooling_account(checkout: Checkout) -> None:
    own, other = {"account": "123456789012", "region": "eu-west-1"}, {"account": "999988887777", "region": "eu-west-1"}
    checkout.write(tooling=other, staging=own, production=own)
    iam, name = checkout.account.client("iam"), "cdk-hnb659fds-deploy-role-123456789012-eu-west-1"

    def trusting(*accounts: str) -> str:
        principals = {"AWS": [f"arn:aws:iam::{each}:root" for each in accounts]}
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principals}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting("123456789012"))
    try:
        assert "--trust 999988887777" in checkout.says("failed", "does not trust the tooling account", "production")
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trusting("123456789012", "999988887777"))
        checkout.says("ok", "the bootstrap roles trust the tooling account 999988887777", "production")
    finally:
        iam.delete_role(RoleName=name)


def test_what_may_not_be_read_is_not_checked_and_the_rest_is(checkout: Checkout) -> None:
    narrow = role(checkout.account, "codebuild", allow("sts:GetCallerIdentity", "ssm:GetParameter"))
    said = checkout.says("warning", "not checked: Service Quotas", role=narrow)
    assert "-> sign in with a role that may read this" in said
    checkout.says("ok", "bootstrap version 30", role=narrow)


def test_what_is_deployed_already_is_looked_at(checkout: Checkout) -> None:
    versioned = {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}
    scanned = {"Type": "AWS::ECR::Repository", "Properties": {"ImageScanningConfiguration": {"ScanOnPush": True}}}
    template = {
        "Resources": {"Bucket": versioned, "Images": scanned},
        "Outputs": {"ArtifactsBucketName": {"Value": {"Ref": "Bucket"}}},
    }
    cloudformation = checkout.account.client("cloudformation")
    cloudformation.create_stack(StackName=f"{checkout.name}-tooling", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=f"{checkout.name}-tooling", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    checkout.says("ok", "is there and keeps versions")
    checkout.says("ok", "is there, and scans what is pushed")
