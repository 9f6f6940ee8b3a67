"""What an execution is started, or started again, with; checked against what the pipeline declares."""

from __future__ import annotations

from typing import Any

from local_aws.codepipeline.executions import Execution, now
from local_aws.codepipeline.pipelines import Pipeline
from local_aws.errors import AwsError

MOST_EXECUTIONS = 50  # at once, in QUEUED and PARALLEL mode


def new_execution(
    pipeline: Pipeline, trigger: str, detail: str, variables: dict[str, str], revisions: list[dict[str, str]]
) -> Execution:
    """An execution of the pipeline as it is declared now; AwsError when it cannot be started so."""
    declaration = pipeline.declaration
    if declaration["executionMode"] != "SUPERSEDED" and len(pipeline.running()) >= MOST_EXECUTIONS:
        raise AwsError(
            "ConcurrentPipelineExecutionsLimitExceededException",
            f"The pipeline {pipeline.name} has {MOST_EXECUTIONS} executions that run, and may not have more.",
        )
    return Execution(
        declaration=declaration,
        variables=_variables(declaration, variables),
        trigger_type=trigger,
        trigger_detail=detail[:1024],
        overrides=_sources(declaration, revisions),
    )


def take_up(pipeline: Pipeline, execution: Execution, stage: str, mode: str) -> int:
    """Make a failed execution run again from a stage on, for `RetryStageExecution`; the number of the stage."""
    name = pipeline.stage(stage)["name"]
    run = execution.stages.get(name)
    if execution.mode != "PARALLEL" and pipeline.latest.get(name) is not execution:
        raise AwsError("NotLatestPipelineExecutionException", f"A later execution has been in the stage {name}.")
    if run is None or run.status != "Failed" or execution.status != "Failed":
        raise AwsError("StageNotRetryableException", f"The stage {name} has not failed in {execution.id}.")
    if execution.declaration is not pipeline.declaration and execution.mode != "PARALLEL":
        raise AwsError("StageNotRetryableException", f"The pipeline {pipeline.name} has been changed since.")
    with pipeline.changed:
        execution.status, execution.summary, execution.attempt = "InProgress", "", execution.attempt + 1
        run.retries += 1
        if mode == "ALL_ACTIONS":
            run.all_again = now()
    return [declared["name"] for declared in execution.declaration["stages"]].index(name)


def _variables(declaration: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    declared = {item["name"]: item.get("defaultValue") for item in declaration.get("variables", ())}
    if unknown := sorted(given.keys() - declared.keys()):
        raise AwsError(
            "ValidationException",
            f"The pipeline {declaration['name']} has no variable {', '.join(unknown)}; it has "
            f"{', '.join(declared) or 'none'}.",
        )
    values = declared | given
    if missing := [name for name, value in values.items() if value is None]:
        raise AwsError("ValidationException", f"The variable {missing[0]} has no default, and needs a value.")
    return {name: str(value) for name, value in values.items()}


def _sources(declaration: dict[str, Any], revisions: list[dict[str, str]]) -> list[dict[str, str]]:
    sources = [action["name"] for action in declaration["stages"][0]["actions"]]
    if unknown := [item["actionName"] for item in revisions if item["actionName"] not in sources]:
        raise AwsError(
            "ValidationException",
            f"The pipeline {declaration['name']} has no source action {unknown[0]}; it has {', '.join(sources)}.",
        )
    return revisions
