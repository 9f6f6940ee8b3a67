"""An execution can be stopped, and a failed stage retried."""

from __future__ import annotations

import pytest

from tests.local_aws.codepipeline.conftest import Delivery, approval, build, stage
from tests.local_aws.delivery import eventually, unique


def test_stopping_lets_running_actions_finish(delivery: Delivery) -> None:
    project = delivery.project("true")
    pipeline = delivery.create(approval(), stage("Use", build("Use", project)))
    delivery.waiting(pipeline)
    execution = delivery.first(pipeline)
    stop = {"pipelineName": pipeline, "pipelineExecutionId": execution}
    delivery.client.stop_pipeline_execution(**stop, reason="a wrong package")
    assert delivery.execution(pipeline, execution)["status"] == "Stopping"
    with pytest.raises(delivery.client.exceptions.DuplicatedStopRequestException):
        delivery.client.stop_pipeline_execution(**stop)
    delivery.decide(pipeline)
    assert delivery.ended(pipeline)["status"] == "Stopped"
    assert [run["actionName"] for run in delivery.actions(pipeline)] == ["Source", "Approve"]
    (summary,) = delivery.client.list_pipeline_executions(pipelineName=pipeline)["pipelineExecutionSummaries"]
    assert summary["stopTrigger"] == {"reason": "a wrong package"}
    with pytest.raises(delivery.client.exceptions.PipelineExecutionNotStoppableException):
        delivery.client.stop_pipeline_execution(**stop)


def test_abandoning_ends_at_once(delivery: Delivery) -> None:
    pipeline = delivery.create(approval())
    delivery.waiting(pipeline)
    execution = delivery.first(pipeline)
    delivery.client.stop_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution, abandon=True)
    assert delivery.ended(pipeline)["status"] == "Stopped"
    assert delivery.action(pipeline, "Approve")["status"] == "Abandoned"
    assert delivery.stage(pipeline, "Approve")["latestExecution"]["status"] == "Stopped"


def test_an_execution_that_waits_before_a_stage_can_be_stopped(delivery: Delivery) -> None:
    pipeline = delivery.create(approval(), executionMode="QUEUED")
    delivery.waiting(pipeline)
    second = delivery.start(pipeline)
    eventually(lambda: "inboundExecution" in delivery.stage(pipeline, "Approve"))
    delivery.client.stop_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=second)
    assert delivery.ended(pipeline, second)["status"] == "Stopped"
    delivery.decide(pipeline)


def retryable(delivery: Delivery) -> tuple[str, str]:
    """A pipeline whose stage has an action that works and one that fails the first time."""
    flag = delivery.account.settings.home / unique("flag")
    fails_once = delivery.project(f"test -e {flag} || {{ touch {flag}; exit 1; }}")
    works = delivery.project("true")
    pipeline = delivery.create(
        stage("Test", build("Works", works), build("Fails", fails_once), build("After", works, runOrder=2)),
        stage("Use", build("Use", works)),
    )
    assert delivery.ended(pipeline)["status"] == "Failed"
    return pipeline, delivery.first(pipeline)


@pytest.mark.parametrize(("mode", "times"), [("FAILED_ACTIONS", 1), ("ALL_ACTIONS", 2)])
def test_a_retry_runs_the_failed_or_all_actions_and_goes_on(delivery: Delivery, mode: str, times: int) -> None:
    pipeline, execution = retryable(delivery)
    retried = delivery.client.retry_stage_execution(
        pipelineName=pipeline, stageName="Test", pipelineExecutionId=execution, retryMode=mode
    )
    assert retried["pipelineExecutionId"] == execution
    assert delivery.ended(pipeline)["status"] == "Succeeded"
    runs = [run["actionName"] for run in delivery.actions(pipeline)]
    assert (runs.count("Source"), runs.count("Works"), runs.count("Fails"), runs.count("After")) == (1, times, 2, 1)
    assert delivery.stage(pipeline, "Test")["retryStageMetadata"]["manualStageRetryAttempt"] == 1


def test_only_a_failed_stage_of_its_latest_execution_can_be_retried(delivery: Delivery) -> None:
    pipeline, execution = retryable(delivery)
    retry = {"pipelineName": pipeline, "pipelineExecutionId": execution, "retryMode": "FAILED_ACTIONS"}
    with pytest.raises(delivery.client.exceptions.StageNotRetryableException):
        delivery.client.retry_stage_execution(**retry, stageName="Source")
    with pytest.raises(delivery.client.exceptions.StageNotFoundException):
        delivery.client.retry_stage_execution(**retry, stageName="Other")
    delivery.ended(pipeline, delivery.start(pipeline))
    with pytest.raises(delivery.client.exceptions.NotLatestPipelineExecutionException):
        delivery.client.retry_stage_execution(**retry, stageName="Test")
