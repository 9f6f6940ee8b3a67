"""What a person told a model is looked for everywhere but in the data, the package and the caller's own answer."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from botocore.exceptions import ClientError

from config import load_model
from config.model import Model
from model_server.testing import Client
from pipelines.packaging import package
from pipelines.stages.verify import golden_checks
from pipelines.stages.verifying import contract
from pipelines.stages.verifying.asking import asker
from pipelines.stages.verifying.released import Released
from pipelines.watch import dataset, moments
from tests.local_aws.delivery import allow, eventually, role, unique
from tests.local_aws.watch.world import MAY, ROOT, Served, World
from tests.pipelines import jobs
from tests.pipelines.steps.test_other_tasks import FIT
from tests.pipelines.tables import model, rows

KNOWN, UNSEEN, UNKNOWN, NUMBER, ATTRIBUTE = "canaryknown", "canaryunseen", "canarystranger", "7.1357913", "canarynote"
CANARIES = (KNOWN, UNSEEN, UNKNOWN, NUMBER, ATTRIBUTE)
COLOURS = ["red", KNOWN, UNSEEN]
SERVER = "import runpy; runpy.run_module('model_server', run_name='__main__')"
REQUESTS = 60


def told(content: str | bytes) -> list[str]:
    """The canaries in something."""
    text = content.decode(errors="replace") if isinstance(content, bytes) else content
    return [canary for canary in CANARIES if canary in text]


def described(**monitoring: Any) -> Model:
    features = [
        {"name": "size", "type": "number", "minimum": 0, "maximum": 10, "sensitive": True},
        {"name": "colour", "type": "category", "values": COLOURS, "sensitive": True},
        {"name": "weight", "type": "number"},
    ]
    return model(features=features, hyperparameters={"max_iter": 10}, monitoring={"alarms": {}, **monitoring})


class Made:
    """The model's folder, its data, and what the three programs made of them; `said` is all that they printed."""

    def __init__(self, root: Path) -> None:
        self.code, self.said = root / "code", ""
        self.code.mkdir()
        content = described().model_dump(mode="json", exclude={"name"}, exclude_none=True)
        (self.code / "model.yaml").write_text(yaml.safe_dump(content))
        (self.code / "train.py").write_text(FIT.format(estimator="HistGradientBoostingClassifier"))
        data = root / "data"
        data.mkdir()
        pq.write_table(self._table(), data / "rows.parquet")
        prepared = self._done(jobs.prepare(root / "prepare", data, self.code), "prepare")
        trained = self._done(jobs.train(root / "train", prepared.output("train"), self.code), "train")
        evaluated = self._done(jobs.evaluate(root / "evaluate", prepared, trained, self.code), "evaluate")
        self.archive = evaluated.output("package") / package.ARCHIVE
        self.folder = package.unpack(self.archive, root / "package")

    def _done(self, job: jobs.Job, step: str) -> jobs.Job:
        done = job.run(step)
        self.said += done.stdout + done.stderr
        assert done.returncode == 0, done.stderr
        return job

    def _table(self) -> pa.Table:
        draw = np.random.default_rng(5)
        size = np.where(draw.random(900) < 0.03, float(NUMBER), draw.uniform(0, 10, 900).round(3))
        colour = draw.choice(COLOURS[:2], 900)
        late = (size + 3 * (colour == "red") + draw.normal(size=900) > 6).astype(float)
        table = rows(900, size=size.tolist(), colour=colour.tolist(), late=late.tolist())
        return table.append_column("weight", pa.array(draw.uniform(1, 2, 900)))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("release"))


@pytest.fixture
def served(world: World, release: Made) -> Served:
    """The model on instances of its own; the server records, and SageMaker captures nothing."""
    stage, team = world.stage, described().team
    world.team, world.job_role = team, role(world.account, "sagemaker", *MAY, allow("logs:FilterLogEvents"))
    server = stage.image("masking", {"masked.py": SERVER})
    (image,) = (each for each in (world.account.settings.home / "images").glob("*/root/app/masked.py"))
    shutil.copytree(
        ROOT / "model_server",
        image.parent / "model_server",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
    code = unique("code")
    stage.put(f"{code}/model.yaml", (release.code / "model.yaml").read_bytes())
    found = Served(world, "code")
    data = stage.put(f"{unique('masked')}.tar.gz", release.archive.read_bytes())
    world.account.calendar.set(moments.parse("2016-01-01T00:00:00Z"))
    name = unique("model")
    stage.sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=stage.role,
        PrimaryContainer={
            "ModelPackageName": found.register(server, data, f"s3://{stage.bucket}/{code}"),
            "Environment": {"RECORD_PERCENT": "100", "RECORD_SENSITIVE": "masked", "METRICS_SECONDS": "1"},
        },
    )
    stage.sagemaker.create_endpoint(EndpointName=found.endpoint, EndpointConfigName=stage.config(stage.variant(name)))
    assert stage.settled(found.endpoint)["EndpointStatus"] == "InService"
    found.announce()
    return found


