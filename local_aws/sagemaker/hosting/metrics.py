"""What SageMaker publishes about an endpoint's requests, gathered in memory and sent about once a second."""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from local_aws.account import Account

VALUES_OF_A_DATUM = 150  # PutMetricData takes no more
DATA_OF_A_CALL = 1000
STEP = math.log(1.02)  # latencies are told apart by 2 %; CloudWatch's own percentiles are coarser


class Request(NamedTuple):
    """One request that a variant was given: the container's status (0: it gave none) and two durations in seconds."""

    endpoint: str
    variant: str
    instances: int
    status: int
    model: float
    overhead: float
    time: datetime


class Metrics:
    """AWS/SageMaker's metrics of requests; to record one costs an append."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._requests: deque[Request] = deque()

    def record(self, request: Request) -> None:
        """Count a request."""
        self._requests.append(request)

    def publish(self) -> None:
        """Send what was recorded since the last time."""
        requests = [self._requests.popleft() for _ in range(len(self._requests))]
        exact = self._account.settings.minute_seconds < 60 and not self._account.calendar.is_set
        put(self._account, "AWS/SageMaker", data_of(requests, exact=exact))


def put(account: Account, namespace: str, data: list[dict[str, Any]]) -> None:
    """Publish metric data as AWS itself does, not under a role of the account."""
    for start in range(0, len(data), DATA_OF_A_CALL):
        account.client("cloudwatch").put_metric_data(
            Namespace=namespace, MetricData=data[start : start + DATA_OF_A_CALL]
        )


def data_of(requests: Iterable[Request], *, exact: bool = False) -> list[dict[str, Any]]:
    """The metric data of some requests: statistic sets of counts, and latencies as values, for their percentiles.

    Gathered by the minute, or, *exact*, by a tenth of a second, which alarms with shorter minutes need.
    """
    groups: dict[tuple[str, str, datetime], list[Request]] = defaultdict(list)
    for request in requests:
        # CloudWatch keeps what is younger than 15 days by the minute.
        groups[request.endpoint, request.variant, _stamp(request.time, exact=exact)].append(request)
    return [
        datum
        for (endpoint, variant, _), group in groups.items()
        for datum in _data_of_variant(dimensions(endpoint, variant), group)
    ]


def _stamp(time: datetime, *, exact: bool) -> datetime:
    if exact:
        return time.replace(microsecond=time.microsecond // 100_000 * 100_000)
    return time.replace(second=0, microsecond=0)


def dimensions(endpoint: str, variant: str) -> list[dict[str, str]]:
    """The dimensions of a variant's metrics."""
    return [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]


def _data_of_variant(names: list[dict[str, str]], requests: list[Request]) -> list[dict[str, Any]]:
    shared = {"Dimensions": names, "Timestamp": requests[0].time}
    counts = {
        "Invocations": [1.0 for _ in requests],
        "InvocationsPerInstance": [1.0 / max(1, request.instances) for request in requests],
        "Invocation4XXErrors": [float(400 <= request.status < 500) for request in requests],
        "Invocation5XXErrors": [float(request.status >= 500 or request.status == 0) for request in requests],
    }
    latencies = {
        "ModelLatency": [request.model for request in requests],
        "OverheadLatency": [request.overhead for request in requests],
    }
    return [
        *({**shared, "MetricName": name, "StatisticValues": _statistics(values)} for name, values in counts.items()),
        *(
            {**shared, "MetricName": name, "Unit": "Microseconds", **part}
            for name, seconds in latencies.items()
            for part in _values(seconds)
        ),
    ]


def _statistics(values: list[float]) -> dict[str, float]:
    return {"SampleCount": len(values), "Sum": sum(values), "Minimum": min(values), "Maximum": max(values)}


def _values(seconds: list[float]) -> Iterable[dict[str, list[float]]]:
    steps = Counter(round(math.log(max(1.0, value * 1e6)) / STEP) for value in seconds)
    pairs = [(round(math.exp(step * STEP)), float(count)) for step, count in sorted(steps.items())]
    for start in range(0, len(pairs), VALUES_OF_A_DATUM):
        part = pairs[start : start + VALUES_OF_A_DATUM]
        yield {"Values": [value for value, _ in part], "Counts": [count for _, count in part]}
