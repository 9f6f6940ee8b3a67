import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.delivery import allow, role, unique

CLOUDFORMATION = allow("cloudformation:*")


def alarm() -> dict[str, Any]:
    properties = {
        "Namespace": "N",
        "MetricName": "M",
        "Statistic": "Sum",
        "Period": 60,
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Threshold": 1,
    }
    return {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}


def deploying(account: Account, *permissions: dict[str, Any]) -> Stacks:
    """CloudFormation as a deployer with these permissions."""
    deployer = role(account, "codebuild", CLOUDFORMATION, *permissions)
    return Stacks(account, account.client("cloudformation", deployer, service_principal="codebuild.amazonaws.com"))


def passing(arn: str) -> dict[str, Any]:
    return allow("iam:PassRole", resource=arn)


def test_a_stack_has_the_rights_of_its_role_and_keeps_it(account: Account) -> None:
    able = role(account, "cloudformation", allow("cloudwatch:*"))
    stacks = deploying(account, passing(able))
    stack = unique("Stack")
    assert stacks.deploy(stack, alarm(), roleARN=able) == "CREATE_COMPLETE"
    changed = alarm()
    changed["Alarm"]["Properties"]["Threshold"] = 2
    assert stacks.deploy(stack, changed) == "UPDATE_COMPLETE"
    assert stacks.delete(stack) == "DELETE_COMPLETE"
    account.journal.flush()
    lines = [json.loads(line) for line in account.journal.path.read_text().splitlines()]
    callers = {
        line["caller"] for line in lines if line["action"] == "cloudwatch:PutMetricAlarm" and stack in line["resource"]
    }
    assert callers == {f"arn:aws:sts::123456789012:assumed-role/{able.rpartition('/')[2]}/AWSCloudFormation"}


def test_what_the_role_may_not_rolls_the_stack_back(account: Account) -> None:
    unable = role(account, "cloudformation", allow("s3:*"))
    stacks = deploying(account, passing(unable))
    stack = unique("Stack")
    assert stacks.deploy(stack, alarm(), roleARN=unable) == "ROLLBACK_COMPLETE"
    assert "is not authorized to perform: cloudwatch:PutMetricAlarm" in stacks.failures(stack)["Alarm"]


def test_without_a_role_the_stack_has_the_rights_of_its_caller(account: Account) -> None:
    stack = unique("Stack")
    assert deploying(account).deploy(stack, alarm()) == "ROLLBACK_COMPLETE"
    assert deploying(account, allow("cloudwatch:*")).deploy(unique("Stack"), alarm()) == "CREATE_COMPLETE"


def test_a_role_that_the_caller_may_not_pass_is_refused(account: Account) -> None:
    able = role(account, "cloudformation", allow("cloudwatch:*"))
    with pytest.raises(ClientError, match="is not authorized to perform: iam:PassRole"):
        deploying(account).deploy(unique("Stack"), alarm(), roleARN=able)


def test_a_role_that_does_not_trust_cloudformation_is_refused(account: Account) -> None:
    foreign = role(account, "lambda", allow("cloudwatch:*"))
    with pytest.raises(ClientError, match=r"its trust policy does not let cloudformation\.amazonaws\.com in"):
        deploying(account, passing(foreign)).deploy(unique("Stack"), alarm(), roleARN=foreign)


def test_the_role_of_a_change_set_is_that_of_its_execution(account: Account) -> None:
    unable = role(account, "cloudformation", allow("s3:*"))
    stacks = deploying(account, passing(unable), allow("cloudwatch:*"))
    stack = unique("Stack")
    made = stacks.client.create_change_set(
        StackName=stack,
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": alarm()}),
        RoleARN=unable,
    )
    stacks.client.execute_change_set(ChangeSetName=made["Id"])
    assert stacks.settled(stack) == "ROLLBACK_COMPLETE"
    assert unable.rpartition("/")[2] in stacks.failures(stack)["Alarm"]
