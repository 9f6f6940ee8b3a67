"""An action that is taken from a role's policies is missed when the stacks run, not only by who reads them."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from local_aws.permissions.landmarks import construct_paths
from tests.iam.question import PROJECT
from tests.iam.use.mutations import without
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.test_watch_stack import deploy, physical

pytestmark = pytest.mark.slow
TEAM = next(iter(PROJECT.teams))
PARTS = ("tooling", "production", "watch-production")
Client = Callable[[str], Any]


@dataclass(frozen=True)
class World:
    """The stacks, deployed as they are synthesized, and the names of their buckets and keys."""

    account: Account
    assembly: Path
    stacks: Stacks

    def bucket(self, part: str, word: str) -> str:
        return physical(self.stacks, self.assembly, part, "AWS::S3::Bucket", word)

    def role(self, path: str) -> tuple[str, str]:
        """Part and logical id of a role, by its construct."""
        tree = json.loads((self.assembly / "tree.json").read_text())["tree"]
        stack, logical = next(where for where, each in construct_paths(tree).items() if each == path)
        return stack.removeprefix(f"{PROJECT.name}-"), logical

    def client(self, path: str) -> Client:
        """Clients that act as SageMaker does under a role."""
        part, logical = self.role(path)
        name = self.stacks.resource(f"{PROJECT.name}-{part}", logical)
        arn = f"arn:aws:iam::{self.account.settings.account}:role/{name}"
        return lambda service: self.account.client(service, arn, service_principal="sagemaker.amazonaws.com")

    @contextmanager
    def lacking(self, path: str, action: str) -> Iterator[None]:
        """The role lacks an action (`*`) for the block."""
        part, logical = self.role(path)
        name = f"{PROJECT.name}-{part}"
        template = json.loads((self.assembly / f"{name}.template.json").read_text())
        for resource in template["Resources"].values():
            given = resource.get("Properties", {})
            if resource["Type"] == "AWS::IAM::Policy" and {"Ref": logical} in given["Roles"]:
                for text in {each for each in _actions(given["PolicyDocument"]) if fnmatch.fnmatchcase(each, action)}:
                    given["PolicyDocument"] = {**given["PolicyDocument"], **without(given["PolicyDocument"], text)}
        sections = {key: value for key, value in template.items() if key[0].isupper() and key != "Resources"}
        assert self.stacks.deploy(name, template["Resources"], **sections) == "UPDATE_COMPLETE"
        try:
            yield
        finally:
            deploy(self.stacks, self.assembly, part)


def _actions(document: dict[str, Any]) -> set[str]:
    found = [statement["Action"] for statement in document["Statement"]]
    return {each for action in found for each in ([action] if isinstance(action, str) else action)}


@pytest.fixture(scope="module")
def world(account: Account, assembly: Path) -> World:
    stacks = Stacks(account)
    version = {"Name": "/cdk-bootstrap/hnb659fds/version", "Value": "30", "Type": "String"}
    account.client("ssm").put_parameter(**version, Overwrite=True)
    for part in PARTS:
        deploy(stacks, assembly, part)
    made = World(account, assembly, stacks)
    rows = {"Bucket": made.bucket("tooling", "Data"), "Key": f"{TEAM}/rows.csv"}
    account.client("s3").put_object(**rows, Body=b"1")
    return made


def read_data(world: World, client: Client) -> None:
    client("s3").get_object(Bucket=world.bucket("tooling", "Data"), Key=f"{TEAM}/rows.csv")


def write_model(world: World, client: Client) -> None:
    client("s3").put_object(Bucket=world.bucket("tooling", "Artifacts"), Key=f"{TEAM}/m/model.tar.gz", Body=b"1")


def capture(world: World, client: Client) -> None:
    client("s3").put_object(Bucket=world.bucket("production", "Records"), Key=f"capture/{TEAM}/e/1.jsonl", Body=b"1")


def log_in(_: World, client: Client) -> None:
    client("ecr").get_authorization_token()


def write_log(_: World, client: Client) -> None:
    logs = client("logs")
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName="/aws/sagemaker/ProcessingJobs")


def tell(_: World, client: Client) -> None:
    entry = {"Source": f"{PROJECT.name}.watch", "DetailType": "Model Light Changed", "Detail": "{}"}
    client("events").put_events(Entries=[entry])


JOB, SERVING, WATCH = (
    f"{PROJECT.name}-tooling/{TEAM}/Job",
    f"{PROJECT.name}-production/{TEAM}/Serving",
    f"{PROJECT.name}-watch-production/{TEAM}/Watch",
)


@pytest.mark.parametrize(
    ("role", "action", "call"),
    [
        (JOB, "s3:GetObject*", read_data),
        (JOB, "s3:PutObject", write_model),
        (JOB, "kms:Decrypt", read_data),
        (SERVING, "kms:GenerateDataKey*", capture),
        (SERVING, "ecr:GetAuthorizationToken", log_in),
        (SERVING, "logs:CreateLogGroup", write_log),
        (WATCH, "events:PutEvents", tell),
    ],
)
def test_what_a_removed_action_was_for_fails_on_the_local_aws(
    world: World, role: str, action: str, call: Callable[[World, Client], None]
) -> None:
    call(world, world.client(role))
    with world.lacking(role, action), pytest.raises(ClientError) as refused:
        call(world, world.client(role))
    said = str(refused.value)
    assert "AccessDenied" in said
    assert re.search(rf"perform: {re.escape(action.rstrip('*'))}\w*", said), said
    call(world, world.client(role))
