"""What the programs of a batch leave in the bucket, where jobs end in between or somebody else writes there."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from local_aws.account import Account
from model_server.testing import Client
from pipelines.batch import again, first
from pipelines.batch.judging import Judge
from pipelines.batch.objects import Objects
from pipelines.batch.places import Places
from pipelines.batch.screen import MEGABYTE, Screen
from pipelines.batch.task import Task
from pipelines.container import Container, StepError
from pipelines.packaging import package
from tests.local_aws.batch.world import FOLDER, Packages
from tests.local_aws.delivery import bucket
from tests.monitoring.reading.events import BINARY
from tests.monitoring.reading.tables import read_events

BLUE = b"5,red\n7,blue\n8,blue\n9,green\n"


class Bench:
    """A bucket, and the programs run on it one by one, as the jobs would."""

    def __init__(self, account: Account, packages: Packages, folder: Path) -> None:
        self.objects = Objects(bucket(account), account.client("s3"))
        self.places = Places(FOLDER)
        self._folder = folder
        self._packages = {name: self._unpacked(name, content) for name, content in packages.both.items()}

    def give(self, run: str, name: str, content: bytes) -> None:
        self.objects.put(self.places.rows(run) + name, content)

    def through(self, run: str, by: str = "older", *, mode: str = "first") -> dict[str, Any]:
        """The summary of a run from its beginning to its end."""
        self.screen(run, by, mode)
        self.score(run, by)
        return self.reconcile(run, by, mode=mode)

    def screen(self, run: str, by: str, mode: str = "first") -> None:
        root = Path(tempfile.mkdtemp(dir=self._folder))
        given = self.places.rows(run) if mode == "first" else self.places.quarantine()
        for name in self.objects.names(given):
            file = root / "processing/input/rows" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"".join(self.objects.chunks(given + name)))
        judge = Judge.of_package(self._packages[by])
        screen = Screen(run, judge, Container(root), self.objects, self.places, MEGABYTE)
        list(screen.run_rows() if mode == "first" else screen.run_quarantine())
        made = root / "processing/output"
        for file in [file for file in made.rglob("*") if file.is_file()]:
            kind, _, name = file.relative_to(made).as_posix().partition("/")
            self.objects.put(f"{FOLDER}/{kind}/{run}/{name}", file.read_bytes())

    def score(self, run: str, by: str) -> None:
        client = Client(self._packages[by])
        for name in self.objects.names(self.places.accepted(run)):
            rows = b"".join(self.objects.chunks(self.places.accepted(run) + name))
            self.objects.put(f"{self.places.answers(run)}{name}.out", client.invoke(rows, "text/csv").body)

    def reconcile(self, run: str, by: str, *, mode: str = "first") -> dict[str, Any]:
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/parcels/{by}"
        task = Task(run, "2026-11-25T12:29:08.123Z", arn, self.objects, self.places, "capture/post/parcels/batch/")
        return (first if mode == "first" else again).reconcile(task)

    def summary(self, run: str) -> dict[str, Any]:
        return self.objects.json(self.places.summary(run)) or {}

    def pending(self) -> dict[str, int]:
        """The rows in quarantine, by object."""
        names = self.objects.names(self.places.quarantine())
        return {name: self.objects.count(self.places.quarantine() + name) for name in names}

    def _unpacked(self, name: str, content: bytes) -> Path:
        archive = self._folder / f"{name}.tar.gz"
        archive.write_bytes(content)
        return package.unpack(archive, self._folder / name)


@pytest.fixture
def bench(account: Account, packages: Packages, tmp_path: Path) -> Bench:
    return Bench(account, packages, tmp_path)


def test_rows_that_were_scored_leave_the_quarantine_and_the_run_they_came_with_says_so(bench: Bench) -> None:
    bench.give("one", "a.csv", BLUE + b"10,mauve\n")
    assert bench.through("one")["pending"] == 3
    summary = bench.through("again-1", "newer", mode="again")
    assert (summary["in"], summary["scored"], summary["quarantined"]) == (3, 2, 1)
    told = bench.summary("one")
    assert (told["scored_later"], told["pending"]) == ({"again-1": 2}, 1)
    assert bench.pending() == {"one/a.csv.jsonl": 1}
    assert bench.objects.json(f"{FOLDER}/screened/parcels/newer.json")


def test_a_run_that_ended_before_it_took_rows_out_loses_none_and_the_next_says_that_it_scored_them_twice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.give("one", "a.csv", BLUE)
    bench.through("one")

    def end(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(again, "_take_out", end)
        with pytest.raises(KeyboardInterrupt):
            bench.through("again-1", "newer", mode="again")
    assert bench.pending() == {"one/a.csv.jsonl": 2}
    bench.through("again-2", "newer", mode="again")
    assert bench.pending() == {}
    told = bench.summary("one")
    assert told["scored_later"] == {"again-1": 2, "again-2": 2}
    assert (told["pending"], told["scored_twice"]) == (0, 2)


def test_rows_that_came_into_an_object_since_it_was_screened_stay_there(bench: Bench) -> None:
    bench.give("one", "a.csv", BLUE)
    bench.through("one")
    bench.screen("again-1", "newer", "again")
    bench.score("again-1", "newer")
    bench.give("one", "a.csv", BLUE + b"10,blue\n")
    bench.through("one")
    with pytest.raises(StepError, match="has changed since run again-1 screened it"):
        bench.reconcile("again-1", "newer", mode="again")
    assert bench.pending() == {"one/a.csv.jsonl": 3}
    assert bench.summary("one")["pending"] == 3


def test_rows_of_a_run_that_has_not_come_to_its_end_are_left_to_it(bench: Bench) -> None:
    bench.give("one", "a.csv", BLUE)
    bench.screen("one", "older")
    summary = bench.through("again-1", "newer", mode="again")
    assert summary["in"] == 0
    assert bench.pending() == {"one/a.csv.jsonl": 2}


def test_a_run_done_again_with_a_package_that_knows_more_leaves_nothing_of_its_first_try(bench: Bench) -> None:
    bench.give("one", "a.csv", BLUE)
    bench.give("one", "b.csv", b"1,blue\n")
    assert bench.through("one")["pending"] == 3
    summary = bench.through("one", "newer")
    assert (summary["scored"], summary["pending"]) == (5, 0)
    assert bench.pending() == {}


def test_a_run_done_again_after_its_rows_were_scored_later_says_that_those_are_scored_twice(bench: Bench) -> None:
    bench.give("one", "a.csv", BLUE)
    bench.through("one")
    bench.through("again-1", "newer", mode="again")
    summary = bench.through("one", "newer")
    assert (summary["scored"], summary["scored_later"], summary["scored_twice"]) == (4, {"again-1": 2}, 2)


@pytest.mark.parametrize(
    ("kind", "change", "sentence"),
    [
        ("in", b"1,red\n", "a.csv has 1 rows, of which 2 were accepted and 2 quarantined"),
        ("in", None, "a.csv has 0 rows, of which 2 were accepted and 2 quarantined"),
        ("accepted", b"5,red\n", "a.csv has 4 rows, of which 1 were accepted and 2 quarantined"),
        ("quarantine", None, "a.csv has 4 rows, of which 2 were accepted and 0 quarantined"),
        ("out", None, "of a.csv 2 rows were accepted, and 0 have an answer"),
        ("out", b"0.5,1\n,\n", "of a.csv 2 rows were accepted, and 1 have an answer"),
        ("out", b"0.5,1\n0.5,1\n0.5,1\n", "of a.csv 2 rows were accepted, and 3 have an answer"),
    ],
)
def test_what_does_not_add_up_is_told_and_nothing_is_recorded(
    bench: Bench, kind: str, change: bytes | None, sentence: str
) -> None:
    bench.give("one", "a.csv", BLUE)
    bench.screen("one", "older")
    bench.score("one", "older")
    key = f"{FOLDER}/{kind}/one/a.csv{ {'quarantine': '.jsonl', 'out': '.out'}.get(kind, '') }"
    if change is None:
        bench.objects.delete(key)
    else:
        bench.objects.put(key, change)
    with pytest.raises(StepError, match=f"run one does not add up: {sentence}. Nothing was recorded"):
        bench.reconcile("one", "older")
    assert not bench.objects.names("capture/")
    assert not bench.summary("one")


def test_monitoring_reads_the_rows_under_the_ids_that_labels_are_joined_by(bench: Bench, tmp_path: Path) -> None:
    bench.give("one", "deep/a.csv", BLUE)
    bench.through("one")
    bench.through("again-1", "newer", mode="again")
    prefix = "capture/post/parcels/batch/"
    for name in bench.objects.names(prefix):
        file = tmp_path / "read" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"".join(bench.objects.chunks(prefix + name)))
    rows = [read_events(file, BINARY) for file in sorted((tmp_path / "read").rglob("*.jsonl"))]
    assert not any(problems for _, problems in rows)
    again, one = (found for found, _ in rows)
    assert one["id"] == ["one/deep/a.csv/0", "one/deep/a.csv/1"]
    assert again["id"] == ["again-1/one/deep/a.csv/0", "again-1/one/deep/a.csv/1"]
    assert again["job"] == ["blue", "blue"]
    assert one["at"] == ["2026-11-25T12:29:08Z"] * 2
    assert all(value is not None for found in (one, again) for value in found["p"])


def test_records_say_which_rows_of_their_object_they_hold(bench: Bench) -> None:
    bench.give("one", "a.csv", b"".join(b"%d.5,red\n" % (row % 9) for row in range(2500)))
    bench.give("one", "b.csv", b"5,red\n")
    bench.through("one")
    (name,) = bench.objects.names("capture/post/parcels/batch/")
    assert name == "2026/11/25/12/one-0.jsonl"
    events = [json.loads(line) for line in bench.objects.lines(f"capture/post/parcels/batch/{name}")]
    told = [(each["eventMetadata"]["inferenceId"], each["eventMetadata"]["firstRow"]) for each in events]
    assert told == [("one/a.csv", 0), ("one/a.csv", 1000), ("one/a.csv", 2000), ("one/b.csv", 0)]
    rows = [each["captureData"]["endpointInput"]["data"].count("\n") for each in events]
    answers = [each["captureData"]["endpointOutput"]["data"].count("\n") for each in events]
    assert rows == answers == [1000, 1000, 500, 1]
    assert Counter(each["eventMetadata"]["eventId"] for each in events).most_common(1)[0][1] == 1
