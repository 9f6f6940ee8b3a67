"""What cannot be judged is unknown, with a sentence; the other models are judged."""

from __future__ import annotations

import json

from benchmarks.watch.synthetic import Synthetic
from tests.local_aws.watch.world import ENVIRONMENT, World

MACHINE = Synthetic("press")
ROWS = MACHINE.rows(400, 2)
AT = "2016-02-01T05:00:00Z"


def test_one_models_trouble_is_not_the_others(world: World) -> None:
    good = world.released(MACHINE)
    good.answered(ROWS, "2016-01-01T00:00:00Z", "jan")
    good.labelled(ROWS.labels("jan"), "jan.csv")
    gone = world.released(Synthetic("gone"))
    world.stage.sagemaker.delete_endpoint(EndpointName=gone.endpoint)
    world.stage.put("broken/model.yaml", "description: nothing else\n")
    broken = world.released(Synthetic("broken"), code="broken")
    bare = world.released(Synthetic("bare"))
    bare.serve(bare.package(Synthetic("bare"), bare=True))

    printed = world.run(AT)

    assert printed.splitlines() == ["bare: unknown", "broken: unknown", "gone: unknown", "press: green"]
    assert gone.report["why"] == [f"there is no endpoint {gone.endpoint}; release the model, or delete its stack"]
    assert "model.yaml" in broken.report["why"][0]
    assert "has no baseline.json" in bare.report["why"][0]


def test_captured_objects_that_go_before_they_are_counted_make_a_period_unknown(world: World) -> None:
    served = world.released(MACHINE)
    keys = served.answered(ROWS, "2016-01-01T00:00:00Z", "jan")
    served.labelled(ROWS.labels("jan"), "jan.csv")
    for key in keys[:100]:
        world.s3.delete_object(Bucket=world.records, Key=key)

    world.run(AT)

    assert served.state.light is not None
    assert served.state.light.tier == "unknown"
    assert served.state.light.why[0].startswith("only 300 events were captured of 400 answers: 75%")


def test_captured_objects_that_go_after_they_were_counted_stay_counted(world: World) -> None:
    served = world.released(MACHINE)
    keys = served.answered(ROWS, "2016-01-01T00:00:00Z", "jan")
    served.labelled(ROWS.labels("jan"), "jan.csv")
    world.run(AT)
    before = served.numbers()
    for key in keys:
        world.s3.delete_object(Bucket=world.records, Key=key)

    world.run("2016-02-02T05:00:00Z")

    assert served.numbers() == before


def test_lines_that_cannot_be_read_are_counted_as_problems(world: World) -> None:
    served = world.released(MACHINE)
    served.answered(ROWS, "2016-01-01T00:00:00Z", "jan")
    event = next(iter(ROWS.captured_events()))
    key = f"{served.places.capture}AllTraffic/2016/01/05/07/00-00-000-odd.jsonl"
    world.s3.put_object(Bucket=world.records, Key=key, Body=event + b"no event at all\n")

    world.run(AT)

    assert "1 a line is no JSON" in served.report["problems"]
    assert served.report["periods"]["2016-01"]["n"] == 401


def test_an_error_of_aws_fails_the_job_after_the_others_were_judged(world: World) -> None:
    served = world.released(MACHINE)
    world.account.client("ssm").put_parameter(
        Name=f"/{world.project}/{ENVIRONMENT}/models/{world.team}/aaa",
        Value=json.dumps({"endpoint": "not/a name"}),
        Type="String",
    )

    job = world.start(AT)
    _, errors = job.communicate()

    assert job.returncode == 1
    message = (world.home / "output" / "message").read_text()
    assert message.startswith("1 of 2 models could not be judged: aaa: ")
    assert served.state.light is not None, errors


def test_the_metrics_of_a_run_say_how_every_model_is(world: World) -> None:
    served = world.released(MACHINE)
    served.answered(ROWS, "2016-01-01T00:00:00Z", "jan")
    served.labelled(ROWS.labels("jan"), "jan.csv")

    world.run(AT)

    metrics = world.account.client("cloudwatch").list_metrics(Namespace=f"{world.project}/watch")["Metrics"]
    names = sorted(each["MetricName"] for each in metrics)
    assert names == sorted(
        ["Judged", "Light", "Rows", "CaptureCoverage", "LabelCoverage", "DriftedFeatures", "Estimated", "Realized"]
        + ["Psi"] * 3
    )
