"""What CloudFormation makes of a template's references: one stable name and ARN for each resource of an assembly."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PARTITION, REGION, ACCOUNT = "aws", "eu-west-1", "111122223333"
"""Where a stack goes that names no account."""

REF_IS_ARN = ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine", "AWS::IAM::ManagedPolicy")
"""The types whose Ref is the ARN."""

ARNS = {
    "AWS::IAM::Role": ("iam", "role/{}"),
    "AWS::IAM::ManagedPolicy": ("iam", "policy/{}"),
    "AWS::S3::Bucket": ("s3", "{}"),
    "AWS::KMS::Key": ("kms", "key/{}"),
    "AWS::SNS::Topic": ("sns", "{}"),
    "AWS::SQS::Queue": ("sqs", "{}"),
    "AWS::ECR::Repository": ("ecr", "repository/{}"),
    "AWS::Logs::LogGroup": ("logs", "log-group:{}:*"),
    "AWS::StepFunctions::StateMachine": ("states", "stateMachine:{}"),
    "AWS::CodeBuild::Project": ("codebuild", "project/{}"),
    "AWS::CodePipeline::Pipeline": ("codepipeline", "{}"),
    "AWS::Events::Rule": ("events", "rule/{}"),
    "AWS::Events::EventBus": ("events", "event-bus/{}"),
    "AWS::Events::ApiDestination": ("events", "api-destination/{}"),
    "AWS::Events::Connection": ("events", "connection/{}"),
    "AWS::SSM::Parameter": ("ssm", "parameter{}"),
    "AWS::SageMaker::Pipeline": ("sagemaker", "pipeline/{}"),
    "AWS::SageMaker::ModelPackageGroup": ("sagemaker", "model-package-group/{}"),
    "AWS::CodeCommit::Repository": ("codecommit", "{}"),
    "AWS::Lambda::Function": ("lambda", "function:{}"),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "alarm:{}"),
    "AWS::CloudWatch::CompositeAlarm": ("cloudwatch", "alarm:{}"),
    "AWS::CloudTrail::Trail": ("cloudtrail", "trail/{}"),
    "AWS::EC2::SecurityGroup": ("ec2", "security-group/{}"),
    "AWS::EC2::Subnet": ("ec2", "subnet/{}"),
    "AWS::EC2::VPC": ("ec2", "vpc/{}"),
}
"""Service and resource part of an ARN, by type."""

NAMES = (
    "Name",
    "RoleName",
    "BucketName",
    "TopicName",
    "QueueName",
    "RepositoryName",
    "LogGroupName",
    "StateMachineName",
    "PipelineName",
    "ModelPackageGroupName",
    "ManagedPolicyName",
    "FunctionName",
    "AlarmName",
)
"""The properties that name a resource; without one, CloudFormation does."""

Template = dict[str, Any]


@dataclass(frozen=True)
class Stack:
    """A template and where it goes."""

    name: str
    account: str
    region: str
    template: Template

    def arn(self, service: str, resource: str) -> str:
        """An ARN of this stack's account and region."""
        region = "" if service in ("iam", "s3") else self.region
        account = "" if service == "s3" else self.account
        return f"arn:{PARTITION}:{service}:{region}:{account}:{resource}"


def stacks_of(assembly: Path) -> dict[str, Stack]:
    """The stacks of a synthesized assembly, by name."""
    found = {}
    for name, artifact in json.loads((assembly / "manifest.json").read_text())["artifacts"].items():
        if artifact["type"] == "aws:cloudformation:stack":
            account, region = artifact["environment"].removeprefix("aws://").split("/")
            template = json.loads((assembly / artifact["properties"]["templateFile"]).read_text())
            found[name] = Stack(
                name,
                ACCOUNT if account.startswith("unknown") else account,
                REGION if region.startswith("unknown") else region,
                template,
            )
    return found


