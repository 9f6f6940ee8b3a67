"""`docker build`: the files that a Dockerfile copies for a target, in a folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from local_aws.docker.context import Context
from local_aws.docker.dockerfile import DockerError, Instruction, Stage, argument, expand, parse

NOT_REHEARSED = "Not rehearsed: "
_NO_EFFECT = {"LABEL", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "SHELL", "VOLUME", "MAINTAINER", "ONBUILD"}


@dataclass
class Snapshot:
    """A stage after its instructions: files below `root`, and what a container of it would start with."""

    root: Path
    workdir: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    ran: bool = False


class Builder:
    """Builds the stages that a target needs, each once, each in a folder of its own."""

    def __init__(
        self, dockerfile: str, context: Path, folder: Path, arguments: dict[str, str], say: Callable[[str], None]
    ) -> None:
        self._stages = {stage.name: stage for stage in parse(dockerfile, arguments)}
        self._context = Context(context)
        self._folder = folder
        self._arguments = arguments
        self._say = say
        self._built: dict[str, Snapshot] = {}

    def build(self, target: str) -> Snapshot:
        """Build a stage by name ("" for the last)."""
        if target and target not in self._stages:
            raise DockerError(
                f'target stage "{target}" could not be found; the Dockerfile has {", ".join(self._stages)}.'
            )
        return self._stage(self._stages[target or list(self._stages)[-1]])

    def _stage(self, stage: Stage) -> Snapshot:
        if stage.name not in self._built:
            snapshot = self._base(stage)
            known = dict(snapshot.environment)
            for instruction in stage.instructions:
                self._apply(instruction, snapshot, known)
            self._built[stage.name] = snapshot
        return self._built[stage.name]

    def _base(self, stage: Stage) -> Snapshot:
        root = self._folder / stage.name.replace("/", "_")
        parent = self._stages.get(stage.base)
        if parent is None or parent is stage:
            if stage.base != "scratch":
                self._say(f"{NOT_REHEARSED}FROM {stage.base} (this machine's own environment stands for it)")
            root.mkdir(parents=True)
            return Snapshot(root, ran=stage.base != "scratch")
        base = self._stage(parent)
        shutil.copytree(base.root, root, symlinks=True)
        return Snapshot(
            root, base.workdir, dict(base.environment), list(base.entrypoint), list(base.command), ran=base.ran
        )

    def _apply(self, instruction: Instruction, snapshot: Snapshot, known: dict[str, str]) -> None:
        match instruction.keyword:
            case "RUN" | "USER":
                self._say(f"{NOT_REHEARSED}{instruction}")
                snapshot.ran = snapshot.ran or instruction.keyword == "RUN"
            case "COPY" | "ADD":
                self._say(str(instruction))
                self._copy(instruction, snapshot, known)
            case "ARG":
                known |= argument(instruction, self._arguments, known)
            case "ENV":
                defined = _definitions(instruction, known)
                snapshot.environment |= defined
                known |= defined
            case "WORKDIR":
                snapshot.workdir = _below(snapshot.workdir, expand(instruction.rest, known))
            case "ENTRYPOINT":
                snapshot.entrypoint, snapshot.command = _command(instruction), []
            case "CMD":
                snapshot.command = _command(instruction)
            case keyword if keyword not in _NO_EFFECT:
                raise DockerError(f"line {instruction.line}: unknown instruction: {keyword}")

    def _copy(self, instruction: Instruction, snapshot: Snapshot, known: dict[str, str]) -> None:
        *sources, target = self._paths(instruction, known)
        origin = instruction.flags.get("from", "")
        if origin and origin not in self._stages:
            self._say(f"{NOT_REHEARSED}{instruction}")
            snapshot.ran = True
            return
        stage = self._stage(self._stages[origin]) if origin else None
        context = Context(stage.root) if stage else self._context
        found = {source: context.find(source) for source in sources}
        if missing := [source for source, paths in found.items() if not paths]:
            if not (stage and stage.ran):
                raise DockerError(
                    "failed to solve: failed to compute cache key: failed to calculate checksum of ref: "
                    f'"/{missing[0].lstrip("/")}": not found (line {instruction.line}: {instruction})'
                )
            self._say(f"{NOT_REHEARSED}{instruction} ({', '.join(missing)} would come from a RUN)")
        paths = [path for several in found.values() for path in several]
        place = snapshot.root / _below(snapshot.workdir, target).lstrip("/")
        into = len(paths) > 1 or target.endswith("/") or Path(target).name in ("", ".") or place.is_dir()
        for path in paths:
            _place(path, place / path.name if into and not path.is_dir() else place, context)

    def _paths(self, instruction: Instruction, known: dict[str, str]) -> list[str]:
        words = [expand(word, known) for word in instruction.words()]
        unknown = set(instruction.flags) - {"from", "chown", "link"}
        if unknown or len(words) < 2 or any("://" in word for word in words):
            raise DockerError(f"line {instruction.line}: {instruction} is not rehearsed; copy files of the context.")
        return words


def _place(path: Path, target: Path, context: Context) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True, ignore=context.ignored)
    else:
        shutil.copy2(path, target, follow_symlinks=False)


def _below(folder: str, path: str) -> str:
    return os.path.normpath(PurePosixPath(folder) / path)


def _definitions(instruction: Instruction, known: dict[str, str]) -> dict[str, str]:
    name, space, value = instruction.rest.partition(" ")
    if space and "=" not in name:
        return {name: expand(value.strip(), known)}  # the old form, ENV NAME value
    return {key: expand(value, known) for key, _, value in (word.partition("=") for word in instruction.words())}


def _command(instruction: Instruction) -> list[str]:
    words = instruction.json()
    return ["/bin/sh", "-c", instruction.rest] if words is None else words
