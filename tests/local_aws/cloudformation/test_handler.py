import time
from typing import Any

from local_aws.account import Account
from tests.local_aws.cloudformation.stacks import Stacks, output
from tests.local_aws.delivery import LOGS, OBJECTS, bucket, role, unique, zipped
from tests.local_aws.sagemaker.stage import Stage


def serving(stage: Stage, artifact: str, **endpoint: Any) -> dict[str, Any]:
    """The resources of an endpoint; the model is named by nobody, so that a new one replaces it."""
    container = {"Image": stage.server, "ModelDataUrl": artifact}
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InitialInstanceCount": "1",
        "InitialVariantWeight": 1,
        "InstanceType": "ml.c7i.large",
    }
    return {
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "PrimaryContainer": container,
                "ExecutionRoleArn": stage.role,
                "Tags": [{"Key": "team", "Value": "x"}],
            },
        },
        "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [variant]}},
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
                "RetainAllVariantProperties": True,
                **endpoint,
            },
        },
    }


NAME = output(Name={"Fn::GetAtt": ["Endpoint", "EndpointName"]}, Arn={"Ref": "Endpoint"})


def test_an_endpoint_is_created_updated_and_deleted(stage: Stage, stacks: Stacks) -> None:
    stack = unique("Serving")
    assert stacks.deploy(stack, serving(stage, stage.artifact(name="one")), Outputs=NAME) == "CREATE_COMPLETE"
    name = stacks.outputs(stack)["Name"]
    assert name.startswith(f"{stack}-Endpoint-")
    assert stacks.outputs(stack)["Arn"] == stage.account.arn("sagemaker", f"endpoint/{name.lower()}")
    assert stage.ask(name)["model"] == "one"
    first_model = stacks.resource(stack, "Model")
    assert stacks.deploy(stack, serving(stage, stage.artifact(name="two")), Outputs=NAME) == "UPDATE_COMPLETE"
    assert stacks.outputs(stack)["Name"] == name
    assert stage.ask(name)["model"] == "two"
    assert stacks.resource(stack, "Model") != first_model
    models = stage.sagemaker.list_models(NameContains=stack)["Models"]
    assert [model["ModelArn"] for model in models] == [stacks.resource(stack, "Model")]
    assert stacks.delete(stack) == "DELETE_COMPLETE"
    assert stage.sagemaker.list_endpoints(NameContains=stack)["Endpoints"] == []
    assert stage.sagemaker.list_models(NameContains=stack)["Models"] == []


def test_an_update_that_sagemaker_takes_back_is_a_success_to_cloudformation(stage: Stage, stacks: Stacks) -> None:
    stack = unique("Serving")
    stacks.deploy(stack, serving(stage, stage.artifact(name="good")), Outputs=NAME)
    name = stacks.outputs(stack)["Name"]
    broken = serving(stage, stage.artifact(ends=True))
    assert stacks.deploy(stack, broken, Outputs=NAME) == "UPDATE_COMPLETE"
    assert "did not pass the ping health check" in stage.settled(name)["FailureReason"]
    assert stage.ask(name)["model"] == "good"
    assert stacks.delete(stack) == "DELETE_COMPLETE"


def test_an_endpoint_that_never_comes_up_is_rolled_back_and_gone(stage: Stage, stacks: Stacks) -> None:
    stack = unique("Serving")
    broken = stage.artifact(ends=True)
    assert stacks.deploy(stack, serving(stage, broken)) == "ROLLBACK_COMPLETE"
    assert "The endpoint did not get to InService" in stacks.failures(stack)["Endpoint"]
    assert stage.sagemaker.list_endpoints(NameContains=stack)["Endpoints"] == []
    assert stacks.delete(stack) == "DELETE_COMPLETE"


def test_a_retained_model_outlives_its_replacement(stage: Stage, stacks: Stacks) -> None:
    stack = unique("Serving")

    def model(artifact: str) -> dict[str, Any]:
        return {
            "Model": {**serving(stage, artifact)["Model"], "UpdateReplacePolicy": "Retain", "DeletionPolicy": "Retain"}
        }

    stacks.deploy(stack, model(stage.artifact(name="one")))
    first = stacks.resource(stack, "Model")
    stacks.deploy(stack, model(stage.artifact(name="two")))
    second = stacks.resource(stack, "Model")
    assert stacks.delete(stack) == "DELETE_COMPLETE"
    left = {found["ModelArn"] for found in stage.sagemaker.list_models(NameContains=stack)["Models"]}
    assert left == {first, second}


