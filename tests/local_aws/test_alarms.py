import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from local_aws.alarms import state_of
from tests.local_aws.delivery import eventually, queue, unique

RATE = [
    {"Id": "rate", "Expression": "IF(requests > 0, 100 * errors / requests, 0)", "ReturnData": True},
    {
        "Id": "errors",
        "ReturnData": False,
        "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "Errors"}, "Period": 60, "Stat": "Sum"},
    },
    {
        "Id": "requests",
        "ReturnData": False,
        "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "Requests"}, "Period": 60, "Stat": "Sum"},
    },
]


def alarm(account: Account, **members: Any) -> str:
    name = unique("alarm")
    shared = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 10.0}
    account.client("cloudwatch").put_metric_alarm(AlarmName=name, **{**shared, **members})
    return name


def state(account: Account, name: str) -> str:
    return account.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]


def measure(account: Account, namespace: str, name: str, *values: float, endpoint: str = "", ago: float = 0) -> None:
    dimensions = [{"Name": "EndpointName", "Value": endpoint}] if endpoint else []
    datum = {"MetricName": name, "Dimensions": dimensions, "Values": list(values), "Timestamp": time.time() - ago}
    account.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[datum])


def metric(namespace: str, endpoint: str = "", **members: Any) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": endpoint}] if endpoint else []
    return {"Namespace": namespace, "MetricName": "Latency", "Dimensions": dimensions, "Period": 60, **members}


def test_an_alarm_looks_only_at_its_own_dimensions(account: Account) -> None:
    namespace = unique("space")
    staging = alarm(account, **metric(namespace, "staging", Statistic="Maximum"))
    production = alarm(account, **metric(namespace, "production", Statistic="Maximum"))
    measure(account, namespace, "Latency", 50, endpoint="staging")
    measure(account, namespace, "Latency", 5, endpoint="production")
    eventually(lambda: state(account, staging) == "ALARM")
    eventually(lambda: state(account, production) == "OK")


def test_a_percentile_is_computed_from_the_values(account: Account) -> None:
    namespace = unique("space")
    high = alarm(account, **metric(namespace, ExtendedStatistic="p99"), Threshold=98.5)
    higher = alarm(account, **metric(namespace, ExtendedStatistic="p99"), Threshold=99.5)
    measure(account, namespace, "Latency", *range(1, 101))
    eventually(lambda: (state(account, high), state(account, higher)) == ("ALARM", "OK"))


def test_metric_math_is_kept_described_and_evaluated(account: Account) -> None:
    namespace = unique("space")
    queries = json.loads(json.dumps(RATE).replace('"N"', f'"{namespace}"'))
    name = alarm(account, Metrics=queries, Threshold=5.0, TreatMissingData="notBreaching")
    described = account.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert described["Metrics"][0]["Expression"] == RATE[0]["Expression"]
    eventually(lambda: state(account, name) == "OK")
    measure(account, namespace, "Errors", 2)
    measure(account, namespace, "Requests", 20)
    eventually(lambda: state(account, name) == "ALARM")
    measure(account, namespace, "Requests", 80)
    eventually(lambda: state(account, name) == "OK")


def test_metric_math_that_is_not_rehearsed_is_refused(account: Account) -> None:
    with pytest.raises(ClientError, match=r"The metric math 'RATE\(errors\)' is not rehearsed on the local AWS"):
        alarm(account, Metrics=[{**RATE[0], "Expression": "RATE(errors)"}, *RATE[1:]])


def test_an_alarm_tells_its_topic_its_composite_and_the_event_bus(account: Account) -> None:
    namespace, (url, arn), (bus_url, bus_arn) = unique("space"), queue(account), queue(account)
    sns, events, cloudwatch = account.client("sns"), account.client("events"), account.client("cloudwatch")
    topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    name = alarm(account, **metric(namespace, Statistic="Maximum"), AlarmActions=[topic])
    rule = unique("rule")
    events.put_rule(
        Name=rule,
        EventPattern=json.dumps(
            {"source": ["aws.cloudwatch"], "detail": {"alarmName": [name], "state": {"value": ["ALARM"]}}}
        ),
    )
    events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": bus_arn}])
    composite = unique("composite")
    cloudwatch.put_composite_alarm(
        AlarmName=composite, AlarmRule=f'ALARM("{account.arn("cloudwatch", f"alarm:{name}")}")'
    )
    measure(account, namespace, "Latency", 50)
    sqs = account.client("sqs")
    (message,) = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    told = json.loads(json.loads(message["Body"])["Message"])
    assert (told["AlarmName"], told["NewStateValue"]) == (name, "ALARM")
    (message,) = eventually(lambda: sqs.receive_message(QueueUrl=bus_url).get("Messages"))
    assert json.loads(message["Body"])["detail-type"] == "CloudWatch Alarm State Change"
    described = cloudwatch.describe_alarms(AlarmNames=[composite], AlarmTypes=["CompositeAlarm"])
    assert described["CompositeAlarms"][0]["StateValue"] == "ALARM"


