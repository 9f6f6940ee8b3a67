"""How CodePipeline describes what it does."""

from __future__ import annotations

from typing import Any

from local_aws.codepipeline.executions import ActionRun, ConditionRun, Execution, Revision, RuleRun, StageRun
from local_aws.codepipeline.pipelines import Pipeline


def execution(found: Execution) -> dict[str, Any]:
    """An execution, for `GetPipelineExecution`."""
    return {
        "pipelineName": found.pipeline,
        "pipelineVersion": found.declaration["version"],
        "pipelineExecutionId": found.id,
        "status": found.status,
        "statusSummary": found.summary or None,
        "artifactRevisions": [_artifact_revision(revision) for revision in found.revisions.values()],
        "variables": [{"name": name, "resolvedValue": value} for name, value in found.variables.items()],
        "trigger": {"triggerType": found.trigger_type, "triggerDetail": found.trigger_detail},
        "executionMode": found.mode,
        "executionType": "STANDARD",
    }


def execution_summary(found: Execution) -> dict[str, Any]:
    """An execution, for `ListPipelineExecutions`."""
    return {
        "pipelineExecutionId": found.id,
        "status": found.status,
        "statusSummary": found.summary or None,
        "startTime": found.start,
        "lastUpdateTime": found.updated,
        "sourceRevisions": [
            {"actionName": r.action, "revisionId": r.id, "revisionSummary": r.summary, "revisionUrl": r.url}
            for r in found.revisions.values()
        ],
        "trigger": {"triggerType": found.trigger_type, "triggerDetail": found.trigger_detail},
        "stopTrigger": {"reason": found.stop_reason} if found.stop_reason else None,
        "executionMode": found.mode,
        "executionType": "STANDARD",
    }


def action_detail(found: Execution, run: ActionRun, region: str) -> dict[str, Any]:
    """A run of an action, for `ListActionExecutions`."""
    return {
        "pipelineExecutionId": found.id,
        "actionExecutionId": run.id,
        "pipelineVersion": found.declaration["version"],
        "stageName": run.stage,
        "actionName": run.name,
        "startTime": run.start,
        "lastUpdateTime": run.updated,
        "updatedBy": run.updated_by or None,
        "status": run.status,
        "input": {
            "actionTypeId": run.declaration["actionTypeId"],
            "configuration": run.declaration["configuration"],
            "resolvedConfiguration": run.configuration,
            "roleArn": run.declaration.get("roleArn"),
            "region": region,
            "inputArtifacts": [artifact.describe() for artifact in run.inputs],
            "namespace": run.declaration.get("namespace"),
        },
        "output": {
            "outputArtifacts": [artifact.describe() for artifact in run.outputs],
            "executionResult": run.result(),
            "outputVariables": run.variables,
        },
    }


def rule_detail(found: Execution, stage: StageRun, rule: RuleRun) -> dict[str, Any]:
    """A check of a rule, for `ListRuleExecutions`."""
    return {
        "pipelineExecutionId": found.id,
        "ruleExecutionId": rule.id,
        "pipelineVersion": found.declaration["version"],
        "stageName": stage.name,
        "ruleName": rule.declaration["name"],
        "startTime": rule.time,
        "lastUpdateTime": rule.time,
        "status": rule.status,
        "input": {
            "ruleTypeId": rule.declaration["ruleTypeId"],
            "configuration": rule.declaration.get("configuration", {}),
            "resolvedConfiguration": rule.configuration,
        },
        "output": {"executionResult": {"externalExecutionSummary": rule.message, **_rule_error(rule)}},
    }


def stage_state(pipeline: Pipeline, stage: dict[str, Any]) -> dict[str, Any]:
    """A stage, for `GetPipelineState`; of a pipeline in PARALLEL mode, AWS shows no executions there."""
    name = stage["name"]
    state: dict[str, Any] = {"stageName": name, "inboundTransitionState": {"enabled": True}}
    if pipeline.declaration["executionMode"] == "PARALLEL":
        return {**state, "actionStates": [{"actionName": action["name"]} for action in stage["actions"]]}
    waiting = [{"pipelineExecutionId": e.id, "status": "InProgress"} for e in pipeline.gate.waiting(name)]
    if waiting:
        state |= {"inboundExecution": waiting[0], "inboundExecutions": waiting}
    state["actionStates"] = [_action_state(pipeline, name, action) for action in stage["actions"]]
    if latest := pipeline.latest.get(name):
        run = latest.stages[name]
        state["latestExecution"] = {"pipelineExecutionId": latest.id, "status": run.status, "type": "STANDARD"}
        for kind, condition in run.conditions.items():
            state[f"{kind}ConditionState"] = _condition_state(condition)
        if run.retries:
            state["retryStageMetadata"] = {
                "manualStageRetryAttempt": run.retries,
                "latestRetryTrigger": "ManualStageRetry",
            }
    return state


def _action_state(pipeline: Pipeline, stage: str, action: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = {"actionName": action["name"]}
    entered = [e for e in list(pipeline.executions.values()) if stage in e.stages]
    runs = [
        (e, e.stages[stage].latest()[action["name"]]) for e in entered if action["name"] in e.stages[stage].latest()
    ]
    if not runs:
        return state
    found, run = max(runs, key=lambda pair: pair[1].start)
    result = run.result()
    latest = {
        "actionExecutionId": run.id,
        "status": run.status,
        "summary": result.get("externalExecutionSummary"),
        "lastStatusChange": run.updated,
        "token": run.token if run.status == "InProgress" and run.token else None,
        "lastUpdatedBy": run.updated_by or None,
        "externalExecutionId": result.get("externalExecutionId"),
        "externalExecutionUrl": result.get("externalExecutionUrl"),
        "errorDetails": result.get("errorDetails"),
        "logStreamARN": result.get("logStreamARN"),
    }
    state["latestExecution"] = latest
    if revision := found.revisions.get(action["name"]):
        state["currentRevision"] = {
            "revisionId": revision.id,
            "revisionChangeId": revision.change,
            "created": revision.created,
        }
        state["revisionUrl"] = revision.url
    return state


def _condition_state(run: ConditionRun) -> dict[str, Any]:
    told = {"status": run.status, "summary": run.summary or None}
    rules = [
        {
            "ruleName": rule.declaration["name"],
            "latestExecution": {
                "ruleExecutionId": rule.id,
                "status": rule.status,
                "summary": rule.message,
                "lastStatusChange": rule.time,
                **_rule_error(rule),
            },
        }
        for rule in run.rules
    ]
    return {
        "latestExecution": told,
        "conditionStates": [{"latestExecution": {**told, "lastStatusChange": run.time}, "ruleStates": rules}],
    }


def _rule_error(rule: RuleRun) -> dict[str, Any]:
    return {"errorDetails": {"code": "RuleFailed", "message": rule.message}} if rule.status == "Failed" else {}


def _artifact_revision(revision: Revision) -> dict[str, Any]:
    return {
        "name": revision.artifact,
        "revisionId": revision.id,
        "revisionChangeIdentifier": revision.change,
        "revisionSummary": revision.summary,
        "created": revision.created,
        "revisionUrl": revision.url,
    }
