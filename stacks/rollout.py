"""How a release takes over, in SageMaker's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from config.rollout import AllAtOnce, Canary, Linear, Rolling, Rollout


def deployment(rollout: Rollout, alarms: Sequence[str]) -> dict[str, Any]:
    """The DeploymentConfig of an endpoint, as CloudFormation writes it; *alarms* by name bring the old fleet back."""
    policy = _rolling(rollout) if isinstance(rollout, Rolling) else _blue_green(rollout)
    if not alarms:
        return policy
    return policy | {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]}}


def _rolling(rollout: Rolling) -> dict[str, Any]:
    batch = {"MaximumBatchSize": _share(rollout.percent), "WaitIntervalInSeconds": rollout.bake_minutes * 60}
    return {"RollingUpdatePolicy": batch}


def _blue_green(rollout: AllAtOnce | Canary | Linear) -> dict[str, Any]:
    routing: dict[str, Any] = {"WaitIntervalInSeconds": rollout.bake_minutes * 60}
    match rollout:
        case AllAtOnce():
            routing["Type"] = "ALL_AT_ONCE"
        case Canary():
            routing |= {"Type": "CANARY", "CanarySize": _share(rollout.percent)}
        case Linear():
            routing |= {"Type": "LINEAR", "LinearStepSize": _share(rollout.percent)}
        case _:
            assert_never(rollout)
    policy = {
        "TrafficRoutingConfiguration": routing,
        "TerminationWaitInSeconds": rollout.keep_minutes * 60,
    }
    return {"BlueGreenUpdatePolicy": policy}


def _share(percent: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": percent}
