"""AWS CodePipeline: pipelines of type V1 and V2, and their executions, one thread each."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from local_aws.codepipeline import states
from local_aws.codepipeline.actions.approval import answer
from local_aws.codepipeline.declaration import complete
from local_aws.codepipeline.events import Events
from local_aws.codepipeline.executions import Execution, Halt, now
from local_aws.codepipeline.executor import Executor
from local_aws.codepipeline.pipelines import Pipeline
from local_aws.codepipeline.roles import PRINCIPAL, Roles
from local_aws.codepipeline.start import new_execution, take_up
from local_aws.errors import AwsError
from local_aws.pages import page
from local_aws.service import Caller, Permission, Service

if TYPE_CHECKING:
    from local_aws.account import Account

Params = dict[str, Any]
UNKNOWN_PAGE = "InvalidNextTokenException"


class CodePipeline(Service):
    """Pipelines, and what they are doing."""

    name = "codepipeline"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._pipelines: dict[str, Pipeline] = {}
        self._by_token: dict[tuple[str, str], str] = {}
        self._roles = Roles(account)
        self._events = Events(account)

    def stop(self) -> None:
        """End every execution where it is."""
        for pipeline in self._pipelines.values():
            for execution in pipeline.running():
                self._halt(pipeline, execution, "abandon")

    def permissions(self, operation: str, params: Params) -> list[Permission]:
        """The operation on the pipeline, the stage or the action concerned, and passing the pipeline's role."""
        declaration = params.get("pipeline", {})
        names = [declaration.get("name") or params.get("pipelineName") or params.get("name")]
        names += [params.get("stageName"), params.get("actionName")]
        resource = "/".join(name for name in names if name)
        arn = params.get("resourceArn") or (self.account.arn("codepipeline", resource) if resource else "*")
        needed = [Permission(f"codepipeline:{operation}", arn)]
        if operation == "CreatePipeline" and params.get("tags"):
            needed.append(Permission("codepipeline:TagResource", arn))
        if declaration:
            needed.append(Permission("iam:PassRole", declaration["roleArn"], {"iam:PassedToService": PRINCIPAL}))
        return needed

    def create_pipeline(self, params: Params, caller: Caller) -> Params:
        """Create a pipeline; its first execution starts at once, as on AWS."""
        declaration = self._checked(params["pipeline"], version=1)
        if declaration["name"] in self._pipelines:
            raise AwsError(
                "PipelineNameInUseException", f"A pipeline with the name '{declaration['name']}' already exists"
            )
        tags = {tag["key"]: tag["value"] for tag in params.get("tags", ())}
        self._pipelines[declaration["name"]] = Pipeline([declaration], tags)
        self.begin(declaration["name"], "CreatePipeline", caller.arn)
        return {"pipeline": declaration}

    def update_pipeline(self, params: Params, _: Caller) -> Params:
        """Change a pipeline; executions that run do not complete, except in PARALLEL mode."""
        pipeline = self._pipeline(params["pipeline"]["name"])
        declaration = self._checked(params["pipeline"], version=len(pipeline.versions) + 1)
        with pipeline.changed:
            pipeline.versions.append(declaration)
            pipeline.updated = now()
        for execution in pipeline.running():
            if execution.mode != "PARALLEL":
                self._halt(pipeline, execution, "cancel")
        return {"pipeline": pipeline.declaration}

    def get_pipeline(self, params: Params, _: Caller) -> Params:
        """A version of a pipeline, the latest by default."""
        pipeline = self._pipeline(params["name"])
        version = params.get("version", len(pipeline.versions))
        if version > len(pipeline.versions):
            raise AwsError("PipelineVersionNotFoundException", f"Pipeline {pipeline.name} has no version {version}")
        arn = self.account.arn("codepipeline", pipeline.name)
        metadata = {"pipelineArn": arn, "created": pipeline.created, "updated": pipeline.updated}
        return {"pipeline": pipeline.versions[version - 1], "metadata": metadata}

    def delete_pipeline(self, params: Params, _: Caller) -> Params:
        """Delete a pipeline with its executions."""
        if pipeline := self._pipelines.pop(params["name"], None):
            for execution in pipeline.running():
                self._halt(pipeline, execution, "abandon")
        return {}

    def list_pipelines(self, params: Params, _: Caller) -> Params:
        """All pipelines by name."""
        found = [self._pipelines[name] for name in sorted(self._pipelines)]
        found, more = page(found, params.get("nextToken"), params.get("maxResults", 1000), UNKNOWN_PAGE)
        shown = ("name", "version", "pipelineType", "executionMode")
        summaries = [
            {**{key: p.declaration[key] for key in shown}, "created": p.created, "updated": p.updated} for p in found
        ]
        return {"pipelines": summaries, **more}

    def tag_resource(self, params: Params, _: Caller) -> Params:
        """Add tags to a pipeline, or change them."""
        self._pipeline(params["resourceArn"]).tags |= {tag["key"]: tag["value"] for tag in params["tags"]}
        return {}

    def untag_resource(self, params: Params, _: Caller) -> Params:
        """Remove tags from a pipeline."""
        for key in params["tagKeys"]:
            self._pipeline(params["resourceArn"]).tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, params: Params, _: Caller) -> Params:
        """The tags of a pipeline."""
        tags = self._pipeline(params["resourceArn"]).tags
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def start_pipeline_execution(self, params: Params, caller: Caller) -> Params:
        """Start an execution; the same `clientRequestToken` gives the same execution."""
        token = (params["name"], params.get("clientRequestToken", ""))
        if not token[1] or token not in self._by_token:
            variables = {item["name"]: item["value"] for item in params.get("variables", ())}
            self._by_token[token] = self.begin(
                params["name"], "StartPipelineExecution", caller.arn, variables, params.get("sourceRevisions", [])
            )
        return {"pipelineExecutionId": self._by_token[token]}

    def get_pipeline_execution(self, params: Params, _: Caller) -> Params:
        """One execution."""
        pipeline = self._pipeline(params["pipelineName"])
        return {"pipelineExecution": states.execution(pipeline.execution(params["pipelineExecutionId"]))}

    def list_pipeline_executions(self, params: Params, _: Caller) -> Params:
        """The executions, newest first."""
        found = list(self._pipeline(params["pipelineName"]).executions.values())[::-1]
        if stage := params.get("filter", {}).get("succeededInStage", {}).get("stageName"):
            found = [e for e in found if stage in e.stages and e.stages[stage].status == "Succeeded"]
        found, more = page(found, params.get("nextToken"), params.get("maxResults", 100), UNKNOWN_PAGE)
        return {"pipelineExecutionSummaries": [states.execution_summary(execution) for execution in found], **more}

    def get_pipeline_state(self, params: Params, _: Caller) -> Params:
        """The stages, and what last happened in each."""
        pipeline = self._pipeline(params["name"])
        with pipeline.changed:
            return {
                "pipelineName": pipeline.name,
                "pipelineVersion": pipeline.declaration["version"],
                "stageStates": [states.stage_state(pipeline, stage) for stage in pipeline.declaration["stages"]],
                "created": pipeline.created,
                "updated": pipeline.updated,
            }

    def list_action_executions(self, params: Params, _: Caller) -> Params:
        """The runs of actions, newest first."""
        pairs = [(e, run) for e in self._filtered(params) for run in e.actions()]
        pairs.sort(key=lambda pair: pair[1].start, reverse=True)
        pairs, more = page(pairs, params.get("nextToken"), params.get("maxResults", 100), UNKNOWN_PAGE)
        region = self.account.settings.region
        return {"actionExecutionDetails": [states.action_detail(e, run, region) for e, run in pairs], **more}

    def list_rule_executions(self, params: Params, _: Caller) -> Params:
        """The checks of rules, newest first."""
        found = [
            states.rule_detail(execution, stage, rule)
            for execution in self._filtered(params)
            for stage in list(execution.stages.values())
            for condition in list(stage.conditions.values())
            for rule in condition.rules
        ]
        found.sort(key=_start, reverse=True)
        found, more = page(found, params.get("nextToken"), params.get("maxResults", 100), UNKNOWN_PAGE)
        return {"ruleExecutionDetails": found, **more}

    def put_approval_result(self, params: Params, caller: Caller) -> Params:
        """Approve or reject what waits for it, by its token."""
        pipeline = self._pipeline(params["pipelineName"])
        answer(pipeline, params, caller.arn)
        return {"approvedAt": now()}

    def stop_pipeline_execution(self, params: Params, _: Caller) -> Params:
        """Stop an execution, after the actions that run (default) or at once (`abandon`)."""
        pipeline = self._pipeline(params["pipelineName"])
        execution = pipeline.execution(params["pipelineExecutionId"])
        halt: Halt = "abandon" if params.get("abandon") else "stop"
        if execution.status == "Stopping" and halt in {execution.halt, "stop"}:
            raise AwsError("DuplicatedStopRequestException", "The pipeline execution is already in a Stopping state.")
        if execution.status not in ("InProgress", "Stopping"):
            raise AwsError(
                "PipelineExecutionNotStoppableException",
                f"The pipeline execution {execution.id} is {execution.status} and cannot be stopped.",
            )
        execution.stop_reason = params.get("reason", "")
        execution.status = "Stopping"
        self._events.pipeline(execution, "STOPPING")
        self._halt(pipeline, execution, halt)
        return {"pipelineExecutionId": execution.id}

    def retry_stage_execution(self, params: Params, _: Caller) -> Params:
        """Run the failed (or all) actions of a failed stage again, and go on from there."""
        pipeline = self._pipeline(params["pipelineName"])
        execution = pipeline.execution(params["pipelineExecutionId"])
        first = take_up(pipeline, execution, params["stageName"], params["retryMode"])
        self._run(pipeline, execution, first)
        return {"pipelineExecutionId": execution.id}

    def begin(
        self,
        name: str,
        trigger: str,
        detail: str,
        variables: dict[str, str] | None = None,
        revisions: list[dict[str, str]] | None = None,
    ) -> str:
        """Start an execution for a trigger of AWS's (`CreatePipeline`, say) and what it says of itself; its id."""
        pipeline = self._pipeline(name)
        execution = new_execution(pipeline, trigger, detail, variables or {}, revisions or [])
        with pipeline.changed:
            pipeline.executions[execution.id] = execution
        self._run(pipeline, execution)
        return execution.id

    def _run(self, pipeline: Pipeline, execution: Execution, first: int = 0) -> None:
        executor = Executor(self.account, self._roles, pipeline, execution)
        self.account.background(f"pipeline {pipeline.name} {execution.id}", lambda: executor.run(first))

    def _halt(self, pipeline: Pipeline, execution: Execution, halt: Halt) -> None:
        """Tell an execution to end; at once, unless it may finish the actions that run (`stop`)."""
        with pipeline.changed:
            execution.halt = halt
            for run in execution.actions():
                if halt != "stop" and run.status == "InProgress":
                    run.status, run.updated = "Abandoned", now()
            pipeline.changed.notify_all()

    def _checked(self, declaration: Params, version: int) -> Params:
        pipeline = complete({**declaration, "version": version}, self.account.settings.region)
        self._roles.check(pipeline["roleArn"])
        return pipeline

    def _pipeline(self, name: str) -> Pipeline:
        """A pipeline by its name or ARN."""
        name = name.rpartition(":")[2]
        if name not in self._pipelines:
            raise AwsError("PipelineNotFoundException", f"The account has no pipeline with the name '{name}'")
        return self._pipelines[name]

    def _filtered(self, params: Params) -> list[Execution]:
        pipeline = self._pipeline(params["pipelineName"])
        wanted = params.get("filter", {})
        identifier = wanted.get("pipelineExecutionId") or wanted.get("latestInPipelineExecution", {}).get(
            "pipelineExecutionId"
        )
        return [pipeline.execution(identifier)] if identifier else list(pipeline.executions.values())


def _start(described: Params) -> datetime:
    return described["startTime"]
