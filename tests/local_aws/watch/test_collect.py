"""What the real model server records into its log is collected, and read like what SageMaker captures."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from sklearn.linear_model import LogisticRegression

from local_aws.account import Account
from monitoring.reading import Capture, Problems, batches
from pipelines.watch.collect import collect
from pipelines.watch.places import Places
from tests.local_aws.delivery import allow, bucket, eventually, role, unique
from tests.local_aws.sagemaker.stage import Stage
from tests.pipelines import models
from tests.pipelines.tables import CATEGORY, NUMBER, model

ROOT = Path(__file__).parents[3]
SERVER = "import sys\nfrom model_server.__main__ import main\nsys.exit(main(sys.argv[1:]))\n"
CAPTURE = Capture(("size", "colour"), {"1": "p"}, "predicted", "id", "at")
CSV, JSON, PARQUET = "text/csv", "application/json", "application/vnd.apache.parquet"
BEGIN, AT, END = "2027-03-01T05:00:00Z", datetime(2027, 3, 1, 5, 3, tzinfo=UTC), "2027-03-01T05:16:00Z"
ROWS = models.random_rows(2000).select(["size", "colour"])


class Asked(NamedTuple):
    """A request, the id that its answer named, and what it said of each row."""

    id: str
    rows: pa.Table
    answers: list[tuple[float, int]]


class Workplace:
    """An endpoint of the real server, and a bucket for what it records."""

    def __init__(self, account: Account, stage: Stage, endpoint: str) -> None:
        self.account, self.stage, self.endpoint = account, stage, endpoint
        self.bucket = bucket(account, versioned=False)
        self.group = f"/aws/sagemaker/Endpoints/{endpoint}"
        self.places = Places("risk", "parcels", endpoint)
        group = account.arn("logs", f"log-group:{self.group}")
        objects = f"arn:aws:s3:::{self.bucket}/{self.places.capture}log/*"
        may = allow("logs:FilterLogEvents", resource=[group, f"{group}:*"]), allow("s3:PutObject", resource=objects)
        arn = role(account, "sagemaker", *may)
        self.logs, self.s3 = (
            account.client(name, arn, service_principal="sagemaker.amazonaws.com") for name in ("logs", "s3")
        )

    def ask(self, body: bytes, kind: str, rows: pa.Table, **members: str) -> Asked:
        said = self.account.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.endpoint, Body=body, ContentType=kind, Accept=JSON if kind == PARQUET else kind, **members
        )
        answer = said["Body"].read()
        identity = said["CustomAttributes"].rpartition("inference-id=")[2]
        if kind == CSV:
            pairs = [line.split(",") for line in answer.decode().splitlines()]
            return Asked(identity, rows, [(float(score), int(label)) for score, label in pairs])
        told = json.loads(answer)
        assert told["id"] == identity
        return Asked(identity, rows, [(each["probability"], each["prediction"]) for each in told["predictions"]])

    def collect(self, begin: str = BEGIN, end: str = END) -> str:
        return collect(self.logs, self.s3, self.bucket, self.places, self.group, begin, end)

    def objects(self) -> dict[str, bytes]:
        s3: Any = self.account.client("s3")
        found = s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {each["Key"]: s3.get_object(Bucket=self.bucket, Key=each["Key"])["Body"].read() for each in found}

    def write(self, at: datetime, *messages: str) -> None:
        """Lines as they come to CloudWatch Logs."""
        logs: Any = self.account.client("logs")
        stream = unique("stream")
        logs.create_log_stream(logGroupName=self.group, logStreamName=stream)
        stamp = int(at.timestamp() * 1000)
        events = [{"timestamp": stamp + place, "message": message} for place, message in enumerate(messages)]
        logs.put_log_events(logGroupName=self.group, logStreamName=stream, logEvents=events)


@pytest.fixture(scope="module")
def endpoint(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A package of the real server that records all requests, on an endpoint."""
    described = model(task="binary", features=[NUMBER, CATEGORY])
    table = models.random_rows(500)
    fitted = models.fitted(described, table, models.one_hot(LogisticRegression()), table["late"].to_numpy().astype(int))
    package = models.packaged(tmp_path_factory.mktemp("package"), described, *fitted)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(package, ".")
    name = unique("model")
    container = {
        "Image": stage.image("recorder", {"serve.py": SERVER}),
        "ModelDataUrl": stage.put(f"{name}/model.tar.gz", archive.getvalue()),
        "Environment": {"PYTHONPATH": str(ROOT), "RECORD_PERCENT": "100", "SAGEMAKER_MODEL_SERVER_WORKERS": "2"},
    }
    stage.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=stage.role)
    endpoint = stage.endpoint(stage.config(stage.variant(name)))
    assert stage.settled(endpoint)["EndpointStatus"] == "InService"
    logs: Any = stage.account.client("logs")
    eventually(lambda: logs.describe_log_groups(logGroupNamePrefix=f"/aws/sagemaker/Endpoints/{endpoint}")["logGroups"])
    yield endpoint
    stage.sagemaker.delete_endpoint(EndpointName=endpoint)