def test_old_data_does_not_alarm(account: Account) -> None:
    namespace = unique("space")
    measure(account, namespace, "Latency", 50, ago=300)
    name = alarm(account, **metric(namespace, Statistic="Maximum"))
    time.sleep(1.5)
    assert state(account, name) == "INSUFFICIENT_DATA"


def of_requests(account: Account, endpoint: str, **members: Any) -> str:
    return alarm(account, **metric("AWS/SageMaker", endpoint, Statistic="Maximum"), EvaluationPeriods=2, **members)


@pytest.fixture
def short_minutes(account: Account) -> Iterator[None]:
    before = account.settings
    account.settings = replace(before, minute_seconds=2)
    yield
    account.settings = before


@pytest.mark.usefixtures("short_minutes")
def test_where_a_minute_is_short_alarms_of_requests_look_back_over_short_periods(account: Account) -> None:
    endpoint, namespace = unique("endpoint"), unique("space")
    soon = of_requests(account, endpoint)
    as_ever = alarm(account, **metric(namespace, Statistic="Maximum"))
    for ago in (3, 5):
        measure(account, "AWS/SageMaker", "Latency", 50, endpoint=endpoint, ago=ago)
    measure(account, namespace, "Latency", 50, ago=30)
    eventually(lambda: state(account, soon) == "ALARM")
    eventually(lambda: state(account, as_ever) == "ALARM")
    eventually(lambda: state(account, soon) == "INSUFFICIENT_DATA")
    assert state(account, as_ever) == "ALARM"


@pytest.mark.usefixtures("short_minutes")
def test_while_the_calendar_is_set_a_minute_is_one(account: Account) -> None:
    endpoint = unique("endpoint")
    account.calendar.set(datetime.now(UTC))
    try:
        for ago in (30, 90):
            measure(account, "AWS/SageMaker", "Latency", 50, endpoint=endpoint, ago=ago)
        name = of_requests(account, endpoint)
        eventually(lambda: state(account, name) == "ALARM")
    finally:
        account.calendar.set(None)


BAD, GOOD, GONE = 20.0, 1.0, None


@pytest.mark.parametrize(
    ("treat", "periods", "needed", "values", "expected"),
    [
        ("missing", 1, None, [BAD], "ALARM"),
        ("missing", 1, None, [GOOD], "OK"),
        ("missing", 1, None, [GONE], "INSUFFICIENT_DATA"),
        ("ignore", 1, None, [GONE], None),
        ("breaching", 1, None, [GONE], "ALARM"),
        ("notBreaching", 1, None, [GONE], "OK"),
        ("missing", 3, None, [BAD, BAD, BAD], "ALARM"),
        ("missing", 3, None, [BAD, BAD, GOOD], "OK"),
        ("missing", 3, 2, [BAD, GOOD, BAD], "ALARM"),
        ("missing", 3, 2, [BAD, GOOD, GOOD], "OK"),
        ("missing", 3, None, [BAD, GONE, GONE], "OK"),
        ("missing", 3, None, [GONE, GONE, BAD], "ALARM"),
        ("breaching", 3, None, [BAD, GONE, BAD], "ALARM"),
        ("notBreaching", 3, 2, [BAD, GONE, BAD], "ALARM"),
        ("notBreaching", 3, None, [BAD, GONE, BAD], "OK"),
    ],
)
def test_datapoints_to_alarm_and_missing_data(
    treat: str, periods: int, needed: int | None, values: list[float | None], expected: str | None
) -> None:
    described = {
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 10.0,
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": needed,
        "TreatMissingData": treat,
    }
    assert state_of(described, values) == expected
