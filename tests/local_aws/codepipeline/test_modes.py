"""Several executions of a pipeline go one after the other, overtake, or do not care."""

from __future__ import annotations

from tests.local_aws.codepipeline.conftest import Delivery, approval, build, stage
from tests.local_aws.delivery import eventually


def inbound(delivery: Delivery, pipeline: str) -> list[str]:
    found = delivery.stage(pipeline, "Approve").get("inboundExecutions", [])
    return [execution["pipelineExecutionId"] for execution in found]


def test_queued_executions_wait_for_their_turn_and_all_run(delivery: Delivery) -> None:
    pipeline = delivery.create(approval(), executionMode="QUEUED")
    delivery.waiting(pipeline)
    first, second = delivery.first(pipeline), delivery.start(pipeline)
    eventually(lambda: inbound(delivery, pipeline) == [second])
    third = delivery.start(pipeline)
    eventually(lambda: inbound(delivery, pipeline) == [second, third])
    for execution, behind in ((first, [second, third]), (second, [third]), (third, [])):
        delivery.waiting(pipeline, identifier=execution)
        assert inbound(delivery, pipeline) == behind
        delivery.decide(pipeline, identifier=execution)
        assert delivery.ended(pipeline, execution)["status"] == "Succeeded"


def test_a_waiting_execution_is_superseded_by_a_newer_one(delivery: Delivery) -> None:
    pipeline = delivery.create(approval(), executionMode="SUPERSEDED")
    delivery.waiting(pipeline)
    first, second = delivery.first(pipeline), delivery.start(pipeline)
    eventually(lambda: inbound(delivery, pipeline) == [second])
    third = delivery.start(pipeline)
    assert delivery.ended(pipeline, second)["status"] == "Superseded"
    delivery.decide(pipeline, identifier=first)
    delivery.decide(pipeline, identifier=third)
    assert [delivery.ended(pipeline, execution)["status"] for execution in (first, third)] == ["Succeeded"] * 2


def test_parallel_executions_do_not_wait_for_each_other(delivery: Delivery) -> None:
    pipeline = delivery.create(approval(), executionMode="PARALLEL")
    first, second = delivery.first(pipeline), delivery.start(pipeline)
    for execution in (first, second):
        delivery.waiting(pipeline, identifier=execution)
    delivery.decide(pipeline, identifier=second)
    assert delivery.ended(pipeline, second)["status"] == "Succeeded"
    assert delivery.execution(pipeline, first)["status"] == "InProgress"
    delivery.decide(pipeline, identifier=first)


def test_a_failed_execution_leaves_its_stage_to_the_next(delivery: Delivery) -> None:
    pipeline = delivery.create(approval(), executionMode="QUEUED")
    second = delivery.start(pipeline)
    delivery.decide(pipeline, "Rejected", identifier=delivery.first(pipeline))
    delivery.decide(pipeline, identifier=second)
    assert delivery.ended(pipeline, second)["status"] == "Succeeded"


def test_the_same_token_starts_one_execution(delivery: Delivery) -> None:
    pipeline = delivery.create(stage("Make", build("Make", delivery.project("true"))))
    assert len({delivery.start(pipeline, clientRequestToken="once") for _ in range(2)}) == 1


def test_a_change_ends_what_runs_except_in_parallel_mode(delivery: Delivery) -> None:
    for mode, status in (("QUEUED", "Cancelled"), ("PARALLEL", "InProgress")):
        pipeline = delivery.create(approval(), executionMode=mode)
        delivery.waiting(pipeline)
        declaration = delivery.client.get_pipeline(name=pipeline)["pipeline"]
        declaration["stages"][1]["actions"][0]["configuration"] = {"CustomData": "changed"}
        assert delivery.client.update_pipeline(pipeline=declaration)["pipeline"]["version"] == 2
        eventually(lambda: delivery.execution(pipeline, delivery.first(pipeline))["status"] == status)  # noqa: B023
        assert delivery.client.get_pipeline(name=pipeline, version=1)["pipeline"]["version"] == 1
