import json
from datetime import timedelta
from typing import Any

from local_aws.account import Account
from tests.local_aws.delivery import allow, bucket, eventually, role, unique

AWS_SDK = "arn:aws:states:::aws-sdk"


def run(account: Account, task: dict[str, Any], *permissions: dict[str, Any]) -> dict[str, Any]:
    """The end of an execution of one task by a state machine whose role has the permissions."""
    states = account.client("stepfunctions")
    definition = {"StartAt": "Task", "States": {"Task": {"Type": "Task", "End": True, **task}}}
    machine = states.create_state_machine(
        name=unique("machine"), definition=json.dumps(definition), roleArn=role(account, "states", *permissions)
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]

    def ended() -> dict[str, Any] | None:
        described = states.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    return eventually(ended)


def test_a_state_machine_reaches_our_services_under_its_role(account: Account) -> None:
    task = {"Resource": f"{AWS_SDK}:sagemaker:listModels", "Parameters": {"MaxResults": 1}}
    assert "Models" in json.loads(run(account, task, allow("sagemaker:ListModels"))["output"])


def test_what_its_role_may_not_fails_the_task_with_awss_words(account: Account) -> None:
    ended = run(account, {"Resource": f"{AWS_SDK}:sagemaker:listModels"}, allow("sagemaker:ListEndpoints"))
    assert ended["status"] == "FAILED"
    assert ended["error"] == "SageMaker.AccessDeniedException"
    assert "/stepfunctions is not authorized to perform: sagemaker:ListModels" in ended["cause"]


def test_a_refusal_of_our_services_is_an_error_that_the_definition_can_catch(account: Account) -> None:
    task = {"Resource": f"{AWS_SDK}:sagemaker:describeModel", "Parameters": {"ModelName": "nothing"}}
    ended = run(account, task, allow("sagemaker:DescribeModel"))
    assert ended["error"] == "SageMaker.ValidationException"
    assert "Could not find model" in ended["cause"]


def test_an_object_is_written_as_json_under_the_role(account: Account) -> None:
    name = bucket(account)
    given = {"Bucket": name, "Key": "k", "ContentType": "application/json", "Body": {"a": [1, "x"]}}
    task = {"Resource": f"{AWS_SDK}:s3:putObject", "Parameters": given}
    assert run(account, task, allow("s3:PutObject"))["status"] == "SUCCEEDED"
    assert json.load(account.client("s3").get_object(Bucket=name, Key="k")["Body"]) == {"a": [1, "x"]}
    assert run(account, task, allow("s3:GetObject"))["error"] == "S3.S3Exception"


def test_other_services_are_called_under_the_role_too(account: Account) -> None:
    name = bucket(account)
    task = {"Resource": f"{AWS_SDK}:s3:listObjectsV2", "Parameters": {"Bucket": name}}
    assert run(account, task, allow("s3:ListBucket"))["status"] == "SUCCEEDED"
    assert run(account, task, allow("s3:GetObject"))["error"] == "S3.AccessDeniedException"


def test_publishing_needs_the_permission(account: Account) -> None:
    topic = account.client("sns").create_topic(Name=unique("topic"))["TopicArn"]
    task = {"Resource": "arn:aws:states:::sns:publish", "Parameters": {"TopicArn": topic, "Message": "hello"}}
    assert run(account, task, allow("sns:Publish", resource=topic))["status"] == "SUCCEEDED"
    ended = run(account, task, allow("sns:Publish", resource=f"{topic}-other"))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Permissions")


def test_a_role_that_does_not_trust_state_machines_is_of_no_use(account: Account) -> None:
    states = account.client("stepfunctions")
    task = {"Type": "Task", "Resource": f"{AWS_SDK}:sagemaker:listModels", "End": True}
    definition = {"StartAt": "Task", "States": {"Task": task}}
    machine = states.create_state_machine(
        name=unique("machine"), definition=json.dumps(definition), roleArn=role(account, "lambda", allow("*"))
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    described = eventually(
        lambda: (found := states.describe_execution(executionArn=execution))["status"] != "RUNNING" and found
    )
    assert "its trust policy does not let states.amazonaws.com in" in described["cause"]


def test_how_executions_end_is_counted(account: Account) -> None:
    ended = run(account, {"Resource": f"{AWS_SDK}:sagemaker:listModels"}, allow("sagemaker:ListEndpoints"))
    machine = ended["stateMachineArn"]

    def failed() -> list[Any]:
        return account.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/States",
            MetricName="ExecutionsFailed",
            Dimensions=[{"Name": "StateMachineArn", "Value": machine}],
            StartTime=ended["startDate"] - timedelta(hours=1),
            EndTime=ended["startDate"] + timedelta(hours=1),
            Period=7200,
            Statistics=["Sum"],
        )["Datapoints"]

    assert eventually(failed)[0]["Sum"] == 1


def test_the_counts_of_a_listing_are_numbers(account: Account) -> None:
    task = {"Resource": f"{AWS_SDK}:s3:listObjectsV2", "Parameters": {"Bucket": bucket(account)}}
    assert json.loads(run(account, task, allow("s3:ListBucket"))["output"])["KeyCount"] == 0


def test_cloudformation_is_called_under_the_role(account: Account) -> None:
    stacks = account.client("cloudformation")
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    stacks.create_stack(StackName=(name := unique("stack")), TemplateBody=json.dumps(topic))
    task = {"Resource": f"{AWS_SDK}:cloudformation:describeStacks", "Parameters": {"StackName": name}}
    (found,) = json.loads(run(account, task, allow("cloudformation:DescribeStacks"))["output"])["Stacks"]
    assert found["StackName"] == name
    assert found["CreationTime"].endswith("Z")
    ended = run(account, task, allow("cloudformation:UpdateStack"))
    assert (ended["error"], ended["status"]) == ("CloudFormation.CloudFormationException", "FAILED")
    assert "is not authorized to perform: cloudformation:DescribeStacks" in ended["cause"]