def ask(world: World, served: Served, body: str, kind: str, **members: str) -> str:
    """The answer, or the words of the refusal, which are the caller's own."""
    try:
        answer = world.stage.runtime.invoke_endpoint(
            EndpointName=served.endpoint, Body=body, ContentType=kind, Accept="application/json", **members
        )
        return answer["Body"].read().decode()
    except ClientError as error:
        said: dict[str, Any] = {**error.response}
        return said["OriginalMessage"]


def objects(world: World) -> Iterator[tuple[str, bytes]]:
    """Every object of the records bucket, and what is in it."""
    for page in world.s3.get_paginator("list_objects_v2").paginate(Bucket=world.records):
        for each in page.get("Contents", ()):
            content = world.s3.get_object(Bucket=world.records, Key=each["Key"])["Body"].read()
            yield each["Key"], gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def test_no_sensitive_value_is_in_logs_records_reports_metrics_or_what_verify_says(
    world: World, served: Served, release: Made
) -> None:
    begin = moments.parse("2016-01-04T00:00:00Z")
    for place in range(REQUESTS):
        world.account.calendar.set(begin + timedelta(minutes=15) * place)
        row = {"size": float(NUMBER), "colour": (KNOWN, "red", UNSEEN)[place % 3], "weight": 1.5, "id": f"row{place}"}
        document = json.dumps({"instances": [row]})
        line = f"{row['size']},{row['colour']},1.5\n"
        body, kind = (document, "application/json") if place % 2 else (line, "text/csv")
        ask(world, served, body, kind, InferenceId=f"id{place}", CustomAttributes=f"note={ATTRIBUTE}")
    refused = [
        ask(world, served, f"{NUMBER},{UNKNOWN},1\n", "text/csv"),
        ask(
            world,
            served,
            f'{{"instances": [{{"size": "{UNKNOWN}", "colour": "red", "weight": 1}}]}}',
            "application/json",
        ),
        ask(world, served, f"{UNKNOWN}", "application/json"),
    ]
    assert UNKNOWN in refused[0]  # a caller is told its own value
    group = f"/aws/sagemaker/Endpoints/{served.endpoint}"
    eventually(lambda: sum("captureData" in each for each in world.stage.log(group, "AllTraffic")) >= REQUESTS)
    served.invoked([begin + timedelta(minutes=15) * place for place in range(REQUESTS)])
    labels = "".join(f"row{place},{place % 2}\n" if place % 2 else f"id{place},0\n" for place in range(REQUESTS))
    served.labelled(f"id,late\n{labels}".encode(), "january.csv")

    printed = world.run("2016-02-01T05:00:00Z")

    # The watch has counted every row in its bin, although no record says it.
    january = served.report["periods"]["2016-01"]
    assert january["n"] == january["labels"]["n"] == january["capture"]["captured"] == REQUESTS
    assert january["features"]["colour"]["unseen_rate"] == pytest.approx(1 / 3)
    assert january["features"]["size"]["missing_rate"] == 0
    bins = served.report["reference"]["features"]["colour"]["bins"]
    assert january["features"]["colour"]["shares"][bins.index(KNOWN)] == pytest.approx(1 / 3)
    assert not [each for each in served.report["problems"] if not each.startswith("the reference has")]

    # What people read names the categories that the reference knew, because who is harmed has to be seen.
    named = ("watch/", "labels/")
    found = {key: told(content) for key, content in objects(world) if not key.startswith(named)}
    found |= {key: sorted({*told(content)} - {KNOWN}) for key, content in objects(world) if key.startswith(named)}
    assert any("/log/" in key for key in found)
    assert not {key: each for key, each in found.items() if each}
    log = "\n".join(world.stage.log(group, "AllTraffic"))
    assert "captureData" in log
    assert '"status":422' in log
    assert not told(log)
    assert not told(printed)
    assert not told(json.dumps(world.events(), default=str))
    metrics: Any = world.account.client("cloudwatch")
    assert not told(json.dumps(metrics.list_metrics()["Metrics"]))

    verified = Released.of(release.folder, "the package")
    question = asker(world.stage.runtime, served.endpoint)
    checks = [
        *contract.checks(question, verified),
        *golden_checks(world.stage.runtime, served.endpoint, verified.golden),
    ]
    assert not [each.problem for each in checks if each.problem]
    assert not told("\n".join(f"{each.what} {each.promised} {each.got}" for each in checks))

    assert not told(release.said)
    masked = described()
    exported = dataset.export(world.s3, masked, served.places, world.records, world.records, "2016-02-01T05:00:00Z")
    assert not exported.labelled
    assert "records mask its sensitive features" in exported.sentence


