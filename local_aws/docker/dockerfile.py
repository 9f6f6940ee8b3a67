"""A Dockerfile, read.

https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

_VARIABLE = re.compile(r"\\\$|\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}]*))?\})")
_HEREDOC = re.compile(r"<<-?[\"']?(\w+)[\"']?")


class DockerError(Exception):
    """What `docker` says when it fails."""


@dataclass(frozen=True)
class Instruction:
    """One instruction: `COPY --from=build /a /b` is ("COPY", {"from": "build"}, "/a /b")."""

    keyword: str
    flags: dict[str, str]
    rest: str
    line: int

    def words(self) -> list[str]:
        """The arguments, from their JSON or their shell form."""
        words = self.json()
        return shlex.split(self.rest) if words is None else words

    def json(self) -> list[str] | None:
        """The arguments of the JSON form (`["a", "b"]`); None for the shell form."""
        try:
            words = json.loads(self.rest)
        except json.JSONDecodeError:
            return None
        return [str(word) for word in words] if isinstance(words, list) else None

    def __str__(self) -> str:
        flags = "".join(f"--{name}={value} " for name, value in self.flags.items())
        return f"{self.keyword} {flags}{self.rest}"


@dataclass
class Stage:
    """One FROM and what follows it."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)


def parse(text: str, arguments: Mapping[str, str]) -> list[Stage]:
    """The stages of a Dockerfile; `arguments` (`--build-arg`) count in FROM where an ARG before it names them."""
    stages: list[Stage] = []
    known: dict[str, str] = {}
    for instruction in _instructions(text):
        if instruction.keyword == "FROM":
            words = expand(instruction.rest, known).split()
            named = len(words) == 3 and words[1].upper() == "AS"
            if not named and len(words) != 1:
                raise DockerError(f"line {instruction.line}: {instruction} is not FROM image [AS name].")
            stages.append(Stage(words[2] if named else str(len(stages)), words[0]))
        elif stages:
            stages[-1].instructions.append(instruction)
        elif instruction.keyword == "ARG":
            known |= argument(instruction, arguments, known)
        else:
            raise DockerError(f"line {instruction.line}: no build stage in current context: {instruction}")
    if not stages:
        raise DockerError("the Dockerfile has no FROM.")
    return stages


def argument(instruction: Instruction, given: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """What an ARG defines."""
    found: dict[str, str] = {}
    for word in shlex.split(instruction.rest):
        name, has_default, default = word.partition("=")
        if name in given:
            found[name] = given[name]
        elif has_default:
            found[name] = expand(default, known)
        elif name in known:
            found[name] = known[name]
    return found


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Text with `$name`, `${name}`, `${name:-default}` and `${name:+word}` filled in."""

    def fill(match: re.Match[str]) -> str:
        if match[0] == "\\$":
            return "$"
        name, operator, word = match[1] or match[2], match[3], match[4]
        value = variables.get(name)
        present = bool(value) if operator and operator.startswith(":") else value is not None
        if operator and operator.endswith("+"):
            return word if present else ""
        return (value or "") if present else (word or "")

    return _VARIABLE.sub(fill, text)


def _instructions(text: str) -> list[Instruction]:
    lines = text.splitlines()
    found: list[Instruction] = []
    index = 0
    while index < len(lines):
        start, logical = index + 1, lines[index].strip()
        index += 1
        if not logical or logical.startswith("#"):
            continue
        while logical.endswith("\\") and index < len(lines):
            following = lines[index].strip()
            index += 1
            if not following.startswith("#"):
                logical = logical[:-1].rstrip() + " " + following
        instruction = _instruction(logical, start)
        ends = _HEREDOC.findall(logical) if instruction.keyword in ("RUN", "COPY", "ADD") else []
        if ends and instruction.keyword != "RUN":
            raise DockerError(
                f"line {start}: {instruction.keyword} of text written in the Dockerfile is not rehearsed."
            )
        for end in ends:
            while index < len(lines) and lines[index].strip() != end:
                index += 1
            index += 1
        found.append(instruction)
    return found


def _instruction(logical: str, line: int) -> Instruction:
    keyword, _, rest = logical.partition(" ")
    flags: dict[str, str] = {}
    rest = rest.strip()
    while rest.startswith("--"):
        flag, _, rest = rest.partition(" ")
        name, _, value = flag[2:].partition("=")
        flags[name] = value
        rest = rest.strip()
    return Instruction(keyword.upper(), flags, rest, line)
