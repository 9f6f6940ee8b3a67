"""The policies that `make bootstrap` makes where project.yaml names a boundary."""

from __future__ import annotations

from local_aws.account import Account
from pipelines.by_hand.bootstrap import TEMPLATE, execution_policy, make_policies
from tests.iam.question import PROJECT
from tests.synthesis import ROOT


def test_the_policies_are_made_and_made_again(account: Account) -> None:
    project = PROJECT.model_copy(update={"boundary": "greenlight-boundary"})
    template = (ROOT / TEMPLATE).read_text()
    for _ in range(2):
        make_policies(account.client("cloudformation"), project, template)
    iam = account.client("iam")
    arn = execution_policy(account.settings.account, project)
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    (giving,) = [each for each in document["Statement"] if each["Sid"] == "GiveRightsWithinTheBoundary"]
    boundary = f"arn:aws:iam::{account.settings.account}:policy/greenlight-boundary"
    assert giving["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    assert iam.get_policy(PolicyArn=boundary)["Policy"]["PolicyName"] == project.boundary
