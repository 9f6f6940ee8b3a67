"""EventBridge Scheduler: schedules start state machines under their own role.

MiniStack keeps the schedules and knows when they are due; it would start their targets without asking anybody.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.errors import AwsError

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)
PRINCIPAL = "scheduler.amazonaws.com"
SOURCE = "aws.scheduler"
DEFAULT_GROUP = "default"


class Scheduler:
    """The account's schedules: MiniStack's clock starts them, or `fire` does."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def fire(self, name: str, group: str = DEFAULT_GROUP) -> str:
        """Start a schedule's target now, as if the calendar's moment were its scheduled time; the execution's ARN.

        Raises AwsError or ClientError when there is no such schedule, or its role may not start the target.
        """
        schedule = self._account.client("scheduler").get_schedule(Name=name, GroupName=group)
        return self._start(schedule)

    def due(self, schedule: Mapping[str, Any]) -> None:
        """MiniStack's clock says that it is time; while the calendar is set, that clock does not count."""
        if self._account.calendar.is_set:
            return
        try:
            self._start(schedule)
        except (AwsError, BotoCoreError, ClientError) as error:  # on AWS the metric TargetErrorCount would count it
            LOG.warning("schedule %s did not start %s: %s", schedule["Name"], schedule["Target"]["Arn"], error)

    def _start(self, schedule: Mapping[str, Any]) -> str:
        target = schedule["Target"]
        if target["Arn"].split(":")[2] != "states":
            raise AwsError(
                "NotImplemented",
                f"The target {target['Arn']} of schedule {schedule['Name']} is not rehearsed on the local AWS; "
                "let the schedule start a state machine.",
                501,
            )
        group = self._account.arn("scheduler", f"schedule-group/{schedule['GroupName']}")
        states = self._account.client("stepfunctions", target["RoleArn"], service_principal=PRINCIPAL, source_arn=group)
        given = self._filled(target.get("Input", "{}"), schedule["Arn"])
        return states.start_execution(stateMachineArn=target["Arn"], input=given)["executionArn"]

    def _filled(self, text: str, arn: str) -> str:
        attributes = {
            "scheduled-time": f"{self._account.calendar.now():%Y-%m-%dT%H:%M:%SZ}",
            "schedule-arn": arn,
            "execution-id": str(uuid.uuid4()),
            "attempt-number": "1",
        }
        for name, value in attributes.items():
            text = text.replace(f"<aws.scheduler.{name}>", value)
        return text
