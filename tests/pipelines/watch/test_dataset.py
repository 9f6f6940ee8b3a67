"""Labelled rows from production reach training, in an account on this machine, under a role that may do no more."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from config.model import Model
from local_aws.sagemaker.hosting.capture import Captured, _record
from local_aws.sagemaker.hosting.connections import Response
from pipelines.rows import checks, reading
from pipelines.watch.dataset import Exported, export
from pipelines.watch.places import Places
from tests.pipelines.tables import model

ROOT = Path(__file__).parents[3]
NAMES = ("size", "colour")
CONFIG = {"CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]}
WHERE = ("endpoint", "AllTraffic", "role", "s3://bucket/capture", "")
PLACES = Places("post", "parcels", "greenlight-parcels-production")
AT = "2026-04-10T05:00:00Z"

Row = dict[str, Any]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What points a client of the root user at an account that runs in a process of its own."""
    home = tmp_path_factory.mktemp("account")
    environment = {"PATH": os.environ["PATH"], "LOCAL_AWS_HOME": str(home), "LOCAL_AWS_PORT": "0"}
    account = subprocess.Popen(
        [sys.executable, "-m", "local_aws"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert account.stdout
    url = re.search(r"http://127\.0\.0\.1:\d+", account.stdout.readline())
    assert url
    yield {
        "endpoint_url": url[0],
        "region_name": "us-east-1",
        "aws_access_key_id": "123456789012",
        "aws_secret_access_key": "x",
    }
    account.terminate()
    account.wait(10)


@dataclass
class World:
    """A records and a data bucket, and clients of the root user and of the job."""

    records: str
    data: str
    root: Any
    job: Any

    def capture(self, rows: Iterable[Row], folder: str = "AllTraffic", *, size: int = 1, kind: str = "json") -> None:
        """Requests of *size* rows; each row brings its features, `id` and `at`."""
        hours: dict[str, list[str]] = {}
        listed = list(rows)
        for start in range(0, len(listed), size):
            some = listed[start : start + size]
            hours.setdefault(f"{some[0]['at']:%Y/%m/%d/%H}", []).append(event(some, kind))
        for hour, lines in hours.items():
            self.put(f"{PLACES.capture}{folder}/{hour}/{len(lines)}-{folder}.jsonl", "\n".join(lines).encode())

    def label(self, name: str, **columns: list[Any]) -> None:
        text = io.BytesIO()
        pyarrow.csv.write_csv(pa.table(columns), text)
        self.put(f"{PLACES.labels}{name}.csv", text.getvalue())

    def put(self, key: str, content: bytes) -> None:
        self.root.put_object(Bucket=self.records, Key=key, Body=content)

    def export(self, described: Model, **changes: Any) -> Exported:
        return export(self.job, described, PLACES, self.records, self.data, AT, **changes)

    def table(self, period: str) -> pa.Table:
        key = f"post/parcels/recorded/parcels/{period}.parquet"
        return pq.read_table(io.BytesIO(self.root.get_object(Bucket=self.data, Key=key)["Body"].read()))

    def periods(self) -> list[str]:
        found = self.root.list_objects_v2(Bucket=self.data).get("Contents", [])
        return [Path(each["Key"]).stem for each in found]


@pytest.fixture
def world(root: dict[str, str], request: pytest.FixtureRequest) -> World:
    s3, iam, sts = (boto3.client(name, **root) for name in ("s3", "iam", "sts"))
    name = re.sub(r"[^a-z0-9]", "-", request.node.name.lower())[-40:].strip("-")
    records, data = f"{name}-records", f"{name}-data"
    for bucket in (records, data):
        s3.create_bucket(Bucket=bucket)
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]
    arn = f"arn:aws:s3:::{records}"
    allowed = (
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [f"{arn}/capture/post/*", f"{arn}/labels/post/*"]},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{data}/post/*/recorded/*"},
    )
    iam.put_role_policy(RoleName=name, PolicyName="job", PolicyDocument=document(*allowed))
    given = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="job")["Credentials"]
    credentials = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    return World(records, data, s3, boto3.client("s3", **{**root, **credentials}))


def document(*statements: Row) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def event(rows: list[Row], kind: str) -> str:
    if kind == "csv":
        request = "".join(",".join(str(row[name]) for name in NAMES) + "\n" for row in rows)
        kind, answer = "text/csv", "0.5,1\n" * len(rows)
    else:
        request = json.dumps({"instances": [{name: row[name] for name in NAMES} for row in rows]})
        kind, answer = (
            "application/json",
            json.dumps({"predictions": [{"probability": 0.5, "prediction": 1}] * len(rows)}),
        )
    headers = {"content-type": kind, "x-amzn-sagemaker-inference-id": rows[0]["id"]}
    response = Response(200, {"content-type": kind}, answer.encode())
    return json.dumps(_record(Captured(WHERE, rows[0]["at"], CONFIG, headers, request.encode(), response)))


def row(identity: str, month: int = 3, day: int = 1, **changes: Any) -> Row:
    at = datetime(2026, month, day, 12, tzinfo=UTC)
    return {"id": identity, "at": at, "size": float(day % 10), "colour": "red"} | changes


def parcels(**retraining: Any) -> Model:
    return model(monitoring={"alarms": {}, "retraining": retraining})


def test_labelled_rows_are_written_by_their_period_as_training_reads_them(world: World, tmp_path: Path) -> None:
    world.capture([row("a", 2), row("b", 3, 2, colour="blue"), row("c", 3, 1), row("d", 4)])
    world.label("some", id=["a", "b", "c", "nobody"], late=[1, 0, 1, 1])
    done = world.export(parcels())
    assert done.labelled == {"2026-02": 1, "2026-03": 2}
    assert done.problems == ()
    assert world.periods() == ["2026-02", "2026-03"]
    assert world.table("2026-03").to_pylist() == [
        {"id": "c", "year": "2026-03", "late": 1.0, "size": 1.0, "colour": "red"},
        {"id": "b", "year": "2026-03", "late": 0.0, "size": 2.0, "colour": "blue"},
    ]
    folder = tmp_path / "recorded/parcels"
    folder.mkdir(parents=True)
    pq.write_table(world.table("2026-03"), folder / "2026-03.parquet")
    pq.write_table(world.table("2026-03").slice(0, 1).set_column(0, "id", [["x"]]), tmp_path / "own.parquet")
    read = reading.read(parcels(), tmp_path)
    assert checks.fitting(parcels(), read.recorded) == (world.table("2026-03"), {})


def test_rows_without_a_label_are_told(world: World) -> None:
    world.capture([row("a"), row("b"), row("c")])
    world.label("some", id=["a"], late=[1])
    done = world.export(parcels())
    assert done.unlabelled == {"2026-03": 2}
    assert done.sentence == ("parcels: 1 labelled rows from production are recorded: 2026-03 1 (without a label 2)")


@pytest.mark.parametrize("labels", [{}, {"id": ["b"], "late": [1]}])
def test_without_any_label_nothing_is_written_and_that_is_said(world: World, labels: dict[str, Any]) -> None:
    world.capture([row("a")])
    if labels:
        world.label("other", **labels)
    done = world.export(parcels())
    assert world.periods() == []
    assert done.sentence == (
        "parcels: no row from production has a label, so none is recorded; "
        f"put labels below s3://{world.records}/labels/post/parcels/"
    )


def test_the_last_label_counts_and_of_contradicting_ones_none(world: World) -> None:
    world.capture([row("a"), row("b"), row("c"), row("d")])
    world.label(
        "said",
        id=["a", "a", "b", "b", "d", "d"],
        late=[1, 0, 1, 0, 1, 1],
        labelled_at=["2026-03-03", "2026-03-02", "2026-03-02", "2026-03-02", "2026-03-02", "2026-03-02"],
    )
    world.label("today", id=["c"], late=[0])
    world.export(parcels())
    assert {each["id"]: each["late"] for each in world.table("2026-03").to_pylist()} == {"a": 1.0, "c": 0.0, "d": 1.0}


def test_every_folder_every_form_and_rows_of_one_request_count(world: World) -> None:
    world.capture([row("csv", size=2.5), row("x")], "log", size=2, kind="csv")
    world.capture([row("json", colour=None), row("y")], "batch", size=2)
    world.label("some", id=["csv/0", "csv/1", "json/0", "json/1"], late=[1, 0, 1, 0])
    world.export(parcels())
    found = {each["id"]: each for each in world.table("2026-03").to_pylist()}
    assert found.keys() == {"csv/0", "csv/1", "json/0", "json/1"}
    assert (found["csv/0"]["size"], found["csv/0"]["colour"]) == (2.5, "red")
    assert found["json/0"]["colour"] is None


def test_only_the_newest_periods_and_rows_are_taken(world: World) -> None:
    world.capture([row(f"{month}-{day}", month, day) for month in (1, 2, 3) for day in (1, 2, 3)])
    world.label("all", id=[f"{month}-{day}" for month in (1, 2, 3) for day in (1, 2, 3)], late=[1, 0, 1] * 3)
    assert world.export(parcels(periods=2)).labelled == {"2026-02": 3, "2026-03": 3}
    assert world.export(parcels(rows=4)).labelled == {"2026-02": 1, "2026-03": 3}
    assert world.table("2026-02")["id"].to_pylist() == ["2-3"]
    assert world.export(parcels(rows=1)).labelled == {"2026-03": 1}


def test_an_id_that_was_asked_twice_is_one_row_the_newest(world: World) -> None:
    world.capture([row("a", 2, 5), row("a", 3, 7)])
    world.label("some", id=["a"], late=[1])
    assert world.export(parcels()).labelled == {"2026-03": 1}
    assert world.table("2026-03")["size"].to_pylist() == [7.0]


def test_what_comes_after_the_moment_of_the_run_is_not_there_yet(world: World) -> None:
    world.capture([row("a", 3), row("b", 5)])
    world.label("some", id=["a", "b"], late=[1, 0])
    assert world.export(parcels()).labelled == {"2026-03": 1}


def test_damaged_objects_are_told_and_the_others_are_read(world: World) -> None:
    world.capture([row("a")])
    world.put(f"{PLACES.capture}AllTraffic/2026/03/02/00/cut.jsonl", b'{"captureData": {"endpointInput": \n')
    world.put(f"{PLACES.labels}broken.parquet", b"PAR1 and no more")
    world.label("some", id=["a"], late=[1])
    done = world.export(parcels())
    assert done.labelled == {"2026-03": 1}
    assert sorted(each.split(":")[0] for each in done.problems) == ["a line is no JSON", "an object cannot be read"]
    assert any("labels/post/parcels/broken.parquet" in each for each in done.problems)


def test_a_model_of_several_classes_keeps_its_words(world: World) -> None:
    world.capture([row("a")])
    world.label("some", id=["a"], late=["much"])
    described = model(task="multiclass", monitoring={"alarms": {}})
    world.export(described, scores={"much": "score_much", "little": "score_little", "none": "score_none"})
    assert world.table("2026-03")["late"].to_pylist() == ["much"]


def test_another_teams_data_is_out_of_reach(world: World) -> None:
    world.capture([row("a")])
    world.label("some", id=["a"], late=[1])
    with pytest.raises(ClientError, match="AccessDenied"):
        world.export(model(team="rail", monitoring={"alarms": {}}))
