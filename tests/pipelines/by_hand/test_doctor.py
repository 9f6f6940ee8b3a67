"""`make doctor` without credentials: what it says of this machine and a checkout, and how it ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PROJECT = {"name": "shop", "source": {"kind": "s3"}, "teams": {"team": {"owners": ["a@example.com"]}}}
NOBODY = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def unsigned() -> dict[str, str]:
    """The environment without an account; a local one that ran in this process leaves its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | NOBODY


def doctor(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.by_hand.doctor", *arguments],
        cwd=root,
        env=unsigned() | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def lines(done: subprocess.CompletedProcess[str], state: str) -> list[str]:
    return [line.removeprefix(state).strip() for line in done.stdout.splitlines() if line.startswith(f"{state} ")]


def git(root: Path, *words: str) -> None:
    person = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *person, *words], cwd=root, check=True, capture_output=True)


def write(root: Path, **more: Any) -> None:
    (root / "project.yaml").write_text(yaml.safe_dump(PROJECT | more))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A project that is committed, with no model."""
    for name in ("package.json", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    write(tmp_path)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "First")
    return tmp_path


def test_make_doctor_runs_here_without_credentials_and_says_so() -> None:
    # `-o setup`: a test installs nothing.
    command = ["make", "--no-print-directory", "-o", "setup", "doctor", "ENV=all"]
    environment = unsigned() | {"AWS_REGION": "eu-west-1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = lines(done, "ok")
    assert any(line.startswith("Node.js ") for line in said)
    assert any(line.startswith("CDK command line ") for line in said)
    assert any(line.startswith("eu-west-1 has the ") for line in said)
    assert "not checked: the accounts: there are no credentials." in done.stdout


def test_a_clean_checkout_has_nothing_to_repair(checkout: Path) -> None:
    done = doctor(checkout, "tooling", AWS_DEFAULT_REGION="eu-west-1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert any("and nothing is uncommitted" in line for line in lines(done, "ok"))
    assert len(lines(done, "warning")) == 3  # no model; the base image; no credentials
    assert all(" -> " in line for line in lines(done, "warning"))


def test_an_environment_that_does_not_exist_is_refused_with_those_that_do(checkout: Path) -> None:
    done = doctor(checkout, "prod")
    assert done.returncode == 1
    assert done.stderr.strip() == "ENV is 'prod'; it must be one of: tooling, staging, production, all"


def test_a_configuration_that_cannot_be_read_fails_and_the_machine_was_looked_at(checkout: Path) -> None:
    write(checkout, sorce={})
    done = doctor(checkout)
    assert done.returncode == 1
    (said,) = lines(done, "failed")
    assert "sorce" in said
    assert "did you mean 'source'?" in said
    assert any(line.startswith("Python ") for line in lines(done, "ok"))


def test_another_cdk_than_the_pinned_one_fails(checkout: Path) -> None:
    pinned = {"devDependencies": {"aws-cdk": "2.1.0"}}
    (checkout / "package.json").write_text(json.dumps(pinned))
    done = doctor(checkout)
    assert done.returncode == 1
    (said,) = lines(done, "failed")
    assert "; package.json pins 2.1.0 -> run: make clean setup" in said


def test_a_python_that_the_project_does_not_allow_fails(checkout: Path) -> None:
    (checkout / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.98,<3.99"\n')
    (said,) = lines(doctor(checkout), "failed")
    assert "the project allows >=3.98,<3.99" in said


def test_without_node_or_git_the_rest_is_still_looked_at(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    done = doctor(checkout, PATH=str(tmp_path_factory.mktemp("empty")))
    assert done.returncode == 1
    assert [line.partition(" -> ")[0] for line in lines(done, "failed")] == [
        "Node.js and cdk cannot be found",
        "git cannot be found",
    ]
    assert any(line.startswith("Docker is not here, which does not matter") for line in lines(done, "ok"))


def test_without_a_commit_nothing_can_be_delivered(checkout: Path) -> None:
    shutil.rmtree(checkout / ".git")
    (said,) = lines(doctor(checkout, GIT_CEILING_DIRECTORIES=str(checkout.parent)), "failed")
    assert said.startswith("this is no git repository with a commit -> git init")


def test_uncommitted_changes_are_told(checkout: Path) -> None:
    (checkout / "new").touch()
    assert any("1 file differs from commit" in line for line in lines(doctor(checkout), "warning"))


def test_a_source_on_a_git_host_sees_only_what_is_pushed(checkout: Path) -> None:
    connection = "arn:aws:codeconnections:eu-west-1:111122223333:connection/x"
    source = {"kind": "codeconnections", "connection": connection, "repository": "octo-org/models"}
    places = {name: {"account": "444455556666"} for name in ("tooling", "staging", "production")}
    write(checkout, source=source, **places)
    done = doctor(checkout, AWS_DEFAULT_REGION="eu-west-1")
    assert any(line.startswith("this commit is not on branch main of a remote") for line in lines(done, "warning"))
    (said,) = lines(done, "failed")
    assert said.startswith("source.connection is of account 111122223333, the tooling account is 444455556666")


@pytest.mark.parametrize("region", ["", "xx-north-7"])
def test_a_region_is_needed_and_must_exist(checkout: Path, region: str) -> None:
    done = doctor(checkout, **({"AWS_DEFAULT_REGION": region} if region else {}))
    expected = "xx-north-7 is no region that AWS's SDK knows" if region else "no region is given"
    assert any(line.startswith(expected) for line in lines(done, "failed" if region else "warning"))


def test_a_region_without_a_service_is_told(checkout: Path) -> None:
    write(checkout, source={"kind": "codecommit", "repository": "models"})
    done = doctor(checkout, AWS_DEFAULT_REGION="mx-central-1")
    assert any("mx-central-1 has no" in line and "codecommit" in line for line in lines(done, "warning"))
