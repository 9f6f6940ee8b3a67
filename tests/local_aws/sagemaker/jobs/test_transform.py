from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.delivery import eventually, unique
from tests.local_aws.sagemaker.stage import Stage


def start(stage: Stage, files: dict[str, str], *, split: str = "Line", instances: int = 1, **members: Any) -> str:
    name = unique("transform")
    for path, text in files.items():
        stage.put(f"{name}/in/{path}", text)
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{stage.bucket}/{name}/in"}}
    given = {"DataSource": source, "ContentType": "text/csv", "SplitType": split}
    output = {"S3OutputPath": f"s3://{stage.bucket}/{name}/out", "AssembleWith": "Line", "Accept": "text/csv"}
    stage.sagemaker.create_transform_job(
        TransformJobName=name,
        TransformInput=given,
        TransformOutput=output,
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": instances},
        **{"ModelName": stage.model(), "BatchStrategy": "MultiRecord", **members},
    )
    return name


def outputs(stage: Stage, name: str) -> dict[str, str]:
    prefix = f"{name}/out/"
    return {key.removeprefix(prefix): stage.get(f"s3://{stage.bucket}/{key}").decode() for key in stage.keys(prefix)}


def requests(stage: Stage, name: str) -> list[int]:
    """How many lines each request held."""
    lines = stage.log("/aws/sagemaker/TransformJobs", f"{name}/i-")
    return [int(line.split()[1]) for line in lines if line.startswith("lines")]


def numbers(count: int) -> str:
    return "".join(f"{number}\n" for number in range(count))


def test_every_line_of_every_object_is_answered_in_order(stage: Stage) -> None:
    name = start(stage, {"a.csv": numbers(1000), "deeper/b.csv": numbers(10)})

    ended = stage.ended("Transform", name)

    assert ended["TransformJobStatus"] == "Completed", ended
    assert ended["TransformStartTime"] <= ended["TransformEndTime"]
    found = outputs(stage, name)
    assert sorted(found) == ["a.csv.out", "deeper/b.csv.out"]
    assert found["a.csv.out"].splitlines() == [str(2.0 * number) for number in range(1000)]
    assert requests(stage, name) == [1000, 10]
    log = stage.log("/aws/sagemaker/TransformJobs", f"{name}/i-")
    assert any("MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD" in line for line in log)


def test_a_batch_holds_as_many_records_as_fit(stage: Stage) -> None:
    line = "7" * 99 + "\n"
    name = start(stage, {"a.csv": line * 25_000}, MaxPayloadInMB=1, MaxConcurrentTransforms=4)

    ended = stage.ended("Transform", name)

    assert ended["TransformJobStatus"] == "Completed", ended
    assert outputs(stage, name)["a.csv.out"].count("\n") == 25_000
    assert sorted(requests(stage, name)) == [25_000 - 2 * 10_485, 10_485, 10_485]


def test_a_single_record_is_a_request_of_its_own(stage: Stage) -> None:
    name = start(stage, {"a.csv": numbers(5)}, BatchStrategy="SingleRecord")
    stage.ended("Transform", name)

    assert requests(stage, name) == [1] * 5


def test_an_object_that_is_not_split_is_one_request(stage: Stage) -> None:
    name = start(stage, {"a.csv": numbers(5), "b.csv": numbers(3)}, split="None", MaxConcurrentTransforms=2)
    stage.ended("Transform", name)

    assert sorted(requests(stage, name)) == [3, 5]
    assert len(outputs(stage, name)) == 2


def test_instances_share_the_objects(stage: Stage) -> None:
    name = start(stage, {f"{number}.csv": numbers(number) for number in (1, 2, 3)}, instances=2)
    ended = stage.ended("Transform", name)

    assert ended["TransformJobStatus"] == "Completed", ended
    streams = stage.account.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TransformJobs", logStreamNamePrefix=f"{name}/"
    )["logStreams"]
    assert len({stream["logStreamName"].split("/")[1] for stream in streams}) == 2
    assert len(outputs(stage, name)) == 3


def test_a_bad_record_fails_the_job_and_its_object_alone(stage: Stage) -> None:
    name = start(stage, {"a.csv": "1\n2\n", "b.csv": "1\nbad\n"})

    ended = stage.ended("Transform", name)

    assert ended["TransformJobStatus"] == "Failed"
    assert ended["FailureReason"] == "ClientError: See job logs for more information"
    assert sorted(outputs(stage, name)) == ["a.csv.out"]
    log = stage.log("/aws/sagemaker/TransformJobs", f"{name}/i-")
    said = [line.split("]: ", 1)[1] for line in log if "b.csv: " in line]
    place = f"{stage.bucket}/{name}/in/b.csv"
    assert said == [f"{place}: {text}" for text in ("ClientError: 400", "", "Message:", "a bad record", "is in it")]


def test_a_model_that_cannot_start_fails_the_job(stage: Stage) -> None:
    name = start(stage, {"a.csv": "1\n"}, ModelName=stage.model(ends=True))

    ended = stage.ended("Transform", name)

    assert ended["TransformJobStatus"] == "Failed"
    assert "did not pass the ping health check" in ended["FailureReason"]


def test_a_running_transform_can_be_stopped(stage: Stage) -> None:
    name = start(stage, {"a.csv": numbers(200)}, ModelName=stage.model(ping_seconds=1), BatchStrategy="SingleRecord")
    eventually(lambda: stage.sagemaker.describe_transform_job(TransformJobName=name).get("TransformStartTime"))

    stage.sagemaker.stop_transform_job(TransformJobName=name)

    assert stage.ended("Transform", name)["TransformJobStatus"] == "Stopped"
    assert outputs(stage, name) == {}


@pytest.mark.parametrize(
    "members",
    [{"MaxPayloadInMB": 0}, {"DataProcessing": {"JoinSource": "Input"}}],
)
def test_what_is_not_rehearsed_is_refused(stage: Stage, members: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="is not rehearsed on the local AWS"):
        start(stage, {"a.csv": "1\n"}, **members)


def test_requests_together_cannot_exceed_100_mb(stage: Stage) -> None:
    with pytest.raises(ClientError, match="cannot exceed 100 MB, got 20 \\* 6"):
        start(stage, {"a.csv": "1\n"}, MaxConcurrentTransforms=20)
