"""CloudWatch alarms that evaluate as on AWS.

MiniStack's own evaluation looks at every dimension of a metric at once, and knows neither metric math, nor
"M out of N datapoints", nor how missing data is treated. What an alarm then does (topics, composite alarms) is
MiniStack's. AWS evaluates once a minute; here the periods end at this second (of the account's calendar), so that a
breach shows at once. The periods of metrics of requests are shorter where a minute is (Settings.minute_seconds); what
instances use is published too seldom for that.
"""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.metric_math import Value, expression
from local_aws.metrics import Series

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)
EVERY_SECONDS = 1.0
OF_REQUESTS = "AWS/SageMaker"
PUBLISHED_SECONDS = 2.0
"""So long after a request its metrics are there for certain; a short period must not end before."""
BREACHES = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}

STATE_WITHOUT_DATA = {"missing": "INSUFFICIENT_DATA", "ignore": None, "breaching": "ALARM", "notBreaching": "OK"}
MATH = ("Metrics", "EvaluateLowSampleCountPercentile")


def install(account: Account) -> None:
    """Evaluate the account's alarms, and tell EventBridge when they change."""
    Alarms(account)


class Alarms:
    """The evaluation of every metric alarm, once a second and when one is put."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._cloudwatch = account.emulator.cloudwatch
        self._put = self._cloudwatch._put_metric_alarm
        self._record = self._cloudwatch._record_history
        self._cloudwatch._put_metric_alarm = self._put_with_metrics
        self._cloudwatch._record_history = self._record_and_tell
        self._cloudwatch._evaluate_alarm = self._evaluate
        self._cloudwatch._evict_old_metrics = lambda: None  # the calendar may be set to years ago
        self._cloudwatch._evaluate_all_alarms = lambda: None  # MiniStack's way: at every PutMetricData
        threading.Thread(target=self._tick, name="alarms", daemon=True).start()

    def _tick(self) -> None:
        while True:
            time.sleep(EVERY_SECONDS)
            try:
                self._account.soon(self._evaluate_all)
            except RuntimeError:  # the event loop is closed: the account has stopped
                return

    def _evaluate_all(self) -> None:
        for alarm in list(self._cloudwatch._alarms.values()):
            try:
                self._evaluate(alarm)
            except Exception:
                LOG.exception("alarm %s could not be evaluated", alarm["AlarmName"])

    def _evaluate(self, alarm: dict[str, Any]) -> None:
        periods = int(alarm.get("EvaluationPeriods") or 1)
        calendar = self._account.calendar
        scale = self._scale(alarm)
        now = calendar.now().timestamp() - (PUBLISHED_SECONDS if scale < 1 else 0)
        values = Series(self._cloudwatch, alarm, scale).values(periods, now)
        if calendar.is_set and alarm.get("TreatMissingData") == "breaching" and all(value is None for value in values):
            return  # time that the calendar leapt over was not silence
        state, previous = state_of(alarm, values), alarm["StateValue"]
        if state in (None, previous):
            return
        reason = f"Threshold Crossed: {alarm['ComparisonOperator']} {alarm['Threshold']} in the last {periods} periods"
        alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
        self._cloudwatch._record_history(alarm["AlarmName"], previous, state, reason)
        self._cloudwatch._dispatch_alarm_actions(alarm, previous, state, reason)
        self._cloudwatch._evaluate_parent_alarms(alarm)

    def _scale(self, alarm: Mapping[str, Any]) -> float:
        """How long the alarm's minute is here, as a share of a minute: of requests, while time passes."""
        queries = alarm.get("Metrics") or [{"MetricStat": {"Metric": alarm}}]
        spaces = {query["MetricStat"]["Metric"]["Namespace"] for query in queries if "MetricStat" in query}
        if self._account.calendar.is_set or not spaces <= {OF_REQUESTS}:
            return 1
        return self._account.settings.minute_seconds / 60

    def _put_with_metrics(self, params: Any, data: Any, is_cbor: Any, is_json: Any = None) -> Any:
        """PutMetricAlarm, which in MiniStack forgets the members of MATH."""
        given = data if is_cbor or is_json else {}
        name = given.get("AlarmName") or params.get("AlarmName", [""])[0]
        try:
            check(given, params)
        except AwsError as error:
            return self._cloudwatch._error(error.code, error.message, error.status, is_json, is_cbor)
        answer = self._put(params, data, is_cbor, is_json)
        if answer[0] == 200:
            alarm = self._cloudwatch._alarms[name]
            alarm.update({member: given[member] for member in MATH if member in given})
            if "Metrics" in given:
                alarm.update(dict.fromkeys(("Statistic", "Period")))
            self._evaluate(alarm)
        return answer

    def _record_and_tell(
        self, name: str, previous: str, state: str, reason: str, kind: str = "MetricAlarm", data: Any = None
    ) -> None:
        self._record(name, previous, state, reason, kind, data)
        detail = {
            "alarmName": name,
            "state": {"value": state, "reason": reason, "timestamp": datetime.now(UTC).isoformat()},
            "previousState": {"value": previous},
        }
        arn = self._account.arn("cloudwatch", f"alarm:{name}")
        self._account.emit("aws.cloudwatch", "CloudWatch Alarm State Change", detail, [arn])


def check(given: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Refuse (AwsError) what is not rehearsed."""
    if "Metrics.member.1.Id" in params:
        message = "The local AWS reads metric math in CBOR and JSON requests only, which all current SDKs send."
        raise AwsError("ValidationError", message)
    if "ThresholdMetricId" in given:
        message = "Anomaly detection (ThresholdMetricId) is not rehearsed on the local AWS; give a Threshold."
        raise AwsError("ValidationError", message)
    for query in given.get("Metrics", []):
        if "Expression" in query:
            expression(query["Expression"])


def state_of(alarm: Mapping[str, Any], values: Sequence[Value]) -> str | None:
    """The state that the values of the last periods (newest first) put an alarm in; None leaves it as it is."""
    breaches = BREACHES[alarm["ComparisonOperator"]]
    treat = alarm.get("TreatMissingData") or "missing"
    if all(value is None for value in values) and treat in STATE_WITHOUT_DATA:
        return STATE_WITHOUT_DATA[treat]
    needed = int(alarm.get("DatapointsToAlarm") or len(values))
    breaching = [treat == "breaching" if v is None else breaches(v, alarm["Threshold"]) for v in values]
    if sum(breaching) >= needed:
        return "ALARM"
    # With data missing, a breach counts that is as old as the alarm looks back, and was not contradicted since.
    since = [each for each, value in zip(breaching, values, strict=True) if value is not None]
    oldest = max(index for index, each in enumerate(breaching) if each) if any(breaching) else -1
    if treat == "missing" and all(since) and oldest >= needed - 1:
        return "ALARM"
    return "OK"
