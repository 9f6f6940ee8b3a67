"""Whether the endpoint's alarms are quiet."""

from __future__ import annotations

from typing import Any

from config.naming import ENDPOINT_ALARMS
from pipelines.stages.verifying.findings import Check


def checks(cloudwatch: Any, endpoint: str) -> list[Check]:
    """A check for each alarm of *endpoint* that there is."""
    # By name, because a permission for some alarms does not let one look for them.
    names = [f"{endpoint}-{what}" for what in ENDPOINT_ALARMS]
    found = cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    return [_check(alarm) for alarm in found]


def _check(alarm: dict[str, Any]) -> Check:
    name, state = alarm["AlarmName"], alarm["StateValue"]
    problem = ""
    if state == "ALARM":
        reason = (alarm.get("StateReason") or "no reason given").rstrip(".")
        problem = f"The alarm {name} has gone off: {reason}. {alarm.get('AlarmDescription', '')}".strip()
    return Check(name, "not in ALARM", state, problem)
