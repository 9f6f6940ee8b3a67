"""Builds find a `docker` that builds images and pushes them into the account's registry."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.account import Account
from local_aws.docker.launcher import docker_environment, write_launcher
from tests.local_aws.delivery import LOGS, allow, buildspec, built, log, phase, project, role, unique

DOCKERFILE = """\
FROM python:3.12
WORKDIR /app
ENV CONFIG=/app/config.json PATH=/app/.venv/bin:$PATH
RUN make
COPY . .
CMD python3 main.py
"""
PASSWORD = """TOKEN=$($TOOLS/.venv/bin/python -c "import boto3
print(boto3.client('ecr').get_authorization_token()['authorizationData'][0]['authorizationToken'])")"""
PUSH = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
]


class Docker:
    """The command, in a folder with a context."""

    def __init__(self, account: Account, folder: Path) -> None:
        write_launcher(folder / "bin", account.settings.checkout)
        self.context = folder / "context"
        self.context.mkdir()
        (self.context / "Dockerfile").write_text(DOCKERFILE)
        (self.context / "main.py").write_text("print('hi')")
        (self.context / "config.json").write_text("{}")
        pushed = account.settings.home / "images"
        self.environment = docker_environment(folder / "docker", pushed) | account.environment() | {"PATH": "/bin"}
        self.command = folder / "bin/docker"

    def __call__(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        done = subprocess.run(
            [self.command, *arguments],
            cwd=self.context,
            env=self.environment,
            input=stdin,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture
def docker(account: Account, tmp_path: Path) -> Docker:
    return Docker(account, tmp_path)


@pytest.fixture
def repository(account: Account) -> Iterator[str]:
    ecr = account.client("ecr")
    made = ecr.create_repository(repositoryName=unique("repository"))["repository"]
    yield made["repositoryUri"]
    ecr.delete_repository(repositoryName=made["repositoryName"], force=True)


def pushed(docker: Docker, reference: str) -> str:
    """Build, log in, push; the digest."""
    assert docker("build", "--tag", reference, ".")[0] == 0
    registry = f"https://{reference.partition('/')[0]}"
    assert docker("login", "--username", "AWS", "--password-stdin", registry, stdin="x")[0] == 0
    code, said = docker("push", reference)
    assert code == 0, said
    return said.split()[-1]


def test_a_pushed_image_is_found_by_tag_and_by_digest(account: Account, docker: Docker, repository: str) -> None:
    digest = pushed(docker, f"{repository}:v1")
    by_tag, by_digest = account.images.find(f"{repository}:v1"), account.images.find(f"{repository}@{digest}")
    assert by_tag.folder == by_digest.folder
    assert (by_tag.folder / "main.py").read_text() == "print('hi')"
    assert by_tag.command == ("/bin/sh", "-c", "python3 main.py")
    assert by_tag.environment == {"CONFIG": str(by_tag.folder / "config.json")}
    name = repository.partition("/")[2]
    (found,) = account.client("ecr").describe_images(repositoryName=name)["imageDetails"]
    assert (found["imageDigest"], found["imageTags"]) == (digest, ["v1"])


def test_the_digest_follows_from_the_content(docker: Docker, repository: str) -> None:
    first, second = pushed(docker, f"{repository}:v1"), pushed(docker, f"{repository}:v2")
    (docker.context / "main.py").write_text("print('ho')")
    assert first == second != pushed(docker, f"{repository}:v3")


def test_inspect_gives_the_digest_in_the_registry(docker: Docker, repository: str) -> None:
    digest = pushed(docker, f"{repository}:v1")
    code, said = docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", f"{repository}:v1")
    assert (code, said.strip()) == (0, f"{repository}@{digest}")


def test_an_image_gets_another_name_with_tag(docker: Docker, repository: str) -> None:
    assert docker("build", "-t", "local", ".")[0] == 0
    assert docker("tag", "local", f"{repository}:v1")[0] == 0
    docker("login", "-u", "AWS", "-p", "x", repository.partition("/")[0])
    assert docker("push", f"{repository}:v1")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("push", "host/repository:v1"), "no basic auth credentials (log in to host first: docker login)"),
        (("build", "--squash", "."), "the local AWS rehearses only this of it: usage: docker"),
        (("run", "alpine"), "invalid choice: 'run'"),
        (("build", "nowhere"), "no such file or directory: nowhere"),
        (("tag", "absent", "other"), "No such image: absent:latest"),
        (("inspect", "--format", "{{.Size}}", "absent"), "No such image: absent:latest"),
    ],
)
def test_what_it_cannot_do_it_says(docker: Docker, arguments: tuple[str, ...], said: str) -> None:
    code, output = docker(*arguments)
    assert code == 1
    assert said in output


def test_info_tells_that_a_docker_is_there(docker: Docker) -> None:
    assert docker("info")[0] == 0


def test_a_build_pushes_under_its_service_role(account: Account, repository: str) -> None:
    registry, _, name = repository.partition("/")
    arn = account.arn("ecr", f"repository/{name}")
    spec = buildspec(
        "printf 'FROM scratch\\nRUN make\\nCOPY f /f\\n' > Dockerfile; echo content > f",
        f"docker build --tag {repository}:v1 .",
        PASSWORD,
        f"echo $TOKEN | docker login --username AWS --password-stdin {registry}",
        f"docker push {repository}:v1",
    )
    login = allow("ecr:GetAuthorizationToken")
    denied = built(account, project(account, spec, role(account, "codebuild", LOGS, login)))
    assert phase(denied, "BUILD")[0] == "FAILED"
    (refused,) = [line for line in log(account, denied) if line.startswith("ERROR: denied: ")]
    assert "is not authorized to perform: ecr:BatchCheckLayerAvailability" in refused
    done = built(account, project(account, spec, role(account, "codebuild", LOGS, login, allow(*PUSH, resource=arn))))
    assert done["buildStatus"] == "SUCCEEDED"
    contexts = next(item["contexts"] for item in done["phases"] if item["phaseType"] == "BUILD")
    assert {"statusCode": "", "message": "Not rehearsed: RUN make"} in contexts
    assert (account.images.find(f"{repository}:v1").folder / "f").read_text() == "content\n"


def test_the_folder_of_the_build_does_not_replace_the_command(docker: Docker) -> None:
    (docker.context / "local_aws").mkdir()
    (docker.context / "local_aws/__init__.py").write_text("raise SystemExit('the wrong one')")
    assert docker("version")[0] == 0


def test_the_command_starts_quickly() -> None:
    imported = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import local_aws.docker.__main__"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    assert "boto3" not in imported
