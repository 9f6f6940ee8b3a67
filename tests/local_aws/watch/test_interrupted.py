"""However often runs are killed, started twice or run beside each other: what is counted is counted once."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter

import pytest

from benchmarks.watch.synthetic import Synthetic
from pipelines.watch.state import State
from tests.local_aws.watch.world import Served, World

MACHINE = Synthetic("press")
MONTHS = ("2016-01", "2016-02", "2016-03")
AT = "2016-04-01T05:00:00Z"


def filled(world: World) -> Served:
    """Three months of rows and labels: good, good, bad."""
    served = world.released(MACHINE)
    for place, month in enumerate(MONTHS):
        rows = MACHINE.rows(500, place)
        served.answered(rows, f"{month}-03T00:00:00Z", month)
        served.labelled(rows.labels(month, flipped=0.5 if place == 2 else 0), f"{month}.csv")
    return served


def changes(world: World) -> Counter[tuple[str, ...]]:
    """How often each event was told, by its id."""
    found = [each["detail"] | {"type": each["detail-type"]} for each in world.events()]
    assert len({each["id"] for each in found}) == len(found)
    return Counter((each["type"], each["period"], each.get("from", ""), each.get("to", "")) for each in found)


@pytest.fixture(scope="module")
def expected() -> dict[str, object]:
    """What a run that nobody disturbs says; filled by the first test."""
    return {}


@pytest.fixture
def clean(world: World, expected: dict[str, object]) -> dict[str, object]:
    if not expected:
        served = filled(world)
        world.run(AT)
        expected |= {"numbers": served.numbers(), "tiers": dict(served.state.tiers), "changes": changes(world)}
    return expected


def said(world: World, served: Served) -> dict[str, object]:
    return {"numbers": served.numbers(), "tiers": dict(served.state.tiers), "changes": changes(world)}


def test_the_clean_run_is_red_for_the_bad_month(clean: dict[str, object]) -> None:
    assert clean["tiers"] == {"2016-01": "green", "2016-02": "green", "2016-03": "red"}
    assert clean["changes"] == {
        ("Model Light Changed", "2016-03", "unknown", "red"): 1,
        ("Model Needs A Person", "2016-03", "", ""): 1,
    }


def test_a_run_that_was_killed_again_and_again_says_the_same(clean: dict[str, object], other: World) -> None:
    served = filled(other)
    chance = random.Random(5)
    for _ in range(10):
        before = other.written()
        job = other.start(AT)
        while other.written() == before and job.poll() is None:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.15))
        job.send_signal(signal.SIGKILL)
        job.communicate()
        assert job.returncode == -signal.SIGKILL
    other.run(AT)

    assert said(other, served) == clean


def test_two_runs_at_once_say_the_same(clean: dict[str, object], other: World) -> None:
    served = filled(other)
    jobs = [other.start(AT) for _ in range(2)]
    endings = [job.communicate() for job in jobs]

    assert [job.returncode for job in jobs] == [0, 0], endings
    assert said(other, served) == clean


def test_instances_that_share_the_files_count_the_same(clean: dict[str, object], other: World) -> None:
    served = filled(other)
    for place in (0, 1):
        root = other.home / f"instance-{place}"
        (root / "config").mkdir(parents=True)
        told = f'{{"current_host": "algo-{place + 1}", "hosts": ["algo-1", "algo-2"]}}'
        (root / "config" / "resourceconfig.json").write_text(told)
    jobs = [other.start(AT, "--only", "count", ML_ROOT=str(other.home / f"instance-{place}")) for place in (0, 1)]
    endings = [job.communicate() for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], endings
    other.run(AT, "--only", "judge")

    assert said(other, served) == clean


def test_a_second_run_counts_and_tells_nothing_again(clean: dict[str, object], other: World) -> None:
    served = filled(other)
    other.run(AT)
    other.run("2016-04-01T06:00:00Z")

    assert said(other, served)["changes"] == clean["changes"]
    assert served.numbers() == clean["numbers"]


def test_an_event_that_was_written_and_not_sent_is_sent_by_the_next_run(other: World) -> None:
    served = filled(other)
    other.run(AT)
    sent = other.events()
    entries = [
        {"Source": each["source"], "DetailType": each["detail-type"], "Detail": json.dumps(each["detail"])}
        for each in sent
    ]
    state: State = served.state.but(outbox=tuple(entries))
    other.s3.put_object(Bucket=other.records, Key=served.places.state, Body=state.dump())

    other.run("2016-04-02T05:00:00Z")

    assert [each["detail"] for each in other.events()] == [each["detail"] for each in sent]
    assert served.state.outbox == ()
