"""`docker` for builds on this machine; it says what it cannot do."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from local_aws.docker.build import Builder
from local_aws.docker.dockerfile import DockerError
from local_aws.docker.settings import Settings
from local_aws.docker.store import Store

FORMATS: dict[str, Callable[[str, list[str]], str]] = {
    "{{.Id}}": lambda digest, _: digest,
    "{{index .RepoDigests 0}}": lambda _, names: names[0],
    "{{json .RepoDigests}}": lambda _, names: json.dumps(names),
}


class Parser(argparse.ArgumentParser):
    """A command line that is refused with a sentence where this `docker` does not know it."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise DockerError(f"{message}; the local AWS rehearses only this of it: {self.format_usage().strip()}")


def build(options: argparse.Namespace, store: Store) -> None:
    """Build an image and tag it."""
    context = Path(options.context)
    dockerfile = Path(options.file) if options.file else context / "Dockerfile"
    if not dockerfile.is_file() or not context.is_dir():
        raise DockerError(f"no such file or directory: {dockerfile if context.is_dir() else context}")
    arguments = dict(item.split("=", 1) for item in options.build_arg if "=" in item)
    with tempfile.TemporaryDirectory() as folder:
        builder = Builder(
            dockerfile.read_text(), context, Path(folder), arguments, lambda line: print(line, flush=True)
        )
        digest = store.keep(builder.build(options.target))
    for reference in options.tag:
        store.tag(with_tag(reference), digest)
    if options.iidfile:
        Path(options.iidfile).write_text(digest)
    print(digest)


def push(options: argparse.Namespace, store: Store) -> None:
    """Push an image to Amazon ECR."""
    from local_aws.docker.push import push as push_image  # noqa: PLC0415  boto3, which only this command needs

    digest = push_image(with_tag(options.reference), store, Settings.from_environment().pushed)
    print(f"{with_tag(options.reference).rpartition(':')[2]}: digest: {digest}")


def tag(options: argparse.Namespace, store: Store) -> None:
    """Give an image another name."""
    store.tag(with_tag(options.target), store.digest(with_tag(options.reference)))


def login(options: argparse.Namespace, store: Store) -> None:
    """Log in to a registry with the password that ecr:GetAuthorizationToken gave."""
    password = sys.stdin.read().strip() if options.password_stdin else options.password
    if not password:
        raise DockerError(f"login to {options.registry}: the password is empty.")
    store.log_in(options.registry.partition("://")[2] or options.registry)
    print("Login Succeeded")


def inspect(options: argparse.Namespace, store: Store) -> None:
    """Print something about an image."""
    reference = with_tag(options.reference)
    digest, names = store.digest(reference), store.names_by_digest(reference)
    if options.format not in FORMATS:
        raise DockerError(f"the format {options.format!r} is not rehearsed; use one of {', '.join(FORMATS)}.")
    if "RepoDigests" in options.format and not names:
        raise DockerError(f"{reference} has no repository digest: it was not pushed.")
    print(FORMATS[options.format](digest, names))


def about(_: argparse.Namespace, __: Store) -> None:
    """Say what this `docker` is."""
    print("docker on the local AWS: it snapshots what a Dockerfile copies, and runs none of its RUNs")


def with_tag(reference: str) -> str:
    """A reference with its tag, which is `latest` where it has none."""
    return reference if ":" in reference.rpartition("/")[2] or "@" in reference else f"{reference}:latest"


def command_line() -> Parser:
    """The commands and options that are rehearsed."""
    parser = Parser(prog="docker")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("build", "buildx"):
        command = commands.add_parser(name)
        if name == "buildx":
            command.add_argument("action", choices=["build"])
        command.set_defaults(run=build)
        command.add_argument("--file", "-f", default="")
        command.add_argument("--tag", "-t", action="append", default=[])
        command.add_argument("--target", default="")
        command.add_argument("--build-arg", action="append", default=[])
        command.add_argument("--iidfile", default="")
        for flag in ("--platform", "--provenance", "--progress", "--label", "--cache-from", "--cache-to", "--sbom"):
            command.add_argument(flag, action="append")
        for flag in ("--no-cache", "--pull", "--quiet", "-q", "--load"):
            command.add_argument(flag, action="store_true")
        command.add_argument("context")
    command = commands.add_parser("push")
    command.set_defaults(run=push)
    command.add_argument("--quiet", "-q", action="store_true")
    command.add_argument("reference")
    command = commands.add_parser("tag")
    command.set_defaults(run=tag)
    command.add_argument("reference")
    command.add_argument("target")
    command = commands.add_parser("login")
    command.set_defaults(run=login)
    command.add_argument("--username", "-u", default="")
    command.add_argument("--password", "-p", default="")
    command.add_argument("--password-stdin", action="store_true")
    command.add_argument("registry")
    for name in ("inspect", "image"):
        command = commands.add_parser(name)
        if name == "image":
            command.add_argument("action", choices=["inspect"])
        command.set_defaults(run=inspect)
        command.add_argument("--format", "-f", default="{{.Id}}")
        command.add_argument("reference")
    for name in ("info", "version"):
        command = commands.add_parser(name)
        command.set_defaults(run=about)
        command.add_argument("--format", "-f", default="")
    return parser


def main(arguments: list[str]) -> int:
    """Run one `docker` command."""
    try:
        options = command_line().parse_args(arguments)
        options.run(options, Store(Settings.from_environment().home))
    except DockerError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
