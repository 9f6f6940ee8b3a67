from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.sagemaker.hosting.metrics import Request, data_of
from tests.local_aws.delivery import eventually
from tests.local_aws.sagemaker.stage import Stage

NOON = datetime(2018, 1, 31, 12, 0, 5, tzinfo=UTC)


def test_latencies_keep_their_percentiles_within_two_percent() -> None:
    requests = [Request("e", "v", 2, 200, number / 1000, 0.0002, NOON) for number in range(1, 1001)]

    data = {(datum["MetricName"]): datum for datum in data_of(requests) if "Values" not in datum}
    latencies = [datum for datum in data_of(requests) if datum["MetricName"] == "ModelLatency"]

    values = [
        value
        for datum in latencies
        for value, count in zip(datum["Values"], datum["Counts"], strict=True)
        for _ in range(int(count))
    ]
    assert len(values) == 1000
    assert values[989] == pytest.approx(990_000, rel=0.011)
    assert all(len(datum["Values"]) <= 150 for datum in latencies)
    assert data["InvocationsPerInstance"]["StatisticValues"]["Sum"] == 500


def test_short_minutes_have_more_data_of_the_same_sum() -> None:
    times = [NOON + timedelta(milliseconds=40 * number) for number in range(100)]
    requests = [Request("e", "v", 1, 500 if number % 10 else 200, 0.001, 0.001, at) for number, at in enumerate(times)]

    data, exact = (
        [each for each in data_of(requests, exact=exact) if each["MetricName"] == "Invocation5XXErrors"]
        for exact in (False, True)
    )

    assert (len(data), len(exact)) == (1, 40)
    assert data[0]["StatisticValues"]["Sum"] == sum(each["StatisticValues"]["Sum"] for each in exact) == 90
    assert [each["Timestamp"] for each in exact] == sorted(each["Timestamp"] for each in exact)


def test_an_error_rate_is_the_average_of_its_metric() -> None:
    requests = [Request("e", "v", 1, status, 0.001, 0.001, NOON) for status in (200, 200, 400, 500)]

    data = {datum["MetricName"]: datum.get("StatisticValues") for datum in data_of(requests)}

    assert data["Invocation4XXErrors"] == {"SampleCount": 4, "Sum": 1.0, "Minimum": 0.0, "Maximum": 1.0}
    assert data["Invocation5XXErrors"] == {"SampleCount": 4, "Sum": 1.0, "Minimum": 0.0, "Maximum": 1.0}


def test_requests_are_published_to_cloudwatch_by_variant(stage: Stage) -> None:
    name = stage.endpoint(stage.config(stage.variant(stage.model())))
    for body in ("a", "b", "status 400", "status 500"):
        with contextlib.suppress(ClientError):
            stage.ask(name, body)

    assert eventually(lambda: _statistic(stage, name, "Invocations", "Sum")) == 4
    assert _statistic(stage, name, "Invocation4XXErrors", "Sum") == 1
    assert _statistic(stage, name, "Invocation5XXErrors", "Average") == 0.25
    assert 0 < _statistic(stage, name, "ModelLatency", "p99") < 1_000_000
    assert 0 < _statistic(stage, name, "OverheadLatency", "p50") < _statistic(stage, name, "ModelLatency", "Maximum")


def _statistic(stage: Stage, endpoint: str, metric: str, statistic: str) -> Any:
    extended = statistic.startswith("p")
    found = stage.account.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}],
        StartTime=datetime.now(UTC) - timedelta(minutes=5),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=3600,
        **({"ExtendedStatistics": [statistic]} if extended else {"Statistics": [statistic]}),
    )["Datapoints"]
    if not found:
        return None
    return found[0]["ExtendedStatistics"][statistic] if extended else found[0][statistic]
