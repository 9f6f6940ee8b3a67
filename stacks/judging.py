"""The job that judges a team's models: a state machine that runs it, and the schedule that starts that."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from config.naming import NOTHING
from config.project import Watch
from pipelines.definition import volume_key
from stacks import jobs
from stacks.network import Network
from stacks.team import grant_pass

LONGEST_JOB = 63
HASH = 32


class Judging(Construct):
    """Runs `python3 -m pipelines.watch` for one team; an execution's input is `{"at": "<the time in ISO 8601>"}`.

    With several instances, all count, and then one judges. Without an image, which the platform pipeline builds, an
    execution ends at once.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        machine_name: str,
        arguments: list[str],
        image: str,
        job_role: iam.IRole,
        key: kms.IKey,
        fleet: Watch,
        log_retention: logs.RetentionDays,
        network: Network | None = None,
    ) -> None:
        super().__init__(scope, name)
        self._prefix = machine_name[: LONGEST_JOB - HASH - len("-count-")].rstrip("-")
        self._arguments, self._image, self._job_role, self._fleet = arguments, image, job_role, fleet
        self._vpc_config = network.vpc_config() if network else None
        self._volume_key = volume_key(fleet.instance, key.key_arn)
        self.machine = jobs.machine(
            self,
            machine_name,
            self._steps(),
            log_retention=log_retention,
            timeout=cdk.Duration.minutes(2 * fleet.max_minutes + 60),
        )
        grant_pass(self.machine.role, job_role)
        scheduler.Schedule(
            self,
            "Schedule",
            schedule_name=machine_name,
            description=f"Starts {machine_name}.",
            schedule=scheduler.ScheduleExpression.expression(fleet.schedule),
            target=targets.StepFunctionsStartExecution(
                self.machine,
                input=scheduler.ScheduleTargetInput.from_object({"at": scheduler.ContextAttribute.scheduled_time}),
                max_event_age=cdk.Duration.hours(1),
                retry_attempts=10,
            ),
            time_window=scheduler.TimeWindow.off(),
        )

    def _steps(self) -> sfn.IChainable:
        failed = sfn.Fail(
            self,
            "Failed",
            error="ProcessingJobFailed",
            cause_path=sfn.JsonPath.format(
                "Processing job {} ended as {}; its log says why.",
                sfn.JsonPath.string_at("$.job.ProcessingJobName"),
                sfn.JsonPath.string_at("$.job.ProcessingJobStatus"),
            ),
        )
        judge = self._job("Judge", 1, failed, sfn.Succeed(self, "Judged"))
        first = self._job("Count", self._fleet.instances, failed, judge) if self._fleet.instances > 1 else judge
        return (
            # A comparison of two constants once the stack is deployed: Step Functions knows no parameters.
            sfn.Pass(self, "Image", parameters={"image": self._image}, result_path="$.is").next(
                sfn.Choice(self, "Built")
                .when(
                    sfn.Condition.string_equals("$.is.image", NOTHING),
                    sfn.Succeed(self, "Waiting", comment="The platform pipeline has built no image yet."),
                )
                .otherwise(first)
            )
        )

    def _job(self, verb: str, instances: int, failed: sfn.Fail, then: sfn.IChainable) -> sfn.IChainable:
        """Starts a job and waits for its end; then goes on."""
        job = sfn.JsonPath.format(
            f"{self._prefix}-{verb.lower()}-{{}}", sfn.JsonPath.hash(sfn.JsonPath.execution_id, "MD5")
        )
        only = ["--only", verb.lower()] if self._fleet.instances > 1 else []
        arn = cdk.Stack.of(self).format_arn(
            service="sagemaker", resource="processing-job", resource_name=f"{self._prefix}-*"
        )
        start = jobs.call(self, verb, "createProcessingJob", self._request(job, instances, only), resources=[arn])
        look = jobs.call(
            self,
            f"Look{verb}",
            "describeProcessingJob",
            {"ProcessingJobName": job},
            resources=[arn],
            result_path="$.job",
        )
        jobs.until_done(self, "Processing", look, then, wait=f"Wait{verb}", done=f"Done{verb}").otherwise(failed)
        return start.next(look)

    def _request(self, job: str, instances: int, only: list[str]) -> dict[str, object]:
        # The job calls AWS, so that its network is not isolated; no one can call it.
        at = sfn.JsonPath.string_at("$.at")
        return {
            "ProcessingJobName": job,
            "AppSpecification": {
                "ImageUri": self._image,
                "ContainerEntrypoint": ["python3", "-m", "pipelines.watch"],
                "ContainerArguments": sfn.JsonPath.array("--at", at, *self._arguments, *only),
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceCount": instances,
                    "InstanceType": self._fleet.instance,
                    "VolumeSizeInGB": self._fleet.volume_gb,
                    **self._volume_key,
                }
            },
            **jobs.network(self._vpc_config, instances),
            "RoleArn": self._job_role.role_arn,
            "StoppingCondition": {"MaxRuntimeInSeconds": self._fleet.max_minutes * 60},
        }
