"""Commits that somebody pushes, and what the platform pipeline makes of them."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from config.model import Model
from config.naming import Names
from local_aws.account import Account
from local_aws.git_remote import FOLDER
from local_aws.rehearsal.delivery import Delivery, Execution
from local_aws.rehearsal.failure import RehearsalError

AUTHOR = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
START_SECONDS, LOOK_SECONDS = 60.0, 0.5
BEYOND = {"least": "0.9999", "most": "0.0001"}
ANOTHER = "ml.m5.xlarge"


class Pushes:
    """A clone of the git host, in which somebody works."""

    def __init__(self, account: Account, names: Names, delivery: Delivery) -> None:
        self._account, self._delivery = account, delivery
        self._platform, self._release = names.delivery_pipeline("platform"), names.delivery_pipeline("release")
        self.folder: Path = account.settings.home / "clone"
        self._git(account.settings.home, "clone", "--quiet", str(account.settings.home / FOLDER), str(self.folder))

    def push(self, message: str, change: Callable[[Path], None], releases: int) -> list[Execution]:
        """Commits a change, follows the platform pipeline, and gives the *releases* that it has started."""
        platform, before = len(self._delivery.executions(self._platform)), self._known()
        change(self.folder)
        self._git(self.folder, "add", "--all")
        self._git(self.folder, *AUTHOR, "commit", "--quiet", "--message", message)
        self._git(self.folder, "push", "--quiet", "origin", "HEAD:main")
        (run,) = self._new(self._platform, platform, 1)
        list(self._delivery.follow([run]))
        return self._new(self._release, before, releases)

    def _known(self) -> int:
        return len(self._delivery.executions(self._release))

    def _new(self, pipeline: str, known: int, wanted: int) -> list[Execution]:
        deadline = time.monotonic() + START_SECONDS
        while len(found := self._delivery.executions(pipeline)[known:]) < wanted:
            if time.monotonic() > deadline:
                raise RehearsalError(
                    f"Of {pipeline}, {len(found)} runs have started within {START_SECONDS:.0f} s, not {wanted}.",
                    self._account.settings.home,
                )
            time.sleep(LOOK_SECONDS)
        return found

    def _git(self, folder: Path, *words: str) -> None:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RehearsalError(f"`git {' '.join(words)}` failed: {done.stderr.strip()}", self._account.settings.home)


def touch(file: str) -> Callable[[Path], None]:
    """A change of a file that changes nothing else."""

    def change(folder: Path) -> None:
        with (folder / file).open("a") as opened:
            opened.write("\n\n# The same, once more.\n")

    return change


def demand(model: Model) -> Callable[[Path], None]:
    """A change of what a model must reach, beyond anything it can."""

    def change(folder: Path) -> None:
        file = folder / "model_code" / model.name / "model.yaml"
        given = re.sub(r"at_(least|most): \S+", lambda found: f"at_{found[1]}: {BEYOND[found[1]]}", file.read_text())
        file.write_text(given)

    return change


def resize(model: Model) -> Callable[[Path], None]:
    """A change of the instances that a model of its own ones has."""

    def change(folder: Path) -> None:
        file = folder / "model_code" / model.name / "model.yaml"
        file.write_text(re.sub(r"(kind: dedicated\n  instance: )\S+", rf"\1{ANOTHER}", file.read_text()))

    return change
