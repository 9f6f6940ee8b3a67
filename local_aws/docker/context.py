"""The folder that COPY reads from."""

from __future__ import annotations

import os
import re
from pathlib import Path

from local_aws.docker.dockerfile import DockerError

_WILD = re.compile(r"\*\*/|\*\*|\*|\?")
_MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


class Context:
    """A folder that COPY reads, without what its `.dockerignore` excludes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        file = folder / ".dockerignore"
        lines = [line.strip() for line in file.read_text().splitlines()] if file.is_file() else []
        self._rules = [_Rule(line) for line in lines if line and not line.startswith("#")]

    def find(self, source: str) -> list[Path]:
        """The paths that a source of a COPY names."""
        relative = os.path.normpath(source.lstrip("/") or ".")
        if relative.startswith(".."):
            raise DockerError(f"COPY {source}: forbidden path outside the build context.")
        if any(letter in relative for letter in "*?["):
            paths = sorted(self._folder.glob(relative))
        else:
            paths = [self._folder / relative]
        return [path for path in paths if os.path.lexists(path) and not self._excluded(path)]

    def ignored(self, folder: str, names: list[str]) -> set[str]:
        """Which names in a folder are excluded (the `ignore` of `shutil.copytree`)."""
        return {name for name in names if self._excluded(Path(folder) / name)}

    def _excluded(self, path: Path) -> bool:
        relative = path.relative_to(self._folder).as_posix()
        if relative == ".":
            return False
        excluded = False
        for rule in self._rules:
            if rule.matches(relative):
                excluded = not rule.includes
        # A folder stays where something in it is included again.
        return excluded and not any(rule.includes and rule.path.startswith(f"{relative}/") for rule in self._rules)


class _Rule:
    def __init__(self, line: str) -> None:
        self.includes = line.startswith("!")
        self.path = line.removeprefix("!").strip("/")
        parts = [re.escape(part) for part in _WILD.split(self.path)]
        wild = [_MEANING[part] for part in _WILD.findall(self.path)] + [""]
        self._pattern = re.compile(
            "".join(part + between for part, between in zip(parts, wild, strict=True)) + "(?:/.*)?"
        )

    def matches(self, path: str) -> bool:
        return bool(self._pattern.fullmatch(path))
