"""A real `git push` into the repository of the local AWS, and what the platform pipeline then takes."""

from __future__ import annotations

import json
import subprocess
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from local_aws.errors import StartError
from local_aws.git_remote import open_remote
from local_aws.settings import Settings
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.codepipeline.conftest import Delivery, build, delivery, stage
from tests.local_aws.delivery import allow, eventually, role, unique

__all__ = ["delivery"]
KEY = "source/source.zip"
FOREIGN = {"AWS_PROFILE": "real", "AWS_ACCESS_KEY_ID": "real", "AWS_SESSION_TOKEN": "real", "PYTHONPATH": "/nowhere"}


def git(folder: Path, *arguments: str) -> str:
    """What git says, to people too."""
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.com"]
    done = subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder.parent), **FOREIGN},
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout.strip()


def checkout(folder: Path, name: str) -> Path:
    """A repository with a project of that name."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    teams = {"team": {"owners": ["a@example.com"]}}
    (folder / "project.yaml").write_text(json.dumps({"name": name, "source": {"kind": "s3"}, "teams": teams}))
    commit(folder, "First")
    return folder


def commit(folder: Path, text: str) -> str:
    (folder / "README").write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", text)
    return git(folder, "rev-parse", "HEAD")


@dataclass
class Host:
    """A checkout whose remote `local` is the local AWS, which has a small platform pipeline where it is asked for."""

    delivery: Delivery
    settings: Settings
    name: str

    def open(self) -> Path:
        """Makes the bare repository, as the start of `make local` does."""
        remote = open_remote(self.settings, self.delivery.account.environment())
        git(self.settings.checkout, "remote", "add", "local", str(remote))
        return remote

    def deploy(self) -> None:
        """A bucket, and a pipeline that an object in it starts."""
        account = self.delivery.account
        events = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
        made = {
            "Type": "AWS::S3::Bucket",
            "Properties": {"VersioningConfiguration": {"Status": "Enabled"}, "NotificationConfiguration": events},
        }
        outputs = {"ArtifactsBucketName": {"Value": {"Ref": "Bucket"}}}
        stacks = Stacks(account)
        assert stacks.deploy(f"{self.name}-tooling", {"Bucket": made}, Outputs=outputs) == "CREATE_COMPLETE"
        self.bucket = stacks.outputs(f"{self.name}-tooling")["ArtifactsBucketName"]
        self.pipeline = f"{self.name}-platform"
        source = self.delivery.source()
        source["actions"][0]["configuration"] |= {"S3Bucket": self.bucket, "S3ObjectKey": KEY}
        make = stage("Make", build("Make", self.delivery.project("true")))
        self.delivery.client.create_pipeline(pipeline=self.delivery.declaration(self.pipeline, make, source=source))
        self.delivery.ended(self.pipeline)  # there is no source yet
        arn = account.arn("codepipeline", self.pipeline)
        starts = role(account, "events", allow("codepipeline:StartPipelineExecution", resource=arn))
        pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [self.bucket]}, "object": {"key": [KEY]}}}
        account.client("events").put_rule(Name=self.pipeline, EventPattern=json.dumps(pattern))
        target = {"Id": "pipeline", "Arn": arn, "RoleArn": starts}
        account.client("events").put_targets(Rule=self.pipeline, Targets=[target])

    def delivered(self, folder: Path) -> Path:
        """What is in the bucket."""
        self.delivery.account.client("s3").download_file(self.bucket, KEY, str(folder / "source.zip"))
        with zipfile.ZipFile(folder / "source.zip") as archive:
            archive.extractall(folder / "source")
        return folder / "source"


@pytest.fixture
def host(delivery: Delivery, tmp_path: Path) -> Host:
    name = unique("shop")
    home = tmp_path / "home"
    home.mkdir()
    settings = replace(delivery.account.settings, home=home, checkout=checkout(tmp_path / "checkout", name))
    return Host(delivery, settings, name)


def test_a_push_to_main_starts_the_platform_pipeline_at_that_commit(host: Host, tmp_path: Path) -> None:
    host.deploy()
    remote = host.open()
    pushed = commit(host.settings.checkout, "Second")
    said = git(host.settings.checkout, "push", "local", "main")
    newest = host.delivery.client.list_pipeline_executions(pipelineName=host.pipeline)["pipelineExecutionSummaries"][0]
    assert f"remote: Commit {pushed[:8]} is the source of {host.pipeline} now." in said
    assert f"remote: Execution {newest['pipelineExecutionId']} has started." in said
    assert f"--filter pipelineExecutionId={newest['pipelineExecutionId']}" in said
    assert host.delivery.ended(host.pipeline, newest["pipelineExecutionId"])["status"] == "Succeeded"
    source = host.delivered(tmp_path)
    assert git(source, "rev-parse", "HEAD") == pushed
    assert git(source, "status", "--porcelain") == ""
    assert git(source, "rev-list", "--count", "HEAD") == "2", "with its history, which Plan reads"
    assert git(remote, "rev-parse", "main") == pushed


def test_other_branches_are_kept_and_start_nothing(host: Host) -> None:
    host.deploy()
    host.open()
    git(host.settings.checkout, "checkout", "--quiet", "-b", "feature/one")
    pushed = commit(host.settings.checkout, "An idea")
    said = git(host.settings.checkout, "push", "local", "feature/one")
    assert "remote: feature/one is kept, and starts nothing: only a push to main does." in said
    assert git(host.settings.checkout, "ls-remote", "local", "feature/one").startswith(pushed)
    executions = host.delivery.client.list_pipeline_executions(pipelineName=host.pipeline)["pipelineExecutionSummaries"]
    assert len(executions) == 1


def test_where_nothing_can_start_main_goes_back_and_the_next_push_tries_again(host: Host) -> None:
    remote = host.open()
    before = git(remote, "rev-parse", "main")
    pushed = commit(host.settings.checkout, "Too early")
    said = git(host.settings.checkout, "push", "local", "main")
    assert f"remote: There is no pipeline {host.name}-platform yet; it comes with: make delivery" in said
    assert "remote: Nothing starts, and main is where it was before" in said
    assert git(remote, "rev-parse", "main") == before
    host.deploy()
    assert f"Commit {pushed[:8]} is the source" in git(host.settings.checkout, "push", "local", "main")


def test_after_the_local_aws_has_stopped_a_push_says_so(host: Host) -> None:
    environment = host.delivery.account.environment() | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    remote = open_remote(host.settings, environment)
    before = git(remote, "rev-parse", "main")
    commit(host.settings.checkout, "Too late")
    said = git(host.settings.checkout, "push", str(remote), "main")
    assert "remote: The local AWS does not run any more; start it with: make local" in said
    assert git(remote, "rev-parse", "main") == before


@pytest.mark.parametrize("kind", ["shallow", "worktree"])
def test_a_shallow_clone_and_a_worktree_can_push(host: Host, tmp_path: Path, kind: str) -> None:
    host.deploy()
    origin = host.settings.checkout
    commit(origin, "Second")
    folder = tmp_path / kind
    if kind == "shallow":
        git(tmp_path, "clone", "--quiet", "--depth=1", origin.as_uri(), str(folder))
    else:
        git(origin, "worktree", "add", "--quiet", "--detach", str(folder))
    host.settings = replace(host.settings, checkout=folder)
    remote = host.open()
    assert git(remote, "rev-parse", "main") == git(folder, "rev-parse", "HEAD")
    pushed = commit(folder, "Third")
    assert "has started" in git(folder, "push", "local", "HEAD:main")
    assert git(host.delivered(tmp_path), "rev-parse", "HEAD") == pushed
    eventually(lambda: host.delivery.ended(host.pipeline))


def test_a_folder_without_a_commit_is_refused_in_a_sentence(host: Host, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    with pytest.raises(StartError, match="must be a git repository with a commit: git init"):
        open_remote(replace(host.settings, checkout=tmp_path / "empty"), {})
