"""The states of a batch, in order: which rows, which package, screen, score, reconcile."""

from __future__ import annotations

from typing import NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks import jobs
from stacks.batch_jobs import JOB_IMAGE, Jobs


class _Kind(NamedTuple):
    """A kind of job: SageMaker's noun for it, and the request that starts one."""

    noun: str
    request: dict[str, object]


class Flow:
    """Made once, below a construct; `begin` is the first state, of an input `{"run"}`, perhaps `"at"` and `"again"`."""

    def __init__(self, scope: Construct, requests: Jobs, *, records: s3.IBucket, config_name: str) -> None:
        self._scope = scope
        self._jobs = requests
        self._records = records
        screen = self._which_package(self._all_jobs())
        rows = self._mode("New rows", "first", "in/{}/", sfn.JsonPath.string_at("$.run"))
        rows.next(screen)
        quarantine = self._mode("Quarantine", "again", "quarantine/{}", "")
        quarantine.next(self._worth_it(config_name, screen))
        is_again = sfn.Condition.and_(
            sfn.Condition.is_present("$.again"), sfn.Condition.boolean_equals("$.again", value=True)
        )
        kind = sfn.Choice(scope, "Which rows").when(is_again, quarantine).otherwise(rows)
        self.list_below = iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[records.bucket_arn],
            conditions={"StringLike": {"s3:prefix": f"{requests.folder}/*"}},
        )
        self.begin = self._named().next(self._timed(kind))

    def _named(self) -> sfn.Pass:
        token = sfn.JsonPath.array_get_item(sfn.JsonPath.string_split(sfn.JsonPath.uuid(), "-"), 4)
        return sfn.Pass(self._scope, "Name", parameters={"token": token}, result_path="$.names")

    def _timed(self, then: sfn.Choice) -> sfn.Choice:
        path = sfn.JsonPath.string_at
        now, given = (
            sfn.Pass(self._scope, name, parameters={"at": path(where)}, result_path="$.time")
            for name, where in {"Now": "$$.Execution.StartTime", "Given time": "$.at"}.items()
        )
        is_given = sfn.Condition.is_present("$.at")
        return sfn.Choice(self._scope, "Which time").when(is_given, given.next(then)).otherwise(now.next(then))

    def _mode(self, name: str, mode: str, folder: str, run: str) -> sfn.Pass:
        uri = sfn.JsonPath.format(f"s3://{self._records.bucket_name}/{self._jobs.folder}/{folder}", run)
        return sfn.Pass(self._scope, name, parameters={"mode": mode, "rows": uri}, result_path="$.flow")

    def _worth_it(self, config_name: str, then: sfn.IChainable) -> sfn.IChainable:
        """Rows are pending, the endpoint runs this machine's package, and that has not screened them yet."""
        folder, package = self._jobs.folder, cdk.Fn.select(1, cdk.Fn.split("model-package/", self._jobs.package_arn))
        endpoint = jobs.call(
            self._scope,
            "Endpoint",
            "describeEndpoint",
            {"EndpointName": self._jobs.endpoint_name},
            resources=[self._arn("endpoint", self._jobs.endpoint_name)],
            result_path="$.endpoint",
        )
        # An endpoint is in service too when it has gone back to the package before.
        other = sfn.Condition.not_(sfn.Condition.string_equals("$.endpoint.EndpointConfigName", config_name))
        used = sfn.Fail(
            self._scope,
            "Name is taken",
            error="RunNameTaken",
            cause_path=sfn.JsonPath.format(
                "A run over the quarantine was named {} before; start it under a new name.",
                sfn.JsonPath.string_at("$.run"),
            ),
        )
        again = sfn.JsonPath.format(f"{folder}/again/{{}}/", sfn.JsonPath.string_at("$.run"))
        fresh = self._any("Earlier run", again).next(self._if_any("Is the name new", used, then))
        screened = self._any("Screened before", f"{folder}/screened/{package}.json").next(
            self._if_any("Is the package new", sfn.Succeed(self._scope, "Screened by this package"), fresh)
        )
        pending = self._any("Pending", f"{folder}/quarantine/").next(
            self._if_any("Is anything pending", screened, sfn.Succeed(self._scope, "Nothing pending"))
        )
        serves = sfn.Choice(self._scope, "Does it serve").when(
            other, sfn.Succeed(self._scope, "Another package serves")
        )
        return endpoint.next(serves.otherwise(pending))

    def _which_package(self, then: sfn.IChainable) -> sfn.IChainable:
        describe = jobs.call(
            self._scope,
            "Package",
            "describeModelPackage",
            {"ModelPackageName": self._jobs.package_arn},
            resources=[self._jobs.package_arn],
            result_path="$.package",
        )
        unknown = sfn.Fail(
            self._scope,
            "No job image",
            error="NoJobImage",
            cause=f"The model package {self._jobs.package_arn} does not say job_image in its metadata, so nothing can "
            "screen its rows; release the model again.",
        )
        known = sfn.Choice(self._scope, "Is its image known").when(sfn.Condition.is_present(JOB_IMAGE), then)
        return describe.next(known.otherwise(unknown))

    def _all_jobs(self) -> sfn.IChainable:
        reconcile = self._job(
            "Reconcile", _Kind("Processing", self._jobs.reconcile()), sfn.Succeed(self._scope, "Scored")
        )
        score = self._job("Score", _Kind("Transform", self._jobs.score()), reconcile)
        accepted = sfn.JsonPath.format(f"{self._jobs.folder}/accepted/{{}}/", sfn.JsonPath.string_at("$.run"))
        found = self._any("Accepted", accepted).next(self._if_any("Is anything accepted", score, reconcile))
        return self._job("Screen", _Kind("Processing", self._jobs.screen()), found)

    def _job(self, name: str, kind: _Kind, then: sfn.IChainable) -> sfn.IChainable:
        """Starts a job and looks after it until it ends."""
        noun = kind.noun
        arn = self._arn(f"{noun.lower()}-job", f"{self._jobs.prefix(name.lower())}-*")
        start = jobs.call(self._scope, name, f"create{noun}Job", kind.request, resources=[arn])
        job = {f"{noun}JobName": self._jobs.name(name.lower())}
        look = jobs.call(
            self._scope, f"Look at {name}", f"describe{noun}Job", job, resources=[arn], result_path="$.job"
        )
        look.add_retry(errors=["States.TaskFailed"], max_attempts=4)
        done = jobs.until_done(self._scope, noun, look, then, wait=f"Wait for {name}", done=f"Is {name} done")
        for why, what in {"ExitMessage": "says why", "FailureReason": "failed"}.items():
            done.when(sfn.Condition.is_present(f"$.job.{why}"), self._failed(name, f"{name} {what}", why))
        done.otherwise(self._failed(name, f"{name} ended", f"{noun}JobStatus"))
        return start.next(look)

    def _failed(self, job: str, name: str, why: str) -> sfn.Fail:
        return sfn.Fail(
            self._scope,
            name,
            error=f"{job}Failed",
            cause_path=sfn.JsonPath.format(
                "Run {}: {}", sfn.JsonPath.string_at("$.run"), sfn.JsonPath.string_at(f"$.job.{why}")
            ),
        )

    def _any(self, name: str, prefix: str) -> sfn.CustomState:
        """How many objects have that prefix, as far as one; the permission is `list_below`."""
        parameters = {"Bucket": self._records.bucket_name, "Prefix": prefix, "MaxKeys": 1}
        return sfn.CustomState(
            self._scope,
            name,
            state_json={
                "Type": "Task",
                "Resource": f"arn:{cdk.Aws.PARTITION}:states:::aws-sdk:s3:listObjectsV2",
                "Parameters": sfn.FieldUtils.render_object(parameters),
                "ResultPath": "$.found",
            },
        )

    def _if_any(self, name: str, then: sfn.IChainable, otherwise: sfn.IChainable) -> sfn.Choice:
        none = sfn.Condition.number_equals("$.found.KeyCount", 0)
        return sfn.Choice(self._scope, name).when(none, otherwise).otherwise(then)

    def _arn(self, resource: str, name: str) -> str:
        return cdk.Stack.of(self._scope).format_arn(service="sagemaker", resource=resource, resource_name=name)
