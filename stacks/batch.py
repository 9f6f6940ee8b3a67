"""Batch transform of one model: a state machine that scores a folder of records."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from config.hosting import Batch as Fleet

FORMAT = "text/csv"


class Batch(Construct):
    """Scores `batch/<team>/<model>/in/<run>/` into `.../out/<run>/`; started with `{"run": "<name>"}`.

    A run's name becomes the transform job's, so it is scored once; score again under another name.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        machine_name: str,
        job_prefix: str,
        folder: str,
        records: s3.IBucket,
        model: sagemaker.CfnModel,
        fleet: Fleet,
        log_retention: logs.RetentionDays,
    ) -> None:
        super().__init__(scope, name)
        self._folder = f"s3://{records.bucket_name}/{folder}"
        self._prefix = job_prefix
        log = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/vendedlogs/states/{machine_name}",
            removal_policy=cdk.RemovalPolicy.DESTROY,
            retention=log_retention,
        )
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=machine_name,
            definition_body=sfn.DefinitionBody.from_chainable(self._steps(model, fleet)),
            logs=sfn.LogOptions(destination=log, level=sfn.LogLevel.ERROR),
            timeout=cdk.Duration.hours(24),
        )

    def _steps(self, model: sagemaker.CfnModel, fleet: Fleet) -> sfn.IChainable:
        job = sfn.JsonPath.format(f"{self._prefix}-{{}}", sfn.JsonPath.string_at("$.run"))
        start = self._task("Start", "createTransformJob", self._request(job, model, fleet))
        look = self._task("Look", "describeTransformJob", {"TransformJobName": job}, result_path="$.job")
        wait = sfn.Wait(self, "Wait", time=sfn.WaitTime.duration(cdk.Duration.seconds(15)))
        failed = sfn.Fail(
            self,
            "Failed",
            error="TransformJobFailed",
            cause_path=sfn.JsonPath.format(
                "Transform job {} ended as {}.",
                sfn.JsonPath.string_at("$.job.TransformJobName"),
                sfn.JsonPath.string_at("$.job.TransformJobStatus"),
            ),
        )
        status = sfn.Condition.string_equals
        done = (
            sfn.Choice(self, "Done")
            .when(status("$.job.TransformJobStatus", "Completed"), sfn.Succeed(self, "Scored"))
            .when(status("$.job.TransformJobStatus", "InProgress"), wait)
            .when(status("$.job.TransformJobStatus", "Stopping"), wait)
            .otherwise(failed)
        )
        wait.next(look)
        return start.next(look).next(done)

    def _task(
        self, name: str, action: str, parameters: dict[str, object], *, result_path: str = sfn.JsonPath.DISCARD
    ) -> tasks.CallAwsService:
        jobs = cdk.Stack.of(self).format_arn(
            service="sagemaker", resource="transform-job", resource_name=f"{self._prefix}-*"
        )
        extra = ["sagemaker:AddTags"] if action.startswith("create") else []
        return tasks.CallAwsService(
            self,
            name,
            service="sagemaker",
            action=action,
            parameters=parameters,
            iam_resources=[jobs],
            additional_iam_statements=[iam.PolicyStatement(actions=extra, resources=[jobs])] if extra else None,
            result_path=result_path,
        )

    def _request(self, job: str, model: sagemaker.CfnModel, fleet: Fleet) -> dict[str, object]:
        run = sfn.JsonPath.string_at("$.run")
        return {
            "TransformJobName": job,
            "ModelName": model.attr_model_name,
            "BatchStrategy": "MultiRecord",
            "MaxPayloadInMB": fleet.payload_mb,
            "TransformInput": {
                "ContentType": FORMAT,
                "SplitType": "Line",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": sfn.JsonPath.format(f"{self._folder}/in/{{}}/", run),
                    }
                },
            },
            "TransformOutput": {
                "Accept": FORMAT,
                "AssembleWith": "Line",
                "S3OutputPath": sfn.JsonPath.format(f"{self._folder}/out/{{}}/", run),
            },
            "TransformResources": {"InstanceType": fleet.instance, "InstanceCount": fleet.instances},
        }
