import pytest

from local_aws.account import Account
from local_aws.errors import AwsError
from tests.local_aws.delivery import unique


def test_it_remembers_what_was_created(account: Account) -> None:
    name = unique("group")
    store = account.store("sagemaker")
    made = store.call("CreateModelPackageGroup", {"ModelPackageGroupName": name})
    described = store.call("DescribeModelPackageGroup", {"ModelPackageGroupName": name})
    assert described["ModelPackageGroupArn"] == made["ModelPackageGroupArn"]
    assert ":123456789012:" in made["ModelPackageGroupArn"]


def test_what_moto_refuses_is_an_error_of_aws(account: Account) -> None:
    with pytest.raises(AwsError) as caught:
        account.store("sagemaker").call("DescribeModel", {"ModelName": "nothing"})
    assert (caught.value.code, caught.value.status) == ("ValidationException", 400)


def test_what_moto_does_not_have_is_said(account: Account) -> None:
    with pytest.raises(AwsError, match="sagemaker:ListHubs is not rehearsed on the local AWS"):
        account.store("sagemaker").call("ListHubs", {})