def test_a_batch_and_its_records_tell_no_sensitive_value(world: World, release: Made, tmp_path: Path) -> None:
    folder, run = "batch/post/parcels", "january"
    lines = [f"{NUMBER},{KNOWN},1.5\n", f"2.5,{UNSEEN},1.5\n", f"3.5,{UNKNOWN},1.5\n", f"{UNKNOWN},red,1\n"] * 3
    for place in ("rows", "model"):
        (tmp_path / "processing" / "input" / place).mkdir(parents=True)
    (tmp_path / "processing/input/rows/a.csv").write_text("".join(lines))
    shutil.copy(release.archive, tmp_path / "processing/input/model")
    world.s3.put_object(Bucket=world.records, Key=f"{folder}/in/{run}/a.csv", Body="".join(lines).encode())

    def step(program: str, *more: str) -> str:
        command = ["--run", run, "--mode", "first", "--bucket", world.records, "--folder", folder, *more]
        done = subprocess.run(
            [sys.executable, "-m", f"pipelines.batch.{program}", *command],
            cwd=ROOT,
            env={**os.environ, **world.surroundings, "ML_ROOT": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    said = step("screen", "--longest-mb", "6")
    output = tmp_path / "processing/output"
    accepted = (output / "accepted/a.csv").read_bytes()
    answers = Client(release.folder).invoke(accepted, "text/csv; header=absent", "text/csv").body
    for key, content in {
        f"accepted/{run}/a.csv": accepted,
        f"quarantine/{run}/a.csv.jsonl": (output / "quarantine/a.csv.jsonl").read_bytes(),
        f"out/{run}/a.csv.out": answers,
    }.items():
        world.s3.put_object(Bucket=world.records, Key=f"{folder}/{key}", Body=content)
    records = ("--capture", "capture/post/endpoint/batch/", "--mask")
    said += step("reconcile", "--at", "2016-01-04T00:00:00Z", "--package", "package", *records)

    found = {key: content for key, content in objects(world) if "/summary/" in key or key.startswith("capture/")}
    assert sum(key.startswith("capture/") for key in found) == 1
    assert b'"masked": ' in b"".join(found.values())
    assert not told(said)
    assert not {key: told(content) for key, content in found.items() if told(content)}


@pytest.mark.parametrize(
    ("fit", "said"),
    [
        ("def fit(frame, max_iter):\n    float(str(frame['colour'][0]) + 'canaryknown')\n", "ValueError: (its message"),
        ("def fit(frame, max_iter):\n    return frame.drop(columns='canaryknown')\n", "KeyError: (its message"),
    ],
)
def test_what_a_library_says_of_a_row_is_no_reason_of_a_failed_job(
    release: Made, tmp_path: Path, fit: str, said: str
) -> None:
    code = tmp_path / "code"
    shutil.copytree(release.code, code)
    (code / "train.py").write_text(fit)
    job = jobs.train(tmp_path / "train", release.folder.parent / "prepare/processing/output/train", code)
    done = job.run("train")
    assert done.returncode == 1
    assert said in job.failure
    assert 'File "' in done.stderr
    assert not told(job.failure)
    assert not told(done.stdout + "\n".join(line for line in done.stderr.splitlines() if "canaryknown')" not in line))


def test_a_file_that_cannot_be_read_is_not_quoted(release: Made, tmp_path: Path) -> None:
    model_yaml = yaml.safe_load((release.code / "model.yaml").read_text())
    model_yaml["data"]["rows"] = ["*.csv"]
    (tmp_path / "code").mkdir()
    (tmp_path / "code/model.yaml").write_text(yaml.safe_dump(model_yaml))
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text(f"id,year,late,size,colour,weight\n1,2020,1,{UNKNOWN},red,1\n")
    job = jobs.prepare(tmp_path / "job", tmp_path / "data", tmp_path / "code")
    done = job.run("prepare")
    assert done.returncode == 1
    assert "a.csv cannot be read" in job.failure
    assert not told(done.stdout + done.stderr + job.failure)


def test_the_shipped_model_says_why_its_records_are_as_they_were_sent() -> None:
    found = load_model(jobs.CODE)
    assert found.sensitive
    assert not found.masks
