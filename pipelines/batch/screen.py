"""Sorts the rows of a batch before a model scores them: accepted ones, and the others with the reason.

Inputs `rows` (the objects of the run, or in mode `again` the quarantine) and `model`; outputs `accepted`, and
`quarantine`, or in mode `again` what is to become of it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.batch.judging import Judge
from pipelines.batch.objects import Objects
from pipelines.batch.places import ANSWERS, PENDING, Places, named
from pipelines.batch.sorting import Sorted, Targets, sort_pending, sort_rows
from pipelines.container import Container, run
from pipelines.packaging import package, sealing

EVIDENCE, NUMBERS = ".json", ".lines"
AGAIN = "again"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Screen:
    """One run, as one instance sees it."""

    name: str
    judge: Judge
    container: Container
    objects: Objects
    places: Places
    longest: int

    def run_rows(self) -> Iterator[tuple[str, Sorted]]:
        """Sorts each of this instance's objects, after what an earlier try left of it is gone."""
        leftovers = {
            prefix: self.objects.names(prefix)
            for prefix in (
                self.places.accepted(self.name),
                self.places.answers(self.name),
                self.places.quarantine(self.name),
            )
        }
        for source, name in self._sources():
            for prefix, left in leftovers.items():
                for key in left.intersection((name, f"{name}{ANSWERS}", f"{name}{PENDING}")):
                    self.objects.delete(f"{prefix}{key}")
            quarantine = self.container.output("quarantine") / f"{name}{PENDING}"
            yield (
                name,
                sort_rows(self.judge, source, self.container.output("accepted") / name, quarantine, self.longest),
            )

    def run_quarantine(self) -> Iterator[tuple[str, Sorted]]:
        """Sorts each of this instance's objects in quarantine whose own run has come to its end."""
        finished = self.objects.names(self.places.summaries, EVIDENCE)
        for source, key in self._sources():
            name = key.removesuffix(PENDING)
            if name.partition("/")[0] not in finished:
                continue
            found = self.container.output(AGAIN) / name
            targets = Targets(
                self.container.output("accepted") / name,
                found.with_name(f"{found.name}{NUMBERS}"),
                found.with_name(f"{found.name}{PENDING}"),
            )
            counts, digest = sort_pending(self.judge, source, targets, self.longest)
            found.parent.mkdir(parents=True, exist_ok=True)
            evidence = {"sha256": digest, "accepted": counts.accepted, "remaining": counts.refused}
            found.with_name(f"{found.name}{EVIDENCE}").write_text(json.dumps(evidence))
            yield name, counts

    def _sources(self) -> Iterator[tuple[Path, str]]:
        root = self.container.input("rows")
        for file in sorted(root.rglob("*")):
            if file.is_file():
                yield file, file.relative_to(root).as_posix()


def screen(container: Container) -> None:
    """From the inputs to the outputs, object by object."""
    arguments = _arguments()
    name = named(arguments.run)
    with tempfile.TemporaryDirectory() as scratch:
        folder = sealing.unpack(container.input("model") / package.ARCHIVE, Path(scratch))
        judge = Judge.of_package(folder)
    objects, places = Objects.of(arguments.bucket), Places(arguments.folder)
    one = Screen(name, judge, container, objects, places, arguments.longest_mb * MEGABYTE)
    for each, counts in one.run_quarantine() if arguments.mode == AGAIN else one.run_rows():
        print(f"{each}: {counts.accepted:,} accepted, {counts.refused:,} in quarantine", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="screen", description=__doc__)
    parser.add_argument("--run", required=True, help="the run's name")
    parser.add_argument("--mode", choices=("first", AGAIN), required=True, help="rows that are new, or the quarantine")
    parser.add_argument("--bucket", required=True, help="the records bucket")
    parser.add_argument("--folder", required=True, help="batch/<team>/<model>")
    parser.add_argument("--longest-mb", type=int, required=True, help="the most that one request may carry")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(screen))
