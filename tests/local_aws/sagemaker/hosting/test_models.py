from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.delivery import role, unique
from tests.local_aws.sagemaker.stage import DATA, LOGS, PULL, Stage


def test_a_model_whose_role_may_not_read_its_artifact_is_refused(stage: Stage, account: Account) -> None:
    with pytest.raises(ClientError, match=r"Could not access model data at s3://.*s3:GetObject") as error:
        stage.model(role=role(account, "sagemaker", PULL, LOGS))

    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_a_model_whose_role_does_not_trust_sagemaker_is_refused(stage: Stage, account: Account) -> None:
    with pytest.raises(ClientError, match=r"Could not assume role .* allows principal 'sagemaker.amazonaws.com'"):
        stage.model(role=role(account, "lambda", DATA))


def test_a_model_is_described_listed_and_deleted(stage: Stage) -> None:
    name = stage.model()
    described = stage.sagemaker.describe_model(ModelName=name)
    listed = stage.sagemaker.list_models(NameContains=name)["Models"]

    stage.sagemaker.delete_model(ModelName=name)
    with pytest.raises(ClientError) as error:
        stage.sagemaker.describe_model(ModelName=name)

    arn = f"arn:aws:sagemaker:us-east-1:123456789012:model/{name}"
    assert (described["ModelArn"], described["ExecutionRoleArn"]) == (arn, stage.role)
    assert [model["ModelName"] for model in listed] == [name]
    assert error.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": f'Could not find model "{arn}".',
    }


def test_a_name_can_be_used_once(stage: Stage) -> None:
    config = stage.config(stage.variant(stage.model()))

    with pytest.raises(ClientError, match=rf'Cannot create already existing endpoint configuration "arn:.*/{config}".'):
        stage.sagemaker.create_endpoint_config(
            EndpointConfigName=config, ProductionVariants=[stage.variant(stage.model())]
        )


def test_a_configuration_needs_its_models(stage: Stage) -> None:
    with pytest.raises(ClientError, match=r'Could not find model "arn:aws:sagemaker:.*:model/nothing".'):
        stage.config(stage.variant("nothing"))


def test_lists_come_in_pages_newest_first(stage: Stage) -> None:
    word = unique("page")
    container = {"Image": stage.server}
    names = [f"{word}-{number}" for number in range(3)]
    for name in names:
        stage.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=stage.role)

    first = stage.sagemaker.list_models(NameContains=word, MaxResults=2)
    second = stage.sagemaker.list_models(NameContains=word, MaxResults=2, NextToken=first["NextToken"])
    by_name = stage.sagemaker.list_models(NameContains=word, SortBy="Name", SortOrder="Ascending")

    shown = [model["ModelName"] for page in (first, second) for model in page["Models"]]
    assert shown == names[::-1]
    assert "NextToken" not in second
    assert [model["ModelName"] for model in by_name["Models"]] == names


def test_tags_are_kept_and_changed(stage: Stage) -> None:
    name = unique("tagged")
    arn = stage.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": stage.server},
        ExecutionRoleArn=stage.role,
        Tags=[{"Key": "team", "Value": "risk"}, {"Key": "old", "Value": "x"}],
    )["ModelArn"]
    stage.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "credit"}])
    stage.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["old"])

    assert stage.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "credit"}]
