"""The history of the release pipeline tells whose turn it is, who started and who approved."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.stages import four_eyes
from pipelines.stages.history import History
from pipelines.stages.turn import PRODUCTION, STAGING
from tests.local_aws.delivery import allow, role
from tests.local_aws.release.world import World

READS = (
    "codepipeline:ListPipelineExecutions",
    "codepipeline:GetPipelineExecution",
    "codepipeline:ListActionExecutions",
)


def history(world: World, execution: str, *actions: str) -> History:
    here = world.here(allow(*actions or READS, resource=world.pipeline_arn))
    return History(here.client("codepipeline"), world.pipeline, execution)


def person(world: World, name: str, role_arn: str = "") -> Any:
    arn = role_arn or role(world.account, "lambda", allow("codepipeline:*"))
    return world.account.client("codepipeline", arn, service_principal="lambda.amazonaws.com", session=name)


def test_releases_of_the_same_model_are_seen_where_they_are(world: World) -> None:
    first, other, second = world.start(), world.start("another"), world.start()
    world.let(first, "Staging", "Verify", "Approve")
    world.delivery.waiting(world.pipeline, "Production", first)
    own, others = history(world, second).releases()
    assert (own.execution, [each.execution for each in others]) == (second, [first])
    assert own.is_within(STAGING)
    assert others[0].is_within(PRODUCTION)
    assert others[0].is_past(STAGING)
    assert others[0].name < own.name
    world.let(first, "Production", status="Rejected")
    world.delivery.ended(world.pipeline, first)
    assert history(world, second).releases()[1] == []
    assert history(world, other).releases()[1] == []


def test_an_execution_of_another_pipeline_is_told(world: World) -> None:
    with pytest.raises(LookupError, match=r"EXECUTION is nothing: .* has no such execution"):
        history(world, "nothing").releases()


def test_every_one_of_its_permissions_is_needed(world: World) -> None:
    execution = world.start()
    for missing in READS:
        seen = history(world, execution, *(action for action in READS if action != missing))
        with pytest.raises(ClientError, match=f"not authorized to perform: {missing}"):
            seen.releases()


def test_who_started_may_not_approve_whatever_role_it_takes(world: World) -> None:
    execution = world.start(client=person(world, "ada"))
    world.let(execution, "Staging", "Verify")
    world.let(execution, "Approve", client=person(world, "ada"))
    world.delivery.waiting(world.pipeline, "Production", execution)
    said = four_eyes.objection(history(world, execution))
    assert said
    assert ":assumed-role/" in said
    assert "the same person, ada. approval.four_eyes asks for another one" in said


def test_somebody_else_may(world: World) -> None:
    execution = world.start(client=person(world, "ada"))
    assert four_eyes.objection(history(world, execution)) is None, "nobody was asked yet"
    world.let(execution, "Staging", "Verify")
    world.let(execution, "Approve", client=person(world, "grace"))
    world.delivery.waiting(world.pipeline, "Production", execution)
    assert history(world, execution).approver().endswith("/grace")  # type: ignore[union-attr]
    assert four_eyes.objection(history(world, execution)) is None
