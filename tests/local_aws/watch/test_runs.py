from __future__ import annotations

from benchmarks.watch.synthetic import Synthetic
from tests.local_aws.delivery import bucket
from tests.local_aws.watch.world import World

MACHINE = Synthetic("press")


def test_a_month_with_labels_is_green_and_the_next_that_moved_is_red(world: World) -> None:
    served = world.released(MACHINE)
    good, bad = MACHINE.rows(700, 2), MACHINE.rows(600, 3)
    served.answered(good, "2016-01-01T00:00:00Z", "jan")
    served.labelled(good.labels("jan"), "jan.csv")

    assert world.run("2016-02-01T05:00:00Z") == "press: green\n"
    first = served.report
    assert first["periods"]["2016-01"]["capture"]["coverage"] == 1.0
    assert first["latest"] == "2016-01"

    served.answered(bad, "2016-02-02T00:00:00Z", "feb")
    served.labelled(bad.labels("feb", flipped=0.5), "feb.csv")
    data = bucket(world.account)
    world.run("2016-03-01T05:00:00Z", "--data-bucket", data)

    assert served.state.light is not None
    assert served.state.light.tier == "red"
    told = [(each["detail-type"], each["detail"].get("from"), each["detail"].get("to")) for each in world.events()]
    assert told == [
        ("Model Light Changed", "unknown", "green"),
        ("Model Light Changed", "green", "red"),
        ("Model Retraining Wanted", None, None),
    ]
    assert [each.period for each in served.state.retrainings] == ["2016-02"]
    recorded = world.s3.list_objects_v2(Bucket=data)["Contents"]
    assert [each["Key"].rsplit("/", 1)[1] for each in recorded] == ["2016-01.parquet", "2016-02.parquet"]


def test_a_model_that_nobody_wants_watched_is_not_judged(world: World) -> None:
    reason = "  none: Nobody reads what this model answers any more."
    served = world.released(Synthetic("press", monitoring=reason, alarms=""))

    assert world.run("2016-02-01T05:00:00Z") == ""
    assert "Contents" not in world.s3.list_objects_v2(Bucket=world.records, Prefix=served.places.state)
