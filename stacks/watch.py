"""The watch over all models in production: a job for each team, who is told, and who watches the job."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from config.naming import NOTHING, RETRAINING_WANTED
from stacks.dashboard import FleetDashboard
from stacks.foundation import EnvironmentStack, ToolingStack
from stacks.judging import Judging
from stacks.place import OnlyWhen, Place, PlacedStack
from stacks.team import WatchRole
from stacks.telling import Telling


class WatchStack(PlacedStack):
    """Judges the models of an environment on a schedule, tells their teams, and shows them on one dashboard.

    The parameter Image names the job image, which the platform pipeline builds and passes.
    """

    def __init__(self, scope: cdk.App, place: Place, *, tooling: ToolingStack, environment: EnvironmentStack) -> None:
        super().__init__(scope, place, "watch", place.name, description=f"Judges the models of {place.name}.")
        image = cdk.CfnParameter(
            self, "Image", default=NOTHING, description="The job image by digest; none until one is built."
        )
        built = cdk.CfnCondition(
            self,
            "Built",
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(image.value_as_string, NOTHING)),
        )
        for team, settings in place.project.teams.items():
            role = WatchRole(
                self,
                team,
                names=place.names,
                environment=place.name,
                data=tooling.data,
                artifacts=tooling.artifacts,
                records=environment.records,
                images=tooling.images,
                key=environment.key,
            ).role
            if environment.network:
                environment.network.grant_attach(role)
            said = {
                "--project": place.project.name,
                "--environment": place.name,
                "--team": team,
                "--bucket": environment.records.bucket_name,
                "--data-bucket": tooling.data.bucket_name,
            }
            judging = Judging(
                self,
                f"Judging-{team}",
                machine_name=place.names.watch(team),
                arguments=[word for pair in said.items() for word in pair],
                image=image.value_as_string,
                job_role=role,
                key=environment.key,
                fleet=settings.watch,
                log_retention=place.log_retention,
                network=environment.network,
            )
            topic = environment.alerts[team]
            alarms = WatchAlarms(
                self,
                f"Alarms-{team}",
                place=place,
                team=team,
                machine=judging.machine,
                silence_hours=settings.watch.silence_hours,
                topic=topic,
            )
            cdk.Aspects.of(alarms).add(OnlyWhen(built))
            Telling(
                self,
                f"Telling-{team}",
                names=place.names,
                environment=place.name,
                team=team,
                topic=topic,
                webhook=settings.webhook,
            )
        FleetDashboard(self, "Fleet", place)
        if _apart(place, tooling.place):
            self._forward(tooling)

    def _forward(self, tooling: ToolingStack) -> None:
        """The release pipeline is elsewhere, and hears only its own bus."""
        bus = tooling.format_arn(service="events", resource="event-bus", resource_name="default")
        events.Rule(
            self,
            "Forward",
            description="Carries wanted retrainings to the account of the release pipeline.",
            event_pattern=events.EventPattern(
                source=[self.place.names.watch_source], detail_type=[RETRAINING_WANTED], account=[self.account]
            ),
            targets=[targets.EventBus(events.EventBus.from_event_bus_arn(self, "Bus", bus))],
        )


class WatchAlarms(Construct):
    """Whether a team's watch runs: one message when it does not, whatever the cause."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        place: Place,
        team: str,
        machine: sfn.StateMachine,
        silence_hours: int,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, name)
        watch = place.names.watch(team)
        failed = cloudwatch.Alarm(
            self,
            "Failed",
            alarm_name=f"{watch}-failed",
            alarm_description=f"A run of {watch} failed. Its last state, and the log of its job, say why.",
            metric=_failures(machine),
            threshold=1,
            # One message for a cause that lasts: it is in alarm until there was no failure for so long.
            evaluation_periods=silence_hours,
            datapoints_to_alarm=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        silent = cloudwatch.Alarm(
            self,
            "Silent",
            alarm_name=f"{watch}-silent",
            alarm_description=(
                f"No run of {watch} finished within {silence_hours} hours. See whether its schedule is on; start it "
                'by hand: `aws stepfunctions start-execution`, with {"at": "<now>"}.'
            ),
            metric=cloudwatch.Metric(
                namespace=place.names.watch_namespace,
                metric_name="Judged",
                dimensions_map={"Environment": place.name, "Team": team},
                statistic=cloudwatch.Stats.SAMPLE_COUNT,
                period=cdk.Duration.hours(1),
            ),
            threshold=1,
            evaluation_periods=silence_hours,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        composite = cloudwatch.CompositeAlarm(
            self,
            "Watch",
            composite_alarm_name=watch,
            alarm_description=(
                f"The models of team {team} in {place.name} are not judged: their lights are old. {watch}-failed and "
                f"{watch}-silent say what to do. Until the first run after the first deployment this is no fault."
            ),
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM) for alarm in (failed, silent))
            ),
        )
        composite.add_alarm_action(actions.SnsAction(topic))
        composite.add_ok_action(actions.SnsAction(topic))


def _failures(machine: sfn.StateMachine) -> cloudwatch.MathExpression:
    period = cdk.Duration.hours(1)
    return cloudwatch.MathExpression(
        expression="SUM([failed, late, aborted])",
        label="Runs without an end",
        period=period,
        using_metrics={
            "failed": machine.metric_failed(period=period),
            "late": machine.metric_timed_out(period=period),
            "aborted": machine.metric_aborted(period=period),
        },
    )


def _apart(one: Place, other: Place) -> bool:
    return (one.account.account, one.account.region) != (other.account.account, other.account.region)
