"""Sorts the lines of a file: those that a model can score, and those that it cannot, with the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from pipelines.batch.judging import Judge
from pipelines.batch.lines import TooLong, blocks
from pipelines.batch.pending import Pending, portions


class Sorted(NamedTuple):
    """How many lines went where."""

    accepted: int
    refused: int


class Late:
    """A file that is there only if something was written to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def write(self, content: bytes) -> None:
        """Appends *content*."""
        if content and self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("wb")
        if self._file:
            self._file.write(content)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._file:
            self._file.close()


def sort_rows(judge: Judge, source: Path, accepted: Path, quarantine: Path, longest: int) -> Sorted:
    """Sorts the lines of *source*; accepted ones stay as they are, byte for byte."""
    good = bad = 0
    with source.open("rb") as file, Late(accepted) as kept, Late(quarantine) as left_out:
        for block in blocks(file, longest):
            if isinstance(block, TooLong):
                bad += 1
                left_out.write(Pending.cut(good + bad, block, longest).dump())
                continue
            lines = block.lines
            reasons = judge.refused(lines)
            kept.write(block.content if not reasons else b"".join(_without(lines, reasons)))
            for place in sorted(reasons):
                left_out.write(Pending.of(good + bad + place + 1, lines[place], reasons[place]).dump())
            bad += len(reasons)
            good += len(lines) - len(reasons)
    return Sorted(good, bad)


class Targets(NamedTuple):
    """Where rows from the quarantine go; `numbers` says which line of its object each accepted row was."""

    accepted: Path
    numbers: Path
    remaining: Path


def sort_pending(judge: Judge, source: Path, targets: Targets, longest: int) -> tuple[Sorted, str]:
    """Sorts the rows of an object in quarantine; also the SHA-256 of what was read."""
    good = bad = 0
    digest = hashlib.sha256()
    with (
        source.open("rb") as file,
        Late(targets.accepted) as kept,
        Late(targets.numbers) as numbers,
        Late(targets.remaining) as remaining,
    ):
        for portion in portions(_hashed(file, digest.update)):
            taken, left = _divided(judge, portion, longest)
            kept.write(b"".join(row for _, row in taken))
            numbers.write(b"".join(b"%d\n" % each.line for each, _ in taken))
            remaining.write(b"".join(each.dump() for each in left))
            good += len(taken)
            bad += len(left)
    return Sorted(good, bad), digest.hexdigest()


def _divided(judge: Judge, portion: list[Pending], longest: int) -> tuple[list[tuple[Pending, bytes]], list[Pending]]:
    """The rows that can be scored now, and those that still cannot, with what is wrong with them now."""
    rows = [(each, row) for each in portion if (row := each.row) is not None and len(row) <= longest]
    reasons = judge.refused([row for _, row in rows])
    taken = [pair for place, pair in enumerate(rows) if place not in reasons]
    now = {rows[place][0].line: reason for place, reason in reasons.items()}
    accepted = {each.line for each, _ in taken}
    left = [each.because(now[each.line]) if each.line in now else each for each in portion]
    return taken, [each for each in left if each.line not in accepted]


def _hashed(lines: Iterable[bytes], add: Callable[[bytes], None]) -> Iterator[bytes]:
    for line in lines:
        add(line)
        yield line


def _without(lines: list[bytes], places: Container[int]) -> Iterator[bytes]:
    return (line for place, line in enumerate(lines) if place not in places)