@pytest.fixture
def place(account: Account, stage: Stage) -> Workplace:
    """A log group that nobody else writes to."""
    workplace = Workplace(account, stage, unique("endpoint"))
    account.client("logs").create_log_group(logGroupName=workplace.group)
    return workplace


def csv(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(rows, sink, pyarrow.csv.WriteOptions(include_header=False, quoting_style="none"))
    return sink.getvalue().to_pybytes()


def parquet(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows, sink)
    return sink.getvalue()


def document(rows: pa.Table) -> bytes:
    return json.dumps({"instances": rows.to_pylist()}).encode()


def test_rows_answers_and_ids_are_those_that_were_sent_and_answered(
    account: Account, stage: Stage, endpoint: str, tmp_path: Path
) -> None:
    place = Workplace(account, stage, endpoint)
    one = ROWS.slice(3, 1)
    account.calendar.set(AT)
    try:
        asked = [
            place.ask(csv(one), CSV, one),
            place.ask(csv(one), CSV, one, InferenceId="mine"),
            place.ask(document(one), JSON, one, CustomAttributes="trace=1"),
            place.ask(parquet(one), PARQUET, one),
            *(place.ask(write(ROWS), kind, ROWS) for write, kind in ((csv, CSV), (document, JSON), (parquet, PARQUET))),
        ]
        eventually(lambda: _written(place) == len(asked))
        assert place.collect() == "2027-03-01T05:10:00Z"
    finally:
        account.calendar.set(None)
    ((key, content),) = place.objects().items()
    assert key == f"capture/risk/{endpoint}/log/2027/03/01/05/20270301T0500Z-20270301T0510Z.jsonl"
    (tmp_path / "a.jsonl").write_bytes(content)
    problems = Problems()
    read = pa.Table.from_batches(
        [
            pa.record_batch({name: pa.array(map(str, batch[name].to_pylist())) for name in batch.schema.names})
            for batch in batches([tmp_path], CAPTURE.columns, capture=CAPTURE, problems=problems)
        ]
    )
    assert not problems.counts
    assert set(read["at"].to_pylist()) == {"2027-03-01T05:03:00.000+00:00"}
    found = {row.pop("id"): row for row in read.to_pylist()}
    assert asked[1].id == "mine"
    assert len(found) == read.num_rows == sum(len(each.rows) for each in asked)
    for each in asked:
        ids = [each.id] if len(each.rows) == 1 else [f"{each.id}/{row}" for row in range(len(each.rows))]
        rows = [found[identity] for identity in ids]
        assert np.allclose([float(row["size"]) for row in rows], each.rows["size"].to_pylist())
        assert [row["colour"] for row in rows] == each.rows["colour"].to_pylist()
        assert [(float(row["p"]), int(row["predicted"])) for row in rows] == each.answers


def record(identity: str, **members: Any) -> str:
    return json.dumps({"captureData": {}, "eventMetadata": {"eventId": identity, **members}, "eventVersion": "0"})


def cut(identity: str, parts: int = 3) -> list[str]:
    """A record in parts."""
    text = record(identity)
    size = len(text) // parts + 1
    slices = [text[at : at + size] for at in range(0, len(text), size)]
    return [
        json.dumps({"record": identity, "part": number, "parts": parts, "data": each})
        for number, each in enumerate(slices, 1)
    ]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2027-03-01T{text}Z")


def names(objects: dict[str, bytes]) -> dict[str, list[str]]:
    """The ids of the records in each object."""
    return {
        key.partition("/log/")[2]: [json.loads(line)["eventMetadata"]["eventId"] for line in content.splitlines()]
        for key, content in objects.items()
    }


def test_each_record_is_below_the_hour_of_its_log_line_in_the_order_of_time(place: Workplace) -> None:
    place.write(at("05:59:59.998"), record("b", inferenceTime="an older clock"), *cut("c"), record("d"))
    place.write(at("05:51:00"), record("a"), "no JSON", '{"route": "/invocations"}', '{"record": 7}', "[]")

    assert place.collect("2027-03-01T05:55:00Z", "2027-03-01T06:25:01Z") == "2027-03-01T06:20:00Z"

    objects = place.objects()
    assert names(objects) == {
        "2027/03/01/05/20270301T0550Z-20270301T0600Z.jsonl": ["a", "b", "c"],
        "2027/03/01/06/20270301T0600Z-20270301T0610Z.jsonl": ["d"],
    }
    first, *_ = objects.values()
    times = [json.loads(line)["eventMetadata"]["inferenceTime"] for line in first.splitlines()]
    assert times == [f"2027-03-01T05:{time}+00:00" for time in ("51:00.000", "59:59.998", "59:59.999")]


def test_windows_that_meet_overlap_or_are_done_twice_and_at_once_hold_each_record_once(place: Workplace) -> None:
    place.write(at("05:09:59.999"), *cut("a"), record("b"))
    place.write(at("05:10:01"), *cut("a"), record("b"))
    for minute in range(1, 58, 7):
        place.write(at(f"05:{minute:02}:00"), record(str(minute)))

    whole = ["2027-03-01T05:00:00Z", "2027-03-01T06:10:00Z"]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: place.collect(*whole), range(4)))
    once = place.objects()
    begin = place.collect("2027-03-01T05:00:00Z", "2027-03-01T05:22:00Z")
    assert begin == "2027-03-01T05:10:00Z"
    assert place.collect(begin, "2027-03-01T05:15:00Z") == "2027-03-01T05:10:00Z"
    assert place.collect(begin, "2027-03-01T05:47:00Z") == "2027-03-01T05:40:00Z"

    assert set(done) == {"2027-03-01T06:00:00Z"}
    assert place.objects() == once
    found = [identity for identities in names(once).values() for identity in identities]
    assert sorted(found) == sorted(["a", "b", *map(str, range(1, 58, 7))])


