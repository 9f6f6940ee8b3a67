import gc
import os
import subprocess
import sys

from local_aws.account import Account
from tests.local_aws.delivery import allow, role

PROGRAM = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"


def test_a_child_process_needs_nothing_but_its_variables(account: Account) -> None:
    arn = role(account, "codebuild", allow("sts:GetCallerIdentity"))
    variables = account.environment(arn, service_principal="codebuild.amazonaws.com", session="build")
    child = {"PATH": os.environ["PATH"], **variables}
    output = subprocess.run([sys.executable, "-c", PROGRAM], env=child, capture_output=True, text=True, check=True)
    assert output.stdout.strip() == f"arn:aws:sts::123456789012:assumed-role/{arn.rpartition('/')[2]}/build"


def test_nothing_of_a_real_account_reaches_a_child_process(account: Account) -> None:
    variables = account.environment()
    assert variables["AWS_ENDPOINT_URL"] == account.url
    assert variables["AWS_CONFIG_FILE"] == variables["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"
    assert "127.0.0.1" in variables["NO_PROXY"]
    assert variables["CDK_HOME"].startswith(str(account.settings.home))
    assert "AWS_SESSION_TOKEN" not in variables
    assert "AWS_PROFILE" not in os.environ


def test_what_describes_a_service_is_left_out_of_garbage_collections(account: Account) -> None:
    before = gc.get_freeze_count()
    account.client("quicksight")  # large, and asked for by nobody else
    assert gc.get_freeze_count() > before + 10_000
    gc.collect()  # what was freed meanwhile is counted out
    frozen = gc.get_freeze_count()
    account.client("quicksight", role(account, "codebuild"), service_principal="codebuild.amazonaws.com")
    assert gc.get_freeze_count() <= frozen
