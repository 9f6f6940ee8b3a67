import json

from local_aws.account import Account
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.delivery import unique


def test_who_asks_for_a_stack_finds_it_done(account: Account, stacks: Stacks) -> None:
    stack, client = unique("Stack"), account.client("cloudformation")
    template = json.dumps({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"Tags": []}}}})
    client.create_stack(StackName=stack, TemplateBody=template)
    assert stacks.status(stack) == "CREATE_COMPLETE"
    tagged = {"Tags": [{"Key": "a", "Value": "b"}]}
    client.update_stack(StackName=stack, TemplateBody=template.replace('{"Tags": []}', json.dumps(tagged)))
    assert stacks.status(stack) == "UPDATE_COMPLETE"
    client.delete_stack(StackName=stack)
    assert stacks.status(stack) is None
