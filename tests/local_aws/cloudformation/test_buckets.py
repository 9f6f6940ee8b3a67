from local_aws.account import Account
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.delivery import unique


def test_a_bucket_that_is_not_empty_is_not_deleted(account: Account, stacks: Stacks) -> None:
    stack = unique("Stack")
    versioned = {"VersioningConfiguration": {"Status": "Enabled"}}
    stacks.deploy(stack, {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": versioned}})
    name, s3 = stacks.resource(stack, "Bucket"), account.client("s3")
    version = s3.put_object(Bucket=name, Key="k", Body=b"")["VersionId"]
    marker = s3.delete_object(Bucket=name, Key="k")["VersionId"]
    assert stacks.delete(stack) == "DELETE_FAILED"
    assert "The bucket you tried to delete is not empty" in stacks.failures(stack)["Bucket"]
    for each in (version, marker):
        s3.delete_object(Bucket=name, Key="k", VersionId=each)
    assert stacks.delete(stack) == "DELETE_COMPLETE"


def test_a_property_that_nobody_keeps_is_refused(stacks: Stacks) -> None:
    stack = unique("Stack")
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"ObjectLockEnabled": True}}
    assert stacks.deploy(stack, {"Bucket": bucket}) == "ROLLBACK_COMPLETE"
    assert "ObjectLockEnabled of a bucket is not rehearsed on the local AWS" in stacks.failures(stack)["Bucket"]


def test_a_bucket_that_is_gone_already_is_deleted(account: Account, stacks: Stacks) -> None:
    stack = unique("Stack")
    stacks.deploy(stack, {"Bucket": {"Type": "AWS::S3::Bucket"}})
    account.client("s3").delete_bucket(Bucket=stacks.resource(stack, "Bucket"))
    assert stacks.delete(stack) == "DELETE_COMPLETE"
