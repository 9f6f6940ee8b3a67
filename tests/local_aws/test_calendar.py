"""What production leaves behind bears the calendar's time, and nothing else does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_aws.account import Account
from local_aws.alarms import EVERY_SECONDS
from local_aws.calendar import Calendar
from tests.local_aws.delivery import eventually, unique
from tests.local_aws.sagemaker.stage import Stage

AT = datetime(2016, 2, 29, 23, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def stage(account: Account) -> Stage:
    return Stage(account)


@pytest.fixture
def at(account: Account) -> Iterator[datetime]:
    account.calendar.set(AT)
    yield AT
    account.calendar.set(None)


def test_time_is_real_until_it_is_set_and_stands_still_then() -> None:
    calendar = Calendar()
    assert abs(calendar.now() - datetime.now(UTC)) < timedelta(seconds=1)
    calendar.set(AT.astimezone())
    assert calendar.now() == AT
    assert calendar.is_set
    calendar.set(None)
    assert calendar.now() > AT


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="add tzinfo=UTC"):
        Calendar().set(datetime(2016, 1, 1))  # noqa: DTZ001


def test_requests_of_the_past_are_captured_counted_and_logged_there(stage: Stage, at: datetime) -> None:
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{stage.bucket}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    config = stage.config(stage.variant(stage.model()), DataCaptureConfig=capture)
    name = stage.endpoint(config)
    stage.ask(name)
    stage.account.calendar.set(at + timedelta(hours=1))
    stage.ask(name)

    keys = eventually(lambda: len(found := sorted(stage.keys(f"captured/{name}/"))) == 2 and found)
    assert [key.split("/AllTraffic/")[1][:13] for key in keys] == ["2016/02/29/23", "2016/03/01/00"]
    assert b'"inferenceTime": "2016-02-29T23:30:00Z"' in stage.get(f"s3://{stage.bucket}/{keys[0]}")
    assert stage.sagemaker.describe_endpoint_config(EndpointConfigName=config)["CreationTime"] == at
    assert eventually(lambda: invocations(stage, name)) == {at.replace(minute=0): 1, at.replace(minute=0) + HOUR: 1}
    group = f"/aws/sagemaker/Endpoints/{name}"
    logged = eventually(lambda: stage.account.client("logs").filter_log_events(logGroupName=group)["events"])
    assert datetime.fromtimestamp(logged[0]["timestamp"] / 1000, UTC) == at
    written = stage.s3.head_object(Bucket=stage.bucket, Key=keys[0])["LastModified"]
    assert datetime.now(UTC) - written < timedelta(minutes=1)


HOUR = timedelta(hours=1)


def invocations(stage: Stage, endpoint: str) -> dict[datetime, float] | None:
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}]
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations", "Dimensions": dimensions}
    (found,) = stage.account.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Sum"}}],
        StartTime=AT - timedelta(days=1),
        EndTime=AT + timedelta(days=1),
    )["MetricDataResults"]
    counted = dict(zip(found["Timestamps"], found["Values"], strict=True))
    return counted if len(counted) == 2 else None


def alarm(account: Account, metric: str, missing: str) -> str:
    name = unique("alarm")
    account.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="shop/watch",
        MetricName=metric,
        Statistic="SampleCount",
        Period=3600,
        EvaluationPeriods=30,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData=missing,
    )
    return name


def state(account: Account, name: str) -> str:
    return account.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]


def put(account: Account, metric: str, at: datetime) -> None:
    datum: dict[str, Any] = {"MetricName": metric, "Value": 1.0, "Timestamp": at}
    account.client("cloudwatch").put_metric_data(Namespace="shop/watch", MetricData=[datum])


def test_silence_is_an_alarm_but_time_that_was_leapt_over_is_not(account: Account) -> None:
    metric = unique("judged")
    name = alarm(account, metric, "breaching")
    assert eventually(lambda: state(account, name) == "ALARM")
    account.calendar.set(AT)
    put(account, metric, AT)
    assert eventually(lambda: state(account, name) == "OK")
    account.calendar.set(AT + timedelta(days=31))
    put(account, unique("another"), AT + timedelta(days=31))
    time.sleep(2 * EVERY_SECONDS)
    assert state(account, name) == "OK"
    account.calendar.set(None)
    assert eventually(lambda: state(account, name) == "ALARM")
