"""The git host of the local AWS: a bare repository, whose main starts the platform pipeline when it is pushed to."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local_aws.errors import StartError
from local_aws.settings import CHECKOUT, Settings

FOLDER = "source.git"
KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "SSL_CERT_FILE", "TMPDIR")
"""What of the environment of who pushes the hook may see: neither git's variables nor the way to a real account."""


def open_remote(settings: Settings, environment: Mapping[str, str]) -> Path:
    """Makes the bare repository below the home, with the checkout's HEAD as main; gives its path.

    *environment* is that of a client of the local AWS. A checkout may be shallow, or a worktree. StartError says why
    there is no HEAD.
    """
    repository = settings.home / FOLDER
    hooks = repository / "hooks"
    _git(settings.home, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(repository))
    for name, value in {
        "core.hooksPath": str(hooks),  # else the one that a person has set for all repositories
        "receive.shallowUpdate": "true",
    }.items():
        _git(repository, "config", name, value)
    _git(
        repository, "fetch", "--quiet", "--no-tags", "--update-shallow", str(settings.checkout), "+HEAD:refs/heads/main"
    )
    hooks.mkdir()
    hook = hooks / "post-receive"
    hook.write_text(_hook(settings.checkout, environment))
    hook.chmod(0o700)  # it holds credentials, though only of the local AWS
    return repository


def _hook(checkout: Path, environment: Mapping[str, str]) -> str:
    """A script that runs `local_aws.pushed` with the Python and the code of this process."""
    kept = " ".join(f'${{{name}+{name}="${name}"}}' for name in KEPT)
    given = " ".join(shlex.quote(f"{name}={value}") for name, value in environment.items())
    program = [sys.executable, "-u", "-m", "local_aws.pushed", str(checkout)]
    command = f'env -i {kept} {given} {shlex.join(program)} "$repository"'
    return f"#!/bin/sh\nrepository=$PWD\ncd {shlex.quote(str(CHECKOUT))} && exec {command}\n"


def _git(folder: Path, *arguments: str) -> None:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(["git", *arguments], cwd=folder, env=ours, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StartError(
            f"The repository to push to cannot be made (git {arguments[0]}: {done.stderr.strip()}); "
            "the checkout must be a git repository with a commit: "
            "git init && git add -A && git commit -m 'First commit'"
        )