class Resolver:
    """Puts names and ARNs in the place of intrinsic functions, across stacks."""

    def __init__(self, stacks: Mapping[str, Stack]) -> None:
        self._stacks = stacks
        self._exports = {
            self.value(output["Export"]["Name"], stack): (output["Value"], stack)
            for stack in stacks.values()
            for output in stack.template.get("Outputs", {}).values()
            if "Export" in output
        }

    def value(self, given: Any, stack: Stack) -> Any:
        """What a template's value becomes; raises KeyError for a type whose ARN is not known here."""
        if isinstance(given, list):
            return [found for each in given if (found := self.value(each, stack)) is not None]
        if not isinstance(given, dict):
            return given
        if len(given) == 1:
            ((function, argument),) = given.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._function(function, argument, stack)
        return {key: found for key, each in given.items() if (found := self.value(each, stack)) is not None}

    def _function(self, function: str, argument: Any, stack: Stack) -> Any:
        ways: dict[str, Callable[[Any, Stack], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Join": lambda given, at: given[0].join(str(part) for part in self.value(given[1], at)),
            "Fn::Sub": self._sub,
            "Fn::ImportValue": lambda given, at: self.value(*self._exports[self.value(given, at)]),
            "Fn::Split": lambda given, at: str(self.value(given[1], at)).split(given[0]),
            "Fn::Select": lambda given, at: self.value(given[1], at)[int(given[0])],
            "Fn::If": self._either,
        }
        if function not in ways:
            raise ValueError(f"{function} stands in a policy of {stack.name}, and the tests cannot resolve it yet")
        return ways[function](argument, stack)

    def _get_att(self, argument: Any, stack: Stack) -> str:
        name, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
        return self._attribute(name, attribute, stack)

    def _sub(self, argument: str, stack: Stack) -> str:
        filled = re.sub(r"\$\{([^}!]+)\}", lambda found: self._substituted(found[1], stack), argument)
        return filled.replace("${!", "${")  # how a template writes what is not to be filled in

    def _either(self, argument: list[Any], stack: Stack) -> Any:
        """The branch that is something: a policy must be read with all that it can allow."""
        branches = [found for each in argument[1:] if (found := self.value(each, stack)) is not None]
        if len(branches) > 1:
            raise ValueError(f"Fn::If {argument[0]} in a policy of {stack.name} has two branches; expected one")
        return branches[0]

    def _substituted(self, name: str, stack: Stack) -> str:
        return str(self._get_att(name, stack) if "." in name else self._ref(name, stack))

    def _ref(self, name: str, stack: Stack) -> Any:
        pseudo = {
            "AWS::Partition": PARTITION,
            "AWS::Region": stack.region,
            "AWS::AccountId": stack.account,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": None,
        }
        if name in pseudo:
            return pseudo[name]
        if name in stack.template.get("Parameters", {}):
            return self._parameter(name, stack)
        kind = stack.template["Resources"][name]["Type"]
        return self.arn(name, stack) if kind in REF_IS_ARN else self._name(name, stack)

    def _parameter(self, name: str, stack: Stack) -> str:
        """A serving stack's Package is one of its model's; every other parameter has its default."""
        if name == "Package":
            project_and_model = stack.name.replace("-serving-", "-").rsplit("-", 1)[0]
            return stack.arn("sagemaker", f"model-package/{project_and_model}/1")
        return str(stack.template["Parameters"][name].get("Default", name))

    def _attribute(self, name: str, attribute: str, stack: Stack) -> str:
        if attribute == "Arn":
            return self.arn(name, stack)
        return f"{self._name(name, stack)}.{attribute}"

    def arn(self, name: str, stack: Stack) -> str:
        """The ARN of a resource, by logical id."""
        service, form = ARNS[stack.template["Resources"][name]["Type"]]
        return stack.arn(service, form.format(self._name(name, stack)))

    def name(self, name: str, stack: Stack) -> str:
        """The name of a resource, by logical id: the given one, or one like those that CloudFormation makes."""
        return self._name(name, stack)

    def _name(self, name: str, stack: Stack) -> str:
        properties = stack.template["Resources"][name].get("Properties", {})
        given = next((properties[key] for key in NAMES if key in properties), None)
        if given is not None:
            return str(self.value(given, stack))
        made = f"{stack.name}-{name}"
        return made.lower() if stack.template["Resources"][name]["Type"] == "AWS::S3::Bucket" else made
