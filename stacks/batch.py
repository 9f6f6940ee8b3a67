"""Batches of one model: a state machine that screens a folder of rows, scores it, and reconciles the two."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from config.model import Model
from stacks import jobs
from stacks.batch_flow import Flow
from stacks.batch_jobs import Jobs
from stacks.endpoint import Endpoint
from stacks.network import Network
from stacks.team import grant_pass


class Batch(Construct):
    """Scores `batch/<team>/<model>/in/<run>/` into `.../out/<run>/`; started with `{"run": "<name>"}`.

    Rows that the model cannot score wait in quarantine, which each new package in production screens again.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        machine_name: str,
        settings: Model,
        endpoint: Endpoint,
        package_arn: str,
        records: s3.IBucket,
        role: iam.IRole,
        key: kms.IKey,
        topic: sns.ITopic | None,
        log_retention: logs.RetentionDays,
        network: Network | None = None,
    ) -> None:
        super().__init__(scope, name)
        watched = not settings.monitoring.none
        self.jobs = Jobs(
            endpoint_name=endpoint.endpoint_name,
            records=records.bucket_name,
            folder=f"batch/{settings.team}/{settings.name}",
            capture=f"capture/{settings.team}/{endpoint.endpoint_name}/batch/" if watched else None,
            model_name=endpoint.model.attr_model_name,
            package_arn=package_arn,
            role_arn=role.role_arn,
            volume_key_arn=key.key_arn,
            features=settings.features,
            fleet=settings.batch,
            vpc_config=network.vpc_config() if network else None,
            masks=settings.masks,
        )
        flow = Flow(self, self.jobs, records=records, config_name=endpoint.config.attr_endpoint_config_name)
        self.machine = jobs.machine(
            self, machine_name, flow.begin, log_retention=log_retention, timeout=cdk.Duration.hours(24)
        )
        self.machine.add_to_role_policy(flow.list_below)
        grant_pass(self.machine.role, role)
        # The endpoint's new package is announced when it serves: by then the machine has to know it.
        endpoint.endpoint.node.add_dependency(self.machine)
        self._screen_again(endpoint.endpoint_name)
        if topic:
            self._alarms(machine_name, topic)

    def _screen_again(self, endpoint_name: str) -> None:
        events.Rule(
            self,
            "Serves",
            description=f"Rows in quarantine are screened again when {endpoint_name} serves another package.",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Endpoint State Change"],
                detail={"EndpointName": [endpoint_name], "EndpointStatus": ["IN_SERVICE"]},
            ),
            targets=[
                targets.SfnStateMachine(
                    self.machine,
                    input=events.RuleTargetInput.from_object(
                        {
                            "again": True,
                            "run": f"again-{events.EventField.event_id}",
                            "at": events.EventField.time,
                        }
                    ),
                )
            ],
        )

    def _alarms(self, machine_name: str, topic: sns.ITopic) -> None:
        action = actions.SnsAction(topic)
        # Failed before the reconciliation or by it: either way a run's rows are not all accounted for.
        reasons = {
            "Failed": (self.machine.metric_failed, "A batch has failed. Its execution's error says which run and why"),
            "TimedOut": (self.machine.metric_timed_out, "A batch took more than a day. Look at its jobs' logs"),
        }
        for name, (metric, advice) in reasons.items():
            alarm = cloudwatch.Alarm(
                self,
                name,
                alarm_name=f"{machine_name}-{name}",
                alarm_description=f"{advice}; mend that, then start the state machine {machine_name} again with that "
                "run: it screens and scores all of its objects anew.",
                metric=metric(period=cdk.Duration.minutes(1), statistic=cloudwatch.Stats.SUM),
                threshold=1,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                evaluation_periods=1,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            alarm.add_alarm_action(action)