def test_in_windows_one_after_the_other_all_is_as_in_one(place: Workplace, account: Account, stage: Stage) -> None:
    other = Workplace(account, stage, place.endpoint)
    for minute in range(0, 60, 3):
        place.write(at(f"05:{minute:02}:00"), record(str(minute)), *cut(f"cut {minute}"))
    begin = "2027-03-01T05:00:00Z"
    for minute in range(5, 60, 6):
        begin = place.collect(begin, f"2027-03-01T05:{minute:02}:00Z")
    place.collect(begin, "2027-03-01T06:15:00Z")
    other.collect("2027-03-01T05:00:00Z", "2027-03-01T06:15:00Z")
    assert place.objects() == other.objects()
    assert len(b"".join(other.objects().values()).splitlines()) == 40


def test_records_that_lack_a_part_are_told_once(place: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    place.write(at("05:09:59.999"), *cut("a")[:2], *cut("b")[1:], record("c"))
    broken = json.dumps({"record": "d", "part": 1, "parts": 1, "data": "{"})
    place.write(at("05:15:00"), broken, record("e"))

    begin = place.collect("2027-03-01T05:00:00Z", "2027-03-01T05:16:00Z")
    first = capsys.readouterr().out
    place.collect(begin, "2027-03-01T05:30:00Z")

    lost = f"{place.group}: records of which a part is not in the log, and which are lost: {{}}\n"
    assert (first, capsys.readouterr().out) == (lost.format(1), lost.format(2))
    assert sorted(map(sorted, names(place.objects()).values())) == [["c", "e"]]


def test_more_lines_than_a_page_has_are_all_collected(place: Workplace) -> None:
    for part in range(6):
        place.write(at("05:01:00"), *(record(f"{part} {number}") for number in range(2000)))

    place.collect()

    (content,) = place.objects().values()
    assert len(set(content.splitlines())) == 12_000


def test_without_records_or_a_whole_slot_nothing_is_written(place: Workplace) -> None:
    assert place.collect("2027-03-01T05:00:00Z", "2027-03-01T05:14:59Z") == "2027-03-01T05:00:00Z"
    assert place.collect("2027-03-01T05:00:00+00:00", "2027-03-01T05:15:00") == "2027-03-01T05:10:00Z"
    assert place.objects() == {}


def test_a_log_group_that_is_not_there_is_an_error(account: Account, stage: Stage) -> None:
    with pytest.raises(ClientError, match="ResourceNotFound"):
        Workplace(account, stage, unique("nobody")).collect()


def _written(place: Workplace) -> int:
    """How many records are in the log, all parts of them."""
    parts: dict[str, int] = {}
    whole = 0
    for line in place.stage.log(place.group, "AllTraffic"):
        content = json.loads(line)
        whole += "captureData" in content
        if "record" in content:
            parts[content["record"]] = parts.get(content["record"], content["parts"]) - 1
    return whole + list(parts.values()).count(0)
