"""The repository as a zip with its history: what an S3 source holds."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Snapshot:
    """A commit, and whether it was made for changes that are not committed yet."""

    commit: str
    uncommitted: bool

    def __str__(self) -> str:
        note = " (a snapshot with your uncommitted changes)" if self.uncommitted else ""
        return f"commit {self.commit[:8]}{note}"


def snapshot(root: Path) -> Snapshot:
    """The commit to deliver: HEAD, or one on top of it that holds the uncommitted changes; no branch moves."""
    if subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", "HEAD"], cwd=root, capture_output=True, check=False
    ).returncode:
        sys.exit(
            f"{root} is not a git repository with a commit; run: git init && git add -A && git commit -m 'First commit'"
        )
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        _git(root, "read-tree", "HEAD", **index)
        _git(root, "add", "--all", **index)
        tree = _git(root, "write-tree", **index)
    head = _git(root, "rev-parse", "HEAD")
    if tree == _git(root, "rev-parse", "HEAD^{tree}"):
        return Snapshot(head, uncommitted=False)
    return Snapshot(
        _git(root, "commit-tree", tree, "-p", head, "-m", "Uncommitted changes", **_AUTHOR), uncommitted=True
    )


def write_zip(root: Path, commit: str, target: Path) -> None:
    """Writes a clone of *root* at *commit*, with its `.git`, to the zip *target*."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder)
        _git(clone, "init", "--quiet", "--initial-branch=main")
        _git(
            clone,
            "fetch",
            "--quiet",
            "--update-shallow",
            root.resolve().as_posix(),
            f"{_publish(root, commit)}:refs/heads/delivered",
        )
        _git(clone, "checkout", "--quiet", "--detach", commit)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for file in sorted(clone.rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(clone))


def _publish(root: Path, commit: str) -> str:
    """A ref that a fetch can name: git hands out no bare commits."""
    ref = "refs/greenlight/delivered"
    _git(root, "update-ref", ref, commit)
    return ref


def _git(folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"git {' '.join(arguments)} failed in {folder}: {done.stderr.strip()}")
    return done.stdout.strip()


_AUTHOR = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in {"NAME": "Greenlight", "EMAIL": "greenlight@localhost", "DATE": "2000-01-01T00:00:00Z"}.items()
}
"""The same changes make the same commit, whoever and whenever."""
