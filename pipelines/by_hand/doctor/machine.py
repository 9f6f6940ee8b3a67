"""The machine and the checkout that a deployment starts from: no call to AWS."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from config.project import CodeCommit, CodeConnections, S3Source
from pipelines.by_hand.doctor.saying import Check, Said, failed, ok, warning
from pipelines.stages.surroundings import Surroundings

ROOM_GB = 1
"""Free disk that a synthesis, its assets and a source archive fit into easily."""


def node(_: Surroundings) -> Iterator[Said]:
    """Node.js, and the CDK command line."""
    program, cdk = shutil.which("node"), shutil.which("cdk")
    if not program or not cdk:
        missing = " and ".join(name for name, found in (("Node.js", program), ("cdk", cdk)) if not found)
        yield failed(f"{missing} cannot be found", "run: make setup, and start this with: make doctor")
        return
    about = json.loads((Path(cdk).resolve().parents[1] / "package.json").read_text())
    version, needed = _output("node", "--version").removeprefix("v"), about["engines"]["node"]
    if _numbers(version) < _numbers(needed):
        yield failed(f"Node.js is {version}; the CDK needs {needed}", "run: make setup, which installs one beside it")
    else:
        yield ok(f"Node.js {version}; the CDK needs {needed}")


def cdk(around: Surroundings) -> Iterator[Said]:
    """The version of the CDK command line."""
    program = shutil.which("cdk")
    if not program:
        return  # which has been said
    pinned = json.loads((around.root / "package.json").read_text())["devDependencies"]["aws-cdk"]
    found = json.loads((Path(program).resolve().parents[1] / "package.json").read_text())["version"]
    if found == pinned:
        yield ok(f"CDK command line {found}, as package.json pins it")
    else:
        yield failed(f"the CDK command line is {found}; package.json pins {pinned}", "run: make clean setup")


def python(around: Surroundings) -> Iterator[Said]:
    """Python."""
    allowed = tomllib.loads((around.root / "pyproject.toml").read_text())["project"]["requires-python"]
    least, below = re.findall(r"[\d.]+", allowed)
    version = ".".join(map(str, sys.version_info[:3]))
    if _numbers(least) <= _numbers(version) < _numbers(below):
        yield ok(f"Python {version}; the project allows {allowed}")
    else:
        yield failed(f"Python is {version}; the project allows {allowed}", "run: make clean setup PYTHON=<path of one>")


def docker(_: Surroundings) -> Iterator[Said]:
    """Docker."""
    there = "is here" if shutil.which("docker") else "is not here"
    yield ok(f"Docker {there}, which does not matter: images are built by CodeBuild")


def project(around: Surroundings) -> Iterator[Said]:
    """project.yaml and each model.yaml."""
    count = len(around.models)
    yield ok(f"project.yaml and the model.yaml of {count} {'model' if count == 1 else 'models'} can be read")
    if not count:
        yield warning("there is no model", "describe one in model_code/<name>/model.yaml; a deployment works without")


def git(around: Surroundings) -> Iterator[Said]:
    """The git repository."""
    if not shutil.which("git"):
        yield failed("git cannot be found", "install git")
        return
    commit = _output("git", "-C", str(around.root), "rev-parse", "--short", "--verify", "--quiet", "HEAD")
    if not commit:
        yield failed(
            "this is no git repository with a commit", "git init && git add -A && git commit -m 'First commit'"
        )
        return
    changed = _output("git", "-C", str(around.root), "status", "--porcelain").splitlines()
    if not changed:
        yield ok(f"git: commit {commit}, and nothing is uncommitted")
        return
    fix = "git add -A && git commit"
    if isinstance(around.project.source, S3Source):
        fix += "; or leave it: make push delivers a snapshot with what is uncommitted"
    files = "1 file differs" if len(changed) == 1 else f"{len(changed)} files differ"
    yield warning(f"git: {files} from commit {commit}", fix)


def source(around: Surroundings) -> Iterator[Said]:
    """Where the platform pipeline takes the code from."""
    match around.project.source:
        case S3Source(key=key):
            yield ok(f"the source is {key} in the artifacts bucket; make deploy and make push put it there")
        case CodeCommit(repository=repository, branch=branch):
            yield ok(f"the source is branch {branch} of the CodeCommit repository {repository}")
            yield from _pushed(around.root, branch)
        case CodeConnections(repository=repository, branch=branch, connection=connection) as found:
            yield ok(f"the source is branch {branch} of {repository}, through {found.connection.split(':')[2]}")
            account, named = connection.split(":")[4], around.project.tooling.account
            if named and account != named:
                yield failed(
                    f"source.connection is of account {account}, the tooling account is {named}",
                    f"make a connection in account {named} and write its ARN into project.yaml",
                )
            yield from _pushed(around.root, branch)


def disk(around: Surroundings) -> Iterator[Said]:
    """Free disk."""
    free = shutil.disk_usage(around.root).free / 1e9
    if free < ROOM_GB:
        yield warning(f"{free:.1f} GB of disk are free here; {ROOM_GB} is safe", "make room")
    else:
        yield ok(f"{free:.0f} GB of disk are free")


BEFORE_CONFIGURATION: Sequence[Check[Surroundings]] = (node, cdk, python, docker, disk)
WITH_CONFIGURATION: Sequence[Check[Surroundings]] = (project, git, source)


def _pushed(root: Path, branch: str) -> Iterator[Said]:
    """The pipelines see what is pushed, and nothing else."""
    holding = _output("git", "-C", str(root), "branch", "--remotes", "--contains", "HEAD").split()
    if not any(name.endswith(f"/{branch}") for name in holding):
        yield warning(f"this commit is not on branch {branch} of a remote, as far as this clone knows", "git push")


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))[:3]
