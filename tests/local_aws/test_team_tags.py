"""A right by the tag of a team: to describe what has it, packages of its groups among them, and to read its logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from pipelines.watch.serving import Endpoint, Unwatchable
from tests.local_aws.delivery import allow, role, unique

PRINCIPAL = "sagemaker"
LOOK = (
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribeModelPackageGroup",
    "logs:FilterLogEvents",
)


@pytest.fixture
def watch(account: Account) -> Callable[[str], Any]:
    """Clients of a role that may look at what is tagged as team labour's."""
    condition = {"StringEquals": {"aws:ResourceTag/team": "labour"}}
    arn = role(account, PRINCIPAL, {**allow(*LOOK), "Condition": condition})
    return lambda service: account.client(service, arn, service_principal=f"{PRINCIPAL}.amazonaws.com")


def refused(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError as error:
        if "AccessDenied" not in error.response["Error"]["Code"]:
            raise
        return True
    return False


@pytest.mark.parametrize(("team", "no"), [("labour", False), ("mobility", True), (None, True)])
def test_a_package_has_the_tags_of_its_group(
    account: Account, watch: Callable[[str], Any], team: str | None, no: bool
) -> None:
    group, root = unique("group"), account.client("sagemaker")
    tags = [{"Key": "team", "Value": team}] if team else []
    root.create_model_package_group(ModelPackageGroupName=group, Tags=tags)
    package = root.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"]
    sagemaker = watch("sagemaker")
    assert refused(lambda: sagemaker.describe_model_package_group(ModelPackageGroupName=group)) is no
    assert refused(lambda: sagemaker.describe_model_package(ModelPackageName=package)) is no


@pytest.mark.parametrize(("team", "no"), [("labour", False), ("mobility", True), (None, True)])
def test_logs_are_read_by_the_tag_of_their_group(
    account: Account, watch: Callable[[str], Any], team: str | None, no: bool
) -> None:
    group = f"/aws/sagemaker/Endpoints/{unique('endpoint')}"
    account.client("logs").create_log_group(logGroupName=group, tags={"team": team} if team else {})
    logs = watch("logs")
    assert refused(lambda: logs.filter_log_events(logGroupName=group)) is no


def test_an_endpoint_that_is_not_there_has_no_tag_and_the_watch_says_so(watch: Callable[[str], Any]) -> None:
    with pytest.raises(
        Unwatchable, match=r"there is no endpoint nothing; .* or it has not the tag of its team: .*Denied"
    ):
        Endpoint.describe(watch("sagemaker"), "nothing")
