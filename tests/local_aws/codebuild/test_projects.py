"""Projects are kept, listed and refused as CodeBuild does."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.delivery import ENVIRONMENT, LOGS, allow, buildspec, built, project, role, unique


def test_a_project_is_kept_changed_and_deleted(account: Account) -> None:
    codebuild = account.client("codebuild")
    name = project(account, buildspec("true"), role(account, "codebuild"), description="first")
    codebuild.update_project(name=name, description="second")
    (found,) = codebuild.batch_get_projects(names=[name])["projects"]
    assert (found["description"], found["arn"]) == ("second", account.arn("codebuild", f"project/{name}"))
    assert name in codebuild.list_projects()["projects"]
    codebuild.delete_project(name=name)
    assert codebuild.batch_get_projects(names=[name])["projectsNotFound"] == [name]


def test_builds_are_listed_newest_first(account: Account) -> None:
    name = project(account, buildspec("true"), role(account, "codebuild"))
    ids = [built(account, name)["id"] for _ in range(2)]
    codebuild = account.client("codebuild")
    assert codebuild.list_builds_for_project(projectName=name)["ids"] == ids[::-1]
    assert codebuild.batch_get_builds(ids=[*ids, "x:y"])["buildsNotFound"] == ["x:y"]


def test_the_same_token_starts_one_build(account: Account) -> None:
    name = project(account, buildspec("true"), role(account, "codebuild"))
    codebuild = account.client("codebuild")
    ids = {codebuild.start_build(projectName=name, idempotencyToken="t" + name)["build"]["id"] for _ in range(2)}
    assert len(ids) == 1


def test_a_project_that_does_not_exist_is_not_found(account: Account) -> None:
    with pytest.raises(
        ClientError, match="Project cannot be found: arn:aws:codebuild:us-east-1:123456789012:project/no"
    ):
        account.client("codebuild").start_build(projectName="no")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"artifacts": {"type": "CODEPIPELINE"}}, "CODEPIPELINE must be the type of both or of neither"),
        ({"source": {"type": "NO_SOURCE"}}, "give a buildspec inline"),
        ({"source": {"type": "S3"}}, "needs the location bucket/key"),
    ],
)
def test_a_project_that_contradicts_itself_is_refused(account: Account, members: dict, said: str) -> None:
    with pytest.raises(ClientError, match=said) as refused:
        project(account, buildspec("true"), role(account, "codebuild"), **members)
    assert refused.value.response["Error"]["Code"] == "InvalidInputException"


def test_a_role_that_codebuild_cannot_assume_is_refused(account: Account) -> None:
    with pytest.raises(ClientError, match="CodeBuild is not authorized to perform: sts:AssumeRole"):
        project(account, buildspec("true"), role(account, "sagemaker"))


def test_creating_a_project_needs_to_pass_its_role(account: Account) -> None:
    service_role = role(account, "codebuild", LOGS)
    creator = role(account, "cloudformation", allow("codebuild:CreateProject"))
    client = account.client("codebuild", creator, service_principal="cloudformation.amazonaws.com")
    with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole on resource") as refused:
        client.create_project(
            name=unique("project"),
            source={"type": "NO_SOURCE", "buildspec": buildspec("true")},
            artifacts={"type": "NO_ARTIFACTS"},
            environment=ENVIRONMENT,
            serviceRole=service_role,
        )
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_an_operation_that_is_not_rehearsed_says_so(account: Account) -> None:
    with pytest.raises(ClientError, match="codebuild:CreateReportGroup is not rehearsed on the local AWS"):
        account.client("codebuild").create_report_group(name="report", type="TEST", exportConfig={})
