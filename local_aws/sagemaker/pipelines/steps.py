"""The kinds of step of a pipeline, each under the pipeline's own role."""

from __future__ import annotations

import logging
import secrets
import string
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ParamValidationError

from local_aws.sagemaker import roles
from local_aws.sagemaker.jobs.lifecycle import Jobs
from local_aws.sagemaker.pipelines.definition import Definition, Step
from local_aws.sagemaker.pipelines.expressions import Scope, UnresolvedError
from local_aws.sagemaker.rehearsal import say
from local_aws.sagemaker.storage import split

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)

Properties = dict[str, Any]
Report = Callable[[dict[str, Any]], None]

LETTERS = string.ascii_letters + string.digits
LONGEST_NAME = 63
JOBS = {"Processing": "processing", "Training": "training", "Transform": "transform"}


class StepError(Exception):
    """A step failed; the message is its FailureReason."""


class StepStoppedError(Exception):
    """A step was stopped."""


class StepRunner:
    """Runs steps of one execution; every call is made by the pipeline's role, in a session named after the step."""

    def __init__(
        self,
        account: Account,
        jobs: Mapping[str, Jobs],
        role: str,
        definition: Definition,
        values: Mapping[str, Any],
        stopping: threading.Event,
    ) -> None:
        self._account = account
        self._jobs = jobs
        self._role = role
        self._definition = definition
        self._scope = Scope(values, self._read_property_file)
        self._properties: Mapping[str, Any] = values["Steps"]
        self._id: str = values["Execution"]["PipelineExecutionId"]
        self._arn: str = values["Execution"]["PipelineExecutionArn"]
        self._stopping = stopping
        self._running: dict[str, tuple[str, str]] = {}

    def run(self, step: Step, report: Report) -> Properties:
        """Do a step; its properties afterwards. `report` gets its metadata. Raises StepError or StepStoppedError."""
        for member in ("CacheConfig", "RetryPolicies"):
            if step.raw.get(member):
                say(self._account, f"{member} of a pipeline's steps is not rehearsed: each step runs, once.")
        kinds: dict[str, Callable[[Step, Report], Properties]] = {
            **dict.fromkeys(JOBS, self._job),
            "Condition": self._condition,
            "RegisterModel": self._register,
            "Fail": self._fail,
        }
        if step.type not in kinds:
            raise StepError(
                f"ClientError: A step of type {step.type} is not rehearsed on the local AWS; it has {', '.join(kinds)}."
            )
        try:
            return kinds[step.type](step, report)
        except UnresolvedError as error:
            raise StepError(f"ClientError: Unable to resolve the arguments of step {step.name}: {error}.") from error

    def stop_jobs(self) -> None:
        """Ask SageMaker to stop the jobs of the steps that run."""
        for step, (kind, name) in list(self._running.items()):
            try:
                self._call(step, f"Stop{kind}Job", {f"{kind}JobName": name})
            except StepError as error:  # it has just ended, or the role may not; then it goes on to its end
                LOG.warning("step %s is not stopped: %s", step, error)

    def _read_property_file(self, step: str, name: str) -> str:
        """The text of a property file, read from the output that holds it under the pipeline's role."""
        file = self._definition.steps[step].property_files.get(name)
        if file is None:
            raise UnresolvedError(f"step {step} has no property file {name!r}")
        outputs = self._properties[step]["ProcessingOutputConfig"]["Outputs"]
        uri = next(item["S3Output"]["S3Uri"] for item in outputs if item["OutputName"] == file["OutputName"])
        bucket, prefix = split(uri)
        key = "/".join(filter(None, (prefix.rstrip("/"), file["FilePath"])))
        try:
            return self._client("s3", step).get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        except ClientError as error:
            raise UnresolvedError(f"the property file s3://{bucket}/{key} cannot be read: {error}") from error

    def _job(self, step: Step, report: Report) -> Properties:
        kind = step.type
        name = self._name(step)
        arguments = {**self._scope.resolve(dict(step.arguments)), f"{kind}JobName": name}
        tags = [*arguments.get("Tags", []), *self._tags()]
        created = self._call(step.name, f"Create{kind}Job", {**arguments, "Tags": tags})
        self._running[step.name] = (kind, name)
        report({f"{kind}Job": {"Arn": created[f"{kind}JobArn"]}})
        if self._stopping.is_set():
            self.stop_jobs()
        self._jobs[JOBS[kind]].wait(name)
        del self._running[step.name]
        ended = self._call(step.name, f"Describe{kind}Job", {f"{kind}JobName": name})
        if ended[f"{kind}JobStatus"] == "Stopped":
            raise StepStoppedError
        if ended[f"{kind}JobStatus"] != "Completed":
            raise StepError(ended.get("FailureReason", f"{kind} job {name} failed"))
        return ended

    def _condition(self, step: Step, report: Report) -> Properties:
        outcome = str(all(self._scope.holds(condition) for condition in step.arguments["Conditions"]))
        report({"Condition": {"Outcome": outcome}})
        return {"Outcome": outcome}

    def _fail(self, step: Step, report: Report) -> Properties:
        message = str(self._scope.resolve(step.arguments["ErrorMessage"]))
        report({"Fail": {"ErrorMessage": message}})
        raise StepError(message)

    def _register(self, step: Step, report: Report) -> Properties:
        """Like SageMaker it asks for the package group first, whether or not that is there already."""
        arguments = self._scope.resolve(dict(step.arguments))
        arguments.pop("ModelPackageName", None)
        tags = [*arguments.pop("Tags", []), *self._tags()]
        group = {"ModelPackageGroupName": arguments["ModelPackageGroupName"], "Tags": tags}
        self._call(step.name, "CreateModelPackageGroup", group, expected="ValidationException")
        # A version of a group takes no tags in the call; SageMaker puts them on it itself, with the role's permission.
        created = self._call(step.name, "CreateModelPackage", arguments)
        self._call(step.name, "AddTags", {"ResourceArn": created["ModelPackageArn"], "Tags": tags})
        report({"RegisterModel": {"Arn": created["ModelPackageArn"]}})
        return self._call(step.name, "DescribeModelPackage", {"ModelPackageName": created["ModelPackageArn"]})

    def _call(self, step: str, operation: str, params: dict[str, Any], expected: str = "") -> dict[str, Any]:
        client = self._client("sagemaker", step)
        method = {api: name for name, api in client.meta.method_to_api_mapping.items()}[operation]
        try:
            return getattr(client, method)(**params)
        except ClientError as error:
            if error.response["Error"]["Code"] == expected:
                return {}
            raise self._refused(step, operation, error.response["Error"]["Message"]) from error
        except ParamValidationError as error:
            raise self._refused(step, operation, str(error)) from error

    def _refused(self, step: str, operation: str, details: str) -> StepError:
        return StepError(
            f"ClientError: Failed to invoke sagemaker:{operation}. Error Details: {details}\n"
            f"Retry not appropriate on execution of step with PipelineExecutionArn {self._arn} and StepId {step}."
        )

    def _client(self, service: str, step: str) -> Any:
        return roles.client(self._account, service, self._role, f"sagemaker-pipeline-{self._id}-{step}"[:64])

    def _tags(self) -> list[dict[str, str]]:
        return [{"Key": "sagemaker:pipeline-execution-arn", "Value": self._arn}]

    def _name(self, step: Step) -> str:
        """A job name as SageMaker makes them: pipelines-(execution)-(step)-(ten letters)."""
        suffix = "".join(secrets.choice(LETTERS) for _ in range(10))
        start = f"pipelines-{self._id}-{step.name.replace('_', '-')}"
        return f"{start[: LONGEST_NAME - 11].rstrip('-')}-{suffix}"
