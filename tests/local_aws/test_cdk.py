"""The CDK CLI works against the local AWS as it is."""

import os
import subprocess
from pathlib import Path

import pytest
from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets

from local_aws.account import Account
from tests.local_aws.delivery import unique


def cdk(account: Account, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **account.environment()}
    command = ["cdk", *arguments, "--no-notices", "--progress", "events"]
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, cwd=account.settings.home
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


@pytest.fixture
def assembly(tmp_path: Path) -> tuple[str, str]:
    """A synthesized stack with a file asset: its name and folder."""
    name, folder = unique("Stack"), tmp_path / "cdk.out"
    app = App(outdir=str(folder))
    stack = Stack(app, name)
    s3.Bucket(stack, "Bucket", removal_policy=RemovalPolicy.DESTROY, enforce_ssl=True)
    (tmp_path / "file.txt").write_text("content")
    assets.Asset(stack, "Asset", path=str(tmp_path / "file.txt"))
    app.synth()
    return name, str(folder)


def test_bootstrap_deploy_and_destroy(account: Account, assembly: tuple[str, str]) -> None:
    name, folder = assembly
    # Other tests let templates find a bootstrap that never was.
    account.client("ssm").delete_parameters(Names=["/cdk-bootstrap/hnb659fds/version"])
    cdk(account, "bootstrap", "aws://123456789012/us-east-1")
    cdk(account, "deploy", "--app", folder, "--require-approval", "never", "--method", "direct")
    stacks = account.client("cloudformation")
    assert stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    objects = account.client("s3").list_objects_v2(Bucket="cdk-hnb659fds-assets-123456789012-us-east-1")["Contents"]
    assert any(item["Size"] == len("content") for item in objects)
    account.journal.flush()
    assert not [denial for denial in account.journal.denials if "cdk-hnb659fds" in denial.caller]
    cdk(account, "destroy", "--app", folder, "--force")
    with pytest.raises(stacks.exceptions.ClientError, match="does not exist"):
        stacks.describe_stacks(StackName=name)
