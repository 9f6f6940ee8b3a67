"""From a request to the light: a trained package behind the real server, captured, labelled, judged."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from config import load_model
from pipelines.packaging import package
from pipelines.rows.columns import model_columns
from pipelines.watch import moments
from tests.local_aws.delivery import eventually, unique
from tests.local_aws.watch.world import ROOT, Served, World
from tests.pipelines import jobs

ROWS = 150


@pytest.fixture
def real(world: World) -> Served:
    """The model of the repository's real data behind the server that it ships with."""
    model, stage = load_model(jobs.CODE), world.stage
    world.team = model.team
    server = stage.image("served", {"start.py": "import runpy; runpy.run_module('model_server', run_name='__main__')"})
    (image,) = (each for each in (world.account.settings.home / "images").glob("*/root/app/start.py"))
    shutil.copytree(ROOT / "model_server", image.parent / "model_server", ignore=shutil.ignore_patterns("__pycache__"))
    code = unique("code")
    stage.put(f"{code}/model.yaml", (jobs.CODE / "model.yaml").read_bytes())
    archive = (jobs.release().evaluated.output("package") / package.ARCHIVE).read_bytes()
    served = Served(world, model.name)
    arn = served.register(server, stage.put(f"{unique('real')}.tar.gz", archive), f"s3://{stage.bucket}/{code}")
    served.serve(arn)
    served.announce()
    return served


def test_requests_to_a_real_model_are_captured_labelled_and_judged(world: World, real: Served) -> None:
    model = load_model(jobs.CODE)
    table = pq.read_table(jobs.release().prepared.output("test") / "2016.parquet").slice(0, ROWS)
    columns = model_columns(table, model.features)
    ids, truth = table[model.data.id].to_pylist(), table[model.target].to_pylist()
    begin = moments.parse("2016-01-04T00:00:00Z")
    for place, identity in enumerate(ids):
        world.account.calendar.set(begin + timedelta(hours=3) * place)
        row = ",".join(_text(columns[feature.name][place, 0]) for feature in model.features)
        world.stage.runtime.invoke_endpoint(
            EndpointName=real.endpoint,
            Body=row,
            ContentType="text/csv",
            Accept="application/json",
            InferenceId=str(identity),
        )
    eventually(lambda: _captured(world, real) == ROWS)
    labels = "".join(f"{identity},{each}\n" for identity, each in zip(ids, truth, strict=True))
    real.labelled(f"{model.data.id},{model.target}\n{labels}".encode(), "january.csv")

    world.run("2016-02-01T05:00:00Z")

    january = real.report["periods"]["2016-01"]
    assert january["n"] == ROWS
    assert january["labels"] == {"n": ROWS, "coverage": 1.0}
    assert january["capture"] == {"answered": ROWS, "captured": ROWS, "percent": 100.0, "coverage": 1.0, "enough": True}
    assert january["realized"]["roc_auc"]["value"] > 0.8
    assert real.report["problems"] == []


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _captured(world: World, served: Served) -> int:
    found = world.s3.list_objects_v2(Bucket=world.records, Prefix=served.places.capture).get("Contents", [])
    bodies = (world.s3.get_object(Bucket=world.records, Key=each["Key"])["Body"].read() for each in found)
    return sum(body.count(b"\n") for body in bodies)
