"""Labels come late, twice, wrong and corrected; what counts is the last word on each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.watch.synthetic import Synthetic
from tests.local_aws.watch.world import World

MACHINE = Synthetic("press")
ROWS = MACHINE.rows(400, 2)


def test_labels_that_come_twice_late_or_corrected_say_what_right_ones_at_once_say(world: World, other: World) -> None:
    at_once, late = world.released(MACHINE), other.released(MACHINE)
    for served in (at_once, late):
        served.answered(ROWS, "2016-01-01T00:00:00Z", "jan")
    at_once.labelled(ROWS.labels("jan"), "jan.csv")
    world.run("2016-02-01T05:00:00Z")

    other.run("2016-02-01T05:00:00Z")
    assert tier(late.report) == "unknown"
    late.labelled(ROWS.labels("jan", flipped=0.9), "jan.csv")
    other.run("2016-02-02T05:00:00Z")
    assert late.report["periods"]["2016-01"]["labels"]["n"] == 400
    assert tier(late.report) == "red"
    late.labelled(ROWS.labels("jan"), "jan.csv")
    late.labelled(ROWS.labels("jan"), "again/jan.csv")
    late.labelled(b"id,failed\nnobody-1,1\nnobody-2,0\n", "wrong.csv")
    other.run("2016-02-03T05:00:00Z")

    assert periods(late.report) == periods(at_once.report)
    assert "2 labels have an id that no row has" in late.report["problems"]
    assert [(each["detail"]["from"], each["detail"]["to"]) for each in other.events() if "to" in each["detail"]] == [
        ("unknown", "red"),
        ("red", "green"),
    ]


def test_a_file_that_cannot_be_read_is_told_until_it_is_mended(world: World) -> None:
    served = world.released(MACHINE)
    served.answered(ROWS, "2016-01-01T00:00:00Z", "jan")
    served.labelled(ROWS.labels("jan"), "good.csv")
    served.labelled(b"number,outcome\n1,2\n", "bad.csv")

    for day in (1, 2):
        world.run(f"2016-02-0{day}T05:00:00Z")
        assert tier(served.report) == "green"
        assert served.report["why"][-1].startswith(f"the labels in {served.places.labels}bad.csv were not counted: ")
        assert "labels have no column id" in served.report["why"][-1]
    served.labelled(ROWS.labels("jan"), "bad.csv")
    world.run("2016-02-03T05:00:00Z")

    assert "bad.csv" not in served.report["why"][-1]


def test_a_new_package_reads_the_labels_anew(world: World) -> None:
    served = world.released(MACHINE)
    rows = MACHINE.rows(300, 3)
    served.answered(ROWS, "2016-01-01T00:00:00Z", "jan")
    served.labelled(ROWS.labels("jan"), "jan.csv")
    served.labelled(rows.labels("feb"), "feb.csv")
    world.run("2016-02-01T05:00:00Z")
    newer = Synthetic("press", monitoring="  light: {min_rows: 99}")
    served.serve(served.package(newer), at="2016-02-02T10:30:00Z")
    served.answered(rows, "2016-02-02T00:00:00Z", "feb")
    world.run("2016-03-01T05:00:00Z")

    first, second = served.state.versions
    assert second.since == "2016-02-02T10:30:00Z"
    assert first.fingerprint != second.fingerprint
    assert list(served.report["periods"]) == ["2016-02"]
    assert served.report["periods"]["2016-02"]["n"] == 300 - 11
    assert served.report["periods"]["2016-02"]["labels"] == {"n": 300 - 11, "coverage": 1.0}
    assert served.report["periods"]["2016-02"]["capture"]["coverage"] == 1.0
    assert tier(served.report) == "green"


def tier(report: Mapping[str, Any]) -> str:
    return report["periods"]["2016-01"]["tier"] if "2016-01" in report["periods"] else report["tier"]


def periods(report: Mapping[str, Any]) -> Any:
    return report["periods"]["2016-01"]
