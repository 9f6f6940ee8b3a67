"""SageMaker pipelines: definitions, and the executions that are started of them."""

from __future__ import annotations

import json
import secrets
import string
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.sagemaker import events, roles, shapes
from local_aws.sagemaker.jobs.lifecycle import Jobs
from local_aws.sagemaker.kinds import PIPELINE, PIPELINE_EXECUTION
from local_aws.sagemaker.listing import page
from local_aws.sagemaker.pipelines.definition import Definition, parse
from local_aws.sagemaker.pipelines.execution import Execution
from local_aws.sagemaker.pipelines.expressions import TYPES
from local_aws.sagemaker.rehearsal import refused
from local_aws.sagemaker.shelf import Shelf
from local_aws.sagemaker.tags import Tags

if TYPE_CHECKING:
    from local_aws.account import Account

ID_LETTERS = string.ascii_lowercase + string.digits
CHANGEABLE = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")


class Pipelines:
    """Pipelines by name, executions by "pipeline/execution/id"."""

    def __init__(self, account: Account, tags: Tags, jobs: Mapping[str, Jobs]) -> None:
        self.shelf = Shelf(account, PIPELINE, tags)
        self.executions = Shelf(account, PIPELINE_EXECUTION, tags)
        self._account = account
        self._jobs = jobs
        self._running: dict[str, Execution] = {}
        self._tokens: dict[tuple[str, str], str] = {}
        self._starting = threading.Lock()

    def create_pipeline(self, params: dict[str, Any]) -> dict[str, Any]:
        """CreatePipeline."""
        text = self._definition(params, params["RoleArn"])
        parse(text)
        roles.check_trust(self._account, params["RoleArn"])
        pipeline = self.shelf.add(
            params["PipelineName"],
            {"PipelineDisplayName": params["PipelineName"], **params},
            PipelineDefinition=text,
            PipelineStatus="Active",
        )
        return {"PipelineArn": pipeline["PipelineArn"]}

    def update_pipeline(self, params: dict[str, Any]) -> dict[str, Any]:
        """UpdatePipeline; executions that run keep the definition they started with."""
        pipeline = self.shelf.find(params["PipelineName"])
        changes = {name: params[name] for name in CHANGEABLE if name in params}
        if "PipelineDefinition" in params or "PipelineDefinitionS3Location" in params:
            changes["PipelineDefinition"] = self._definition(params, params.get("RoleArn", pipeline["RoleArn"]))
            parse(changes["PipelineDefinition"])
        if "RoleArn" in params:
            roles.check_trust(self._account, params["RoleArn"])
        self.shelf.update(params["PipelineName"], **changes)
        return {"PipelineArn": pipeline["PipelineArn"]}

    def describe_pipeline(self, params: dict[str, Any]) -> dict[str, Any]:
        """DescribePipeline."""
        return shapes.answer("DescribePipeline", self.shelf.find(params["PipelineName"]))

    def list_pipelines(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListPipelines."""
        return self.shelf.listed("ListPipelines", params)

    def delete_pipeline(self, params: dict[str, Any]) -> dict[str, Any]:
        """DeletePipeline, with its executions; not while one runs."""
        pipeline = self.shelf.find(params["PipelineName"])
        executions = self._executions_of(pipeline)
        running = [each for each in executions if each["PipelineExecutionStatus"] in ("Executing", "Stopping")]
        if running:
            arn = running[0]["PipelineExecutionArn"]
            raise AwsError("ConflictException", f"Pipeline {pipeline['PipelineArn']} has a running execution: {arn}.")
        for execution in executions:
            self.executions.remove(execution["PipelineExecutionArn"])
        self.shelf.remove(pipeline["PipelineName"])
        return {"PipelineArn": pipeline["PipelineArn"]}

    def start_pipeline_execution(self, params: dict[str, Any]) -> dict[str, Any]:
        """StartPipelineExecution; the same ClientRequestToken again gives the execution that it started."""
        pipeline = self.shelf.find(params["PipelineName"])
        if "SelectiveExecutionConfig" in params:
            raise refused("SelectiveExecutionConfig", "start the whole pipeline")
        token = (pipeline["PipelineArn"], params["ClientRequestToken"])
        with self._starting:
            if token not in self._tokens:
                self._tokens[token] = self._start(pipeline, params)
        return {"PipelineExecutionArn": self._tokens[token]}

    def describe_pipeline_execution(self, params: dict[str, Any]) -> dict[str, Any]:
        """DescribePipelineExecution."""
        return shapes.answer("DescribePipelineExecution", self.executions.find(params["PipelineExecutionArn"]))

    def list_pipeline_executions(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListPipelineExecutions."""
        pipeline = self.shelf.find(params["PipelineName"])
        filters = {name: value for name, value in params.items() if name != "PipelineName"}
        shown = [
            {
                **execution,
                "StartTime": execution["CreationTime"],
                "PipelineExecutionFailureReason": execution.get("FailureReason"),
            }
            for execution in self._executions_of(pipeline)
        ]
        return self.executions.listed("ListPipelineExecutions", filters, shown)

    def list_pipeline_execution_steps(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListPipelineExecutionSteps: those that have started, newest first by default."""
        execution = self.executions.find(params["PipelineExecutionArn"])
        steps = [{**step, "CreationTime": step["StartTime"]} for step in self._steps(execution)]
        filters = {name: value for name, value in params.items() if name != "PipelineExecutionArn"}
        found, token = page(PIPELINE_EXECUTION, [*steps], filters)
        answer = shapes.summaries("ListPipelineExecutionSteps", found)
        return {**answer, "NextToken": token} if token else answer

    def stop_pipeline_execution(self, params: dict[str, Any]) -> dict[str, Any]:
        """StopPipelineExecution: Stopping, and Stopped when its running steps are."""
        arn = params["PipelineExecutionArn"]
        execution = self.executions.find(arn)
        status = execution["PipelineExecutionStatus"]
        refusal = AwsError(
            "ConflictException", f"Pipeline execution {arn} is in status {status}: it cannot be stopped."
        )
        self._moved(self.executions.move(arn, "Stopping", before=("Executing",), refusal=refusal), "Executing")
        self._running[arn].stop()
        return {"PipelineExecutionArn": arn}

    def describe_pipeline_definition_for_execution(self, params: dict[str, Any]) -> dict[str, Any]:
        """DescribePipelineDefinitionForExecution."""
        execution = self.executions.find(params["PipelineExecutionArn"])
        return shapes.answer("DescribePipelineDefinitionForExecution", execution)

    def list_pipeline_parameters_for_execution(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListPipelineParametersForExecution, on one page."""
        return {"PipelineParameters": self.executions.find(params["PipelineExecutionArn"])["PipelineParameters"]}

    def _start(self, pipeline: dict[str, Any], params: dict[str, Any]) -> str:
        definition = parse(pipeline["PipelineDefinition"])
        values = _parameters(definition, params.get("PipelineParameters", []))
        identity = "".join(secrets.choice(ID_LETTERS) for _ in range(12))
        execution = self.executions.add(
            f"{pipeline['PipelineName']}/execution/{identity}",
            {"PipelineExecutionDisplayName": f"execution-{identity}", **params},
            PipelineArn=pipeline["PipelineArn"],
            PipelineExecutionStatus="Executing",
            PipelineDefinition=pipeline["PipelineDefinition"],
            PipelineParameters=params.get("PipelineParameters", []),
        )
        arn = execution["PipelineExecutionArn"]
        self.shelf.update(pipeline["PipelineName"], LastRunTime=execution["CreationTime"])
        self._running[arn] = Execution(self._account, self._jobs, pipeline, execution, definition, values)
        self._account.background(f"pipeline execution {identity}", lambda: self._run(arn))
        return arn

    def _run(self, arn: str) -> None:
        execution = self._running[arn]
        self._moved(self.executions.find(arn), "Executing")
        status, reason = "Failed", "InternalServerError: the local AWS made a mistake; its log says which."
        try:
            status, reason = execution.run()
        finally:
            before = self.executions.find(arn)["PipelineExecutionStatus"]
            ended = self.executions.update(arn, PipelineExecutionStatus=status, FailureReason=reason)
            self._moved(ended, before)

    def _moved(self, execution: dict[str, Any], before: str) -> None:
        events.execution(self._account, execution, before)

    def _steps(self, execution: dict[str, Any]) -> list[dict[str, Any]]:
        return list(self._running[execution["PipelineExecutionArn"]].steps.values())

    def _executions_of(self, pipeline: dict[str, Any]) -> list[dict[str, Any]]:
        return [each for each in self.executions.items() if each["PipelineArn"] == pipeline["PipelineArn"]]

    def _definition(self, params: dict[str, Any], role: str) -> str:
        if ("PipelineDefinition" in params) == ("PipelineDefinitionS3Location" in params):
            raise AwsError(
                "ValidationException",
                "Either Pipeline Definition or Pipeline Definition S3 location should be provided, and not both.",
            )
        if "PipelineDefinition" in params:
            return params["PipelineDefinition"]
        place = params["PipelineDefinitionS3Location"]
        version = {"VersionId": place["VersionId"]} if "VersionId" in place else {}
        s3 = roles.client(self._account, "s3", role)
        return s3.get_object(Bucket=place["Bucket"], Key=place["ObjectKey"], **version)["Body"].read().decode()


def _parameters(definition: Definition, given: list[dict[str, str]]) -> dict[str, Any]:
    """The value of every parameter, in its type. Raises AwsError for one unknown, missing, or of a wrong type."""
    values = {name: item["DefaultValue"] for name, item in definition.parameters.items() if "DefaultValue" in item}
    values |= {item["Name"]: item["Value"] for item in given}
    if unknown := values.keys() - definition.parameters.keys():
        raise AwsError(
            "ValidationException", f"Assigned pipeline parameters [{', '.join(sorted(unknown))}] are undefined."
        )
    if missing := definition.parameters.keys() - values.keys():
        raise AwsError("ValidationException", f"Pipeline parameters [{', '.join(sorted(missing))}] do not have values.")
    return {name: _typed(definition.parameters[name], value) for name, value in values.items()}


def _typed(parameter: Any, value: Any) -> Any:
    allowed = parameter.get("EnumValues")
    try:
        typed = TYPES[parameter["Type"]](value)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise AwsError(
            "ValidationException",
            f"Pipeline parameter {parameter['Name']} is {json.dumps(value)}; it must be of type {parameter['Type']}.",
        ) from error
    if allowed and typed not in allowed:
        raise AwsError(
            "ValidationException", f"Pipeline parameter {parameter['Name']} is {typed!r}; it must be one of {allowed}."
        )
    return typed
