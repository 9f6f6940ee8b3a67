"""What a package is trained from, and what of that has changed since the commit that it was trained at."""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

ROOTS = ("pipelines/steps", "pipelines/definition.py")
"""Where training begins: the programs of its jobs, and the jobs' description. What these import trains too."""

NOT_TRAINED = (
    # A changed server releases every model without training: a package is data, which a newer server reads as well.
    "model_server",
    # Say where a project is and who owns it. The others hold what model.yaml says of a release, and how errors read.
    "config/project.py",
    "config/network.py",
    "config/vulnerabilities.py",
    "config/release.py",
    "config/rollout.py",
    "config/errors.py",
)
"""What the roots import without putting any of it into a package."""

LOCKED = ("pyproject.toml", "uv.lock")
JOBS = "jobs"
"""The dependency group of the image that trains; what else is locked is of the tools, or of the server."""


@dataclass
class GitHistory:
    """The git history of a checkout, asked once for each commit however many models there are."""

    root: Path
    _changed: dict[str, frozenset[str] | None] = field(default_factory=dict)
    _packages: dict[str, bool] = field(default_factory=dict)

    def retraining(self, model: str, since: str) -> str | None:
        """Why *model* has to be trained again, in a sentence; None where it was trained from what is here."""
        changed = self.changed(since)
        if changed is None:
            return f"Its package was trained at commit {since[:8] or 'unknown'}, which this history does not hold."
        folder = f"model_code/{model}/"
        found = sorted(name for name in changed if name.startswith(folder) or name in self.training)
        if not found and changed & set(LOCKED) and self._other_packages(since):
            found = [f"the packages of the group {JOBS} in uv.lock"]
        if not found:
            return None
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        return f"{found[0]}{more} changed since its package of commit {since[:8]}."

    def changed(self, since: str) -> frozenset[str] | None:
        """The files that differ between a commit and now; None where there is no such commit here."""
        if since not in self._changed:
            self._changed[since] = self._difference(since)
        return self._changed[since]

    @cached_property
    def training(self) -> frozenset[str]:
        """The files of ours that the jobs of a training run, as their imports say."""
        found: set[str] = set()
        todo = [file for place in ROOTS for file in _files(self.root / place)]
        while todo:
            file = todo.pop()
            name = file.relative_to(self.root).as_posix()
            if name not in found and not _is_below(name, NOT_TRAINED):
                found.add(name)
                todo += _imported(self.root, file)
        return frozenset(found)

    def _difference(self, since: str) -> frozenset[str] | None:
        if not since or since.startswith("-"):
            return None
        found = self._git("diff", "--name-only", "--no-renames", "-z", since, "HEAD", "--")
        return None if found is None else frozenset(filter(None, found.split("\0")))

    def _other_packages(self, since: str) -> bool:
        if since not in self._packages:
            before, now = self._locked(since), self._locked("HEAD")
            self._packages[since] = before is None or before != now
        return self._packages[since]

    def _locked(self, commit: str) -> str | None:
        """What a commit locks for the image that trains; None where that cannot be read."""
        with tempfile.TemporaryDirectory() as folder:
            for name in LOCKED:
                content = self._git("show", f"{commit}:{name}")
                if content is None:
                    return None
                (Path(folder) / name).write_text(content)
            options = ("--quiet", "--offline", "--frozen", "--no-header", "--only-group", JOBS)
            command = [sys.executable, "-m", "uv", "export", *options]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        return None if done.returncode else done.stdout

    def _git(self, *arguments: str) -> str | None:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=False)
        return None if done.returncode else done.stdout


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place] if place.is_file() else []


def _imported(root: Path, file: Path) -> Iterator[Path]:
    """The files of *root* that a file imports, with the packages that they are in."""
    for module in _modules(ast.parse(file.read_text())):
        parts = module.split(".")
        for length in range(1, len(parts) + 1):
            place = root.joinpath(*parts[:length])
            yield from (each for each in (place.with_suffix(".py"), place / "__init__.py") if each.is_file())


def _modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)


def _is_below(name: str, places: tuple[str, ...]) -> bool:
    return any(PurePosixPath(name).is_relative_to(place) for place in places)
