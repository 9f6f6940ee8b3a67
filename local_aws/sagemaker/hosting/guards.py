"""The alarms that an update of an endpoint goes back for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from local_aws.errors import AwsError
from local_aws.sagemaker import roles

if TYPE_CHECKING:
    from local_aws.account import Account


def problem(account: Account, names: Sequence[str], role: str) -> str | None:
    """Why an update that these alarms guard must not go on, in a sentence; None when they are quiet.

    SageMaker asks CloudWatch under the model's execution role. What it does where an alarm is missing, may not be
    described, or is off from the start is not documented; here nothing is shifted then, which is the safe way.
    """
    if not names:
        return None
    try:
        client = roles.client(account, "cloudwatch", role)
        found = client.describe_alarms(AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    except ClientError as error:
        return _not_described(names, error.response["Error"]["Message"])
    except AwsError as error:  # SageMaker may no longer assume the role
        return _not_described(names, error.message)
    alarms = {each["AlarmName"]: each for kind in ("MetricAlarms", "CompositeAlarms") for each in found[kind]}
    if missing := [name for name in names if name not in alarms]:
        return f"These alarms of the AutoRollbackConfiguration do not exist: {', '.join(missing)}."
    alarmed = [alarms[name] for name in names if alarms[name]["StateValue"] == "ALARM"]
    if not alarmed:
        return None
    since = ", ".join(f"{each['AlarmName']} (since {_time(each['StateUpdatedTimestamp'])})" for each in alarmed)
    return f"The update was rolled back because of alarms in state ALARM: {since}."


def _not_described(names: Sequence[str], why: str) -> str:
    return f"The alarms {', '.join(names)} could not be described: {why}"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
