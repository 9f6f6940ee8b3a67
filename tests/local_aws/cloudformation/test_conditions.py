import pytest

from tests.local_aws.cloudformation.stacks import Stacks, output
from tests.local_aws.delivery import unique

CONDITIONS = {
    "Given": {"Fn::Not": [{"Fn::Equals": ["", {"Fn::Join": ["", {"Ref": "List"}]}]}]},
    "Here": {"Fn::Equals": [{"Fn::Sub": "${AWS::Region}-${AWS::AccountId}"}, "us-east-1-123456789012"]},
    "Both": {"Fn::And": [{"Condition": "Given"}, {"Condition": "Here"}]},
}


@pytest.mark.parametrize(("given", "expected"), [("", "no"), ("a,b", "yes")])
def test_conditions_may_use_other_functions(stacks: Stacks, given: str, expected: str) -> None:
    stack = unique("Stack")
    parameter = {"Type": "String", "Name": f"/{stack}/parameter", "Value": {"Fn::If": ["Both", "yes", "no"]}}
    stacks.deploy(
        stack,
        {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": parameter}},
        Parameters={"List": {"Type": "CommaDelimitedList", "Default": given}},
        Conditions=CONDITIONS,
        Outputs=output(Value={"Fn::GetAtt": ["Parameter", "Value"]}),
    )
    assert stacks.outputs(stack) == {"Value": expected}
