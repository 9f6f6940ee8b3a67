"""Structures that CodePipeline refuses are refused, with a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.codepipeline.conftest import Delivery, approval, build, check, stage
from tests.local_aws.delivery import allow, role, unique


@pytest.mark.parametrize(
    ("stages", "members", "code", "said"),
    [
        ([], {}, "InvalidStructureException", "There should be a minimum of 2 stages in a pipeline"),
        ([approval(), approval()], {}, "InvalidStructureException", "'Approve' comes twice"),
        (
            [stage("Use", build("Use", "p", inputArtifacts=[{"name": "absent"}]))],
            {},
            "InvalidActionDeclarationException",
            "no action before it gives its input artifact 'absent'",
        ),
        (
            [stage("Use", build("Use", "p", outputArtifacts=[{"name": "source"}]))],
            {},
            "InvalidActionDeclarationException",
            "another action gives its output artifact 'source' too",
        ),
        (
            [stage("Use", build("Use", "p", variables={"A": "#{Later.B}"}), build("L", "p", namespace="Later"))],
            {},
            "InvalidActionDeclarationException",
            "are referencing a namespace that does not exist. StageName=[Use], ActionName=[Use]",
        ),
        (
            [approval()],
            {"pipelineType": "V1", "executionMode": "QUEUED"},
            "InvalidStructureException",
            "Only pipelines of type V2 have execution mode QUEUED",
        ),
        (
            [{**approval(), "beforeEntry": check("a", "b")}],
            {"pipelineType": "V1"},
            "InvalidStructureException",
            "Only pipelines of type V2 have stage conditions",
        ),
        (
            [{**approval(), "onFailure": {"result": "ROLLBACK"}}],
            {"executionMode": "PARALLEL"},
            "InvalidStructureException",
            "PARALLEL mode cannot roll stages back",
        ),
    ],
)
def test_a_structure_that_makes_no_sense_is_refused(
    delivery: Delivery, stages: list[dict[str, Any]], members: dict[str, Any], code: str, said: str
) -> None:
    with pytest.raises(ClientError) as refused:
        delivery.create(*stages, **members)
    assert refused.value.response["Error"]["Code"] == code
    assert said in refused.value.response["Error"]["Message"]


def test_source_actions_belong_in_the_first_stage(delivery: Delivery) -> None:
    with pytest.raises(ClientError, match="Pipeline should start with a stage that only contains source actions"):
        delivery.create(approval(), source=stage("Use", *approval()["actions"]))


def test_a_name_is_used_once(delivery: Delivery) -> None:
    pipeline = delivery.create(approval())
    with pytest.raises(delivery.client.exceptions.PipelineNameInUseException):
        delivery.client.create_pipeline(pipeline=delivery.declaration(pipeline, approval()))


def test_a_role_that_codepipeline_cannot_assume_is_refused(delivery: Delivery) -> None:
    with pytest.raises(ClientError, match="CodePipeline is not authorized to perform AssumeRole on role arn:"):
        delivery.create(approval(), roleArn=role(delivery.account, "codebuild"))


def test_creating_a_pipeline_needs_to_pass_its_role(delivery: Delivery) -> None:
    creator = role(delivery.account, "cloudformation", allow("codepipeline:CreatePipeline"))
    client = delivery.account.client("codepipeline", creator, service_principal="cloudformation.amazonaws.com")
    with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole on resource"):
        client.create_pipeline(pipeline=delivery.declaration(unique("pipeline"), approval()))


def test_variables_of_an_execution_are_those_that_the_pipeline_declares(delivery: Delivery) -> None:
    pipeline = delivery.create(approval(), variables=[{"name": "MODEL", "defaultValue": "demo"}])
    with pytest.raises(ClientError, match="has no variable MODLE; it has MODEL"):
        delivery.start(pipeline, variables=[{"name": "MODLE", "value": "x"}])
    with pytest.raises(ClientError, match="has no source action Sauce; it has Source"):
        delivery.start(
            pipeline,
            sourceRevisions=[{"actionName": "Sauce", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": "1"}],
        )


def test_a_pipeline_that_was_deleted_is_not_found(delivery: Delivery) -> None:
    pipeline = delivery.create(approval())
    delivery.client.delete_pipeline(name=pipeline)
    with pytest.raises(delivery.client.exceptions.PipelineNotFoundException):
        delivery.client.get_pipeline(name=pipeline)


def test_a_pipeline_has_tags(delivery: Delivery) -> None:
    name = unique("pipeline")
    declaration = delivery.declaration(name, approval())
    delivery.client.create_pipeline(pipeline=declaration, tags=[{"key": "team", "value": "a"}])
    arn = delivery.client.get_pipeline(name=name)["metadata"]["pipelineArn"]
    delivery.client.tag_resource(resourceArn=arn, tags=[{"key": "cost", "value": "b"}])
    delivery.client.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert delivery.client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "cost", "value": "b"}]
