"""Pipelines for tests: from a versioned bucket, through builds and approvals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.account import Account
from tests.local_aws.delivery import (
    LOGS,
    OBJECTS,
    allow,
    bucket,
    buildspec,
    eventually,
    project,
    role,
    unique,
    zipped,
)

ENDED = ("Succeeded", "Failed", "Stopped", "Superseded", "Cancelled")
BUILDS = allow("codebuild:StartBuild", "codebuild:BatchGetBuilds")
ARTIFACTS = {"type": "CODEPIPELINE"}


class Delivery:
    """Makes pipelines in an account, and follows them."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.client = account.client("codepipeline")
        self.bucket = bucket(account)
        self.role = role(account, "codepipeline", OBJECTS, BUILDS, allow("sns:Publish"))
        self.build_role = role(account, "codebuild", LOGS, OBJECTS)

    def upload(self, **files: str) -> str:
        """Put a source of these files (`a_txt="..."` is a.txt) into the bucket; its version."""
        content = zipped({name.replace("_", "."): text for name, text in files.items()} or {"README": "demo"})
        return self.account.client("s3").put_object(Bucket=self.bucket, Key="source.zip", Body=content)["VersionId"]

    def project(self, *commands: str, service_role: str = "", **spec: Any) -> str:
        """A build project for pipelines."""
        source = {"type": "CODEPIPELINE", "buildspec": buildspec(*commands, **spec)}
        return project(self.account, "", service_role or self.build_role, source=source, artifacts=ARTIFACTS)

    def source(self, **members: Any) -> dict[str, Any]:
        """The source stage."""
        configuration = {"S3Bucket": self.bucket, "S3ObjectKey": "source.zip", "PollForSourceChanges": "false"}
        action = {
            "name": "Source",
            "actionTypeId": _kind("Source", "S3"),
            "configuration": configuration,
            "outputArtifacts": [{"name": "source"}],
            "namespace": "Source",
            **members,
        }
        return {"name": "Source", "actions": [action]}

    def create(self, *stages: dict[str, Any], source: dict[str, Any] | None = None, **members: Any) -> str:
        """A V2 pipeline of a source stage and these; its name."""
        name = unique("pipeline")
        self.client.create_pipeline(pipeline=self.declaration(name, *stages, source=source, **members))
        return name

    def declaration(
        self, name: str, *stages: dict[str, Any], source: dict[str, Any] | None = None, **members: Any
    ) -> dict[str, Any]:
        """What `create_pipeline` takes."""
        return {
            "name": name,
            "roleArn": self.role,
            "pipelineType": "V2",
            "artifactStore": {"type": "S3", "location": self.bucket},
            "stages": [source or self.source(), *stages],
            **members,
        }

    def first(self, pipeline: str) -> str:
        """The execution that came with the pipeline's creation."""
        return self.client.list_pipeline_executions(pipelineName=pipeline)["pipelineExecutionSummaries"][-1][
            "pipelineExecutionId"
        ]

    def start(self, pipeline: str, **members: Any) -> str:
        """A further execution."""
        return self.client.start_pipeline_execution(name=pipeline, **members)["pipelineExecutionId"]

    def execution(self, pipeline: str, identifier: str) -> dict[str, Any]:
        """An execution as it is now."""
        return self.client.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=identifier)[
            "pipelineExecution"
        ]

    def ended(self, pipeline: str, identifier: str = "") -> dict[str, Any]:
        """An execution (default: the first) at its end."""
        identifier = identifier or self.first(pipeline)

        def end() -> dict[str, Any] | None:
            execution = self.execution(pipeline, identifier)
            return execution if execution["status"] in ENDED else None

        return eventually(end)

    def actions(self, pipeline: str, identifier: str = "") -> list[dict[str, Any]]:
        """The runs of actions in an execution (default: all), oldest first."""
        wanted = {"filter": {"pipelineExecutionId": identifier}} if identifier else {}
        return self.client.list_action_executions(pipelineName=pipeline, **wanted)["actionExecutionDetails"][::-1]

    def action(self, pipeline: str, name: str, identifier: str = "") -> dict[str, Any]:
        """The last run of an action."""
        return [run for run in self.actions(pipeline, identifier) if run["actionName"] == name][-1]

    def waiting(self, pipeline: str, name: str = "Approve", identifier: str = "") -> dict[str, Any]:
        """An approval action as soon as it waits."""

        def asked() -> dict[str, Any] | None:
            runs = [run for run in self.actions(pipeline, identifier) if run["actionName"] == name]
            found = [run for run in runs if run["output"]["executionResult"].get("externalExecutionId")]
            return found[-1] if found and found[-1]["status"] == "InProgress" else None

        return eventually(asked)

    def decide(self, pipeline: str, status: str = "Approved", identifier: str = "", summary: str = "") -> None:
        """Answer the approval `Approve` of the stage of that name."""
        token = self.waiting(pipeline, identifier=identifier)["output"]["executionResult"]["externalExecutionId"]
        self.client.put_approval_result(
            pipelineName=pipeline,
            stageName="Approve",
            actionName="Approve",
            token=token,
            result={"status": status, "summary": summary},
        )

    def stage(self, pipeline: str, name: str) -> dict[str, Any]:
        """A stage in `GetPipelineState`."""
        stages = self.client.get_pipeline_state(name=pipeline)["stageStates"]
        return next(stage for stage in stages if stage["stageName"] == name)


def _kind(category: str, provider: str) -> dict[str, str]:
    return {"category": category, "owner": "AWS", "provider": provider, "version": "1"}


def stage(name: str, *actions: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A stage of a pipeline."""
    return {"name": name, "actions": list(actions), **members}


def build(name: str, project: str, *, variables: dict[str, str] | None = None, **members: Any) -> dict[str, Any]:
    """A build action on the source artifact."""
    given = [{"name": key, "value": value} for key, value in (variables or {}).items()]
    configuration = {"ProjectName": project, **members.pop("configuration", {})}
    if given:
        configuration["EnvironmentVariables"] = json.dumps(given)
    return {
        "name": name,
        "actionTypeId": _kind("Build", "CodeBuild"),
        "configuration": configuration,
        "inputArtifacts": [{"name": "source"}],
        **members,
    }


def approval(**configuration: str) -> dict[str, Any]:
    """The stage `Approve` with the action `Approve`."""
    action = {"name": "Approve", "actionTypeId": _kind("Approval", "Manual"), "configuration": configuration}
    return stage("Approve", action)


def check(variable: str, value: str, operator: str = "EQ", result: str = "SKIP") -> dict[str, Any]:
    """Conditions of a stage with one variable check."""
    rule = {
        "name": "Check",
        "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"},
        "configuration": {"Variable": variable, "Value": value, "Operator": operator},
    }
    return {"conditions": [{"result": result, "rules": [rule]}]}


@pytest.fixture(scope="module")
def delivery(account: Account) -> Delivery:
    made = Delivery(account)
    made.upload()
    return made
