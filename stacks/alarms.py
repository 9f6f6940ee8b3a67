"""The alarms of an endpoint: of its requests, and of its instances."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from config.hosting import Dedicated
from config.model import Alarms
from config.naming import ENDPOINT_ALARMS
from config.rollout import Watched
from stacks.endpoint import Endpoint

_WATCHED: dict[Watched, str] = {
    "errors_5xx": "Errors5xx",
    "errors_4xx": "Errors4xx",
    "model_latency": "ModelLatency",
    "overhead_latency": "OverheadLatency",
}


class EndpointAlarms(Construct):
    """The alarms of an endpoint. They tell nobody themselves: one alarm over them does, once for one cause."""

    def __init__(
        self, scope: Construct, name: str, *, endpoint: Endpoint, limits: Alarms, topic: sns.ITopic, look_at: str
    ) -> None:
        super().__init__(scope, name)
        self._endpoint = endpoint
        self.children: list[cloudwatch.Alarm] = []
        self._add_requests(limits)
        if isinstance(endpoint.hosting, Dedicated):
            self._add_instances(limits, endpoint.hosting)
        self.composite = self._over_all(topic, look_at)

    def of(self, names: Iterable[Watched]) -> list[cloudwatch.Alarm]:
        """Those that a roll-out calls by these names."""
        wanted = {_WATCHED[name] for name in names}
        return [alarm for alarm in self.children if alarm.node.id in wanted]

    def _over_all(self, topic: sns.ITopic, look_at: str) -> cloudwatch.CompositeAlarm:
        in_alarm = cloudwatch.AlarmState.ALARM
        alarm = cloudwatch.CompositeAlarm(
            self,
            "Endpoint",
            composite_alarm_name=self._endpoint.endpoint_name,
            alarm_description=(
                f"{self._endpoint.endpoint_name} fails, is slow, or runs out of machine. Which alarm below went off, "
                f"and what that one says, is what to do. Look at {look_at}"
            ),
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(cloudwatch.AlarmRule.from_alarm(child, in_alarm) for child in self.children)
            ),
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_ok_action(actions.SnsAction(topic))
        return alarm

    def _add_requests(self, limits: Alarms) -> None:
        metric = self._endpoint.metric
        # SageMaker publishes 0 or 1 for each invocation, so the average is the share of failures.
        self._alarm(
            "Errors5xx",
            metric("Invocation5XXErrors", cloudwatch.Stats.AVERAGE),
            above=limits.errors_5xx_percent / 100,
            periods=2,
            advice="The model or its server fails. Read the endpoint's log; if it began with a release, go back.",
        )
        self._alarm(
            "Errors4xx",
            metric("Invocation4XXErrors", cloudwatch.Stats.AVERAGE, minutes=5),
            above=limits.errors_4xx_percent / 100,
            periods=3,
            advice="Callers send what the model refuses. Look for a changed caller or a changed schema.",
        )
        self._alarm(
            "ModelLatency",
            metric("ModelLatency", "p99"),
            above=limits.latency_p99_ms * 1000,
            periods=3,
            advice="The model answers slowly. Look at CPU, at the size of requests, at the newest release.",
        )
        self._alarm(
            "OverheadLatency",
            metric("OverheadLatency", "p99"),
            above=limits.overhead_p99_ms * 1000,
            periods=3,
            advice="SageMaker adds the delay, not the model. Look at the size of requests and at AWS Health.",
        )
        if limits.expect_traffic:
            self._alarm(
                "NoInvocations",
                metric("Invocations", cloudwatch.Stats.SUM, minutes=60),
                below=1,
                periods=1,
                advice="Nobody has called for an hour. Look at the callers, their permissions and the network.",
            )

    def _add_instances(self, limits: Alarms, hosting: Dedicated) -> None:
        cores = vcpus(hosting.instance)
        for name, scale in {"CPU": cores, "Memory": 1, "Disk": 1}.items():
            self._alarm(
                name,
                self._endpoint.metric_instance(f"{name}Utilization"),
                above=limits.utilization_percent * scale,
                periods=3,
                advice=f"{name} of an instance runs out. Scale out, or take a larger instance.",
            )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.Metric,
        *,
        periods: int,
        advice: str,
        above: float | None = None,
        below: float | None = None,
    ) -> None:
        assert name in ENDPOINT_ALARMS  # by which those are found who look at all
        quiet = cloudwatch.TreatMissingData
        operator = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._endpoint.endpoint_name}-{name}",
            alarm_description=advice,
            metric=metric,
            threshold=below if above is None else above,
            comparison_operator=operator.LESS_THAN_THRESHOLD if above is None else operator.GREATER_THAN_THRESHOLD,
            evaluation_periods=periods,
            treat_missing_data=quiet.BREACHING if above is None else quiet.NOT_BREACHING,
        )
        self.children.append(alarm)


def vcpus(instance: str) -> int:
    """The virtual CPUs of an instance type; SageMaker's CPUUtilization counts 100 % for each of them."""
    size = instance.rsplit(".", 1)[-1]
    if size in ("medium", "large"):
        return 2
    factor = size.removesuffix("xlarge").removesuffix("x")
    return 4 * int(factor or 1) if size.endswith("xlarge") else 2