def test_a_named_resource_cannot_be_replaced_under_its_name(stage: Stage, stacks: Stacks) -> None:
    stack = unique("Serving")

    def model(artifact: str) -> dict[str, Any]:
        resource = serving(stage, artifact)["Model"]
        return {"Model": {**resource, "Properties": {**resource["Properties"], "ModelName": stack}}}

    stacks.deploy(stack, model(stage.artifact(name="one")))
    assert stacks.deploy(stack, model(stage.artifact(name="two"))) == "UPDATE_ROLLBACK_COMPLETE"
    assert (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing"
        in (stacks.failures(stack)["Model"])
    )


def test_tags_of_the_stack_and_of_the_resource_reach_the_service(stage: Stage, stacks: Stacks) -> None:
    stack = unique("Serving")
    resources = {"Model": serving(stage, stage.artifact())["Model"]}

    def tags() -> dict[str, str]:
        found = stage.sagemaker.list_tags(ResourceArn=stacks.resource(stack, "Model"))["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}

    stacks.deploy(stack, resources, tags=[{"Key": "project", "Value": "greenlight"}])
    assert tags() == {"team": "x", "project": "greenlight"}
    model = stacks.resource(stack, "Model")
    resources["Model"]["Properties"]["Tags"] = [{"Key": "owner", "Value": "y"}]
    assert stacks.deploy(stack, resources, tags=[]) == "UPDATE_COMPLETE"
    assert tags() == {"owner": "y"}
    assert stacks.resource(stack, "Model") == model


def test_a_sagemaker_pipeline_and_its_group(account: Account, stage: Stage, stacks: Stacks) -> None:
    stack = unique("Training")

    def resources(description: str) -> dict[str, Any]:
        fail = (
            '{"Version": "2020-12-01", "Steps": [{"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}]}'
        )
        pipeline = {
            "PipelineName": f"{stack}-pipeline",
            "PipelineDescription": description,
            "PipelineDefinition": {"PipelineDefinitionBody": fail},
            "RoleArn": stage.role,
        }
        return {
            "Group": {
                "Type": "AWS::SageMaker::ModelPackageGroup",
                "Properties": {"ModelPackageGroupName": f"{stack}-group"},
            },
            "Pipeline": {"Type": "AWS::SageMaker::Pipeline", "Properties": pipeline},
        }

    values = output(
        Group={"Ref": "Group"}, Status={"Fn::GetAtt": ["Group", "ModelPackageGroupStatus"]}, P={"Ref": "Pipeline"}
    )
    assert stacks.deploy(stack, resources("first"), Outputs=values) == "CREATE_COMPLETE", stacks.failures(stack)
    assert stacks.outputs(stack) == {
        "Group": account.arn("sagemaker", f"model-package-group/{stack}-group"),
        "Status": "Completed",
        "P": f"{stack}-pipeline",
    }
    assert stacks.deploy(stack, resources("second"), Outputs=values) == "UPDATE_COMPLETE"
    described = stage.sagemaker.describe_pipeline(PipelineName=f"{stack}-pipeline")
    assert described["PipelineDescription"] == "second"
    assert stacks.delete(stack) == "DELETE_COMPLETE"


def delivery(account: Account, command: str) -> dict[str, Any]:
    """The resources of a pipeline that takes an object and builds it."""
    source = bucket(account)
    account.client("s3").put_object(Bucket=source, Key="source.zip", Body=zipped({"a": "b"}))
    actions = {
        "Source": {
            "Name": "Take",
            "ActionTypeId": {"Category": "Source", "Owner": "AWS", "Provider": "S3", "Version": "1"},
            "Configuration": {"S3Bucket": source, "S3ObjectKey": "source.zip", "PollForSourceChanges": False},
            "OutputArtifacts": [{"Name": "source"}],
            "RunOrder": 1,
        },
        "Build": {
            "Name": "Build",
            "ActionTypeId": {"Category": "Build", "Owner": "AWS", "Provider": "CodeBuild", "Version": "1"},
            "Configuration": {"ProjectName": {"Ref": "Project"}},
            "InputArtifacts": [{"Name": "source"}],
        },
    }
    building = role(account, "codebuild", LOGS, OBJECTS)
    pipelining = role(
        account,
        "codepipeline",
        OBJECTS,
        {"Effect": "Allow", "Action": ["codebuild:StartBuild", "codebuild:BatchGetBuilds"], "Resource": "*"},
    )
    return {
        "Project": {
            "Type": "AWS::CodeBuild::Project",
            "Properties": {
                "Artifacts": {"Type": "CODEPIPELINE"},
                "Source": {
                    "Type": "CODEPIPELINE",
                    "BuildSpec": f"version: 0.2\nphases:\n  build:\n    commands:\n      - {command}\n",
                },
                "Environment": {
                    "Type": "LINUX_CONTAINER",
                    "Image": "aws/codebuild/standard:7.0",
                    "ComputeType": "BUILD_GENERAL1_SMALL",
                    "PrivilegedMode": False,
                },
                "ServiceRole": building,
                "TimeoutInMinutes": "10",
                "Cache": {"Type": "NO_CACHE"},
                "Visibility": "PRIVATE",
            },
        },
        "Pipeline": {
            "Type": "AWS::CodePipeline::Pipeline",
            "Properties": {
                "PipelineType": "V2",
                "RoleArn": pipelining,
                "ArtifactStore": {"Type": "S3", "Location": source},
                "Stages": [{"Name": name, "Actions": [action]} for name, action in actions.items()],
                "Variables": [{"Name": "MODEL", "DefaultValue": "none"}],
                "Tags": [{"Key": "a", "Value": "b"}],
            },
        },
    }


def test_a_delivery_pipeline_runs_at_its_creation(account: Account, stacks: Stacks) -> None:
    stack = unique("Delivery")
    values = output(
        Name={"Ref": "Pipeline"}, Version={"Fn::GetAtt": ["Pipeline", "Version"]}, Project={"Ref": "Project"}
    )
    resources = delivery(account, "true")
    assert stacks.deploy(stack, resources, Outputs=values) == "CREATE_COMPLETE", stacks.failures(stack)
    outputs = stacks.outputs(stack)
    assert outputs["Version"] == "1"
    pipelines = account.client("codepipeline")
    deadline = time.monotonic() + 20
    while (runs := pipelines.list_pipeline_executions(pipelineName=outputs["Name"])["pipelineExecutionSummaries"]) and (
        runs[0]["status"] == "InProgress"
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [run["status"] for run in runs] == ["Succeeded"]
    resources["Pipeline"]["Properties"]["Variables"] = []
    resources["Pipeline"]["Properties"]["Tags"] = [{"Key": "c", "Value": "d"}]
    assert stacks.deploy(stack, resources, Outputs=values) == "UPDATE_COMPLETE", stacks.failures(stack)
    assert stacks.outputs(stack)["Version"] == "2"
    assert stacks.delete(stack) == "DELETE_COMPLETE", stacks.failures(stack)
    assert account.client("codebuild").batch_get_projects(names=[outputs["Project"]])["projects"] == []


def test_scaling_and_alarms(account: Account, stacks: Stacks) -> None:
    stack = unique("Watch")
    resources = {
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {
                "ServiceNamespace": "sagemaker",
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                "ResourceId": f"endpoint/{stack}/variant/AllTraffic",
                "MinCapacity": "1",
                "MaxCapacity": 4,
            },
        },
        "Policy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": f"{stack}-policy",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "Target"},
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": "100",
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                },
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": "1",
                "Threshold": 5,
                "Metrics": [
                    {"Id": "r", "Expression": "m * 2", "ReturnData": "true"},
                    {
                        "Id": "m",
                        "ReturnData": "false",
                        "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": "60", "Stat": "p99"},
                    },
                ],
            },
        },
        "Any": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {"AlarmRule": {"Fn::Sub": 'ALARM("${Alarm.Arn}")'}},
        },
    }
    values = output(Policy={"Ref": "Policy"}, Alarm={"Fn::GetAtt": ["Any", "Arn"]}, Target={"Ref": "Target"})
    assert stacks.deploy(stack, resources, Outputs=values) == "CREATE_COMPLETE", stacks.failures(stack)
    outputs = stacks.outputs(stack)
    assert outputs["Target"] == f"endpoint/{stack}/variant/AllTraffic|sagemaker:variant:DesiredInstanceCount|sagemaker"
    assert outputs["Policy"].startswith("arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:")
    assert outputs["Alarm"].startswith(f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{stack}-Any-")
    resources["Alarm"]["Properties"]["Threshold"] = 6
    resources["Target"]["Properties"]["MaxCapacity"] = 8
    assert stacks.deploy(stack, resources, Outputs=values) == "UPDATE_COMPLETE", stacks.failures(stack)
    targets = account.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{stack}/variant/AllTraffic"]
    )["ScalableTargets"]
    assert [target["MaxCapacity"] for target in targets] == [8]
    assert stacks.delete(stack) == "DELETE_COMPLETE", stacks.failures(stack)
    assert account.client("cloudwatch").describe_alarms(AlarmNamePrefix=stack)["MetricAlarms"] == []
