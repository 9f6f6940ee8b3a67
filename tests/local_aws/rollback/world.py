"""A model in production on the local AWS with its way back: the project's own stacks, and a small server."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from config import Model, load_models, load_project
from config.naming import Names
from local_aws.account import Account
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.delivery import allow, eventually, queue, role, unique
from tests.local_aws.sagemaker.programs import SERVER
from tests.local_aws.sagemaker.stage import Stage
from tests.local_aws.test_watch_stack import deploy, physical
from tests.synthesis import ROOT, Template

PROJECT = load_project(ROOT)
MODELS = load_models(ROOT, PROJECT)
NAMES = Names(PROJECT.name)
PRODUCTION = "production"


def number(package: str) -> str:
    """A package as people are told of it."""
    return " version ".join(package.rsplit("/", 2)[-2:])


class World:
    """The stacks, packages of the model, and what its team is told."""

    def __init__(self, account: Account, assembly: Path, model: Model) -> None:
        self.account, self.assembly, self.model = account, assembly, model
        self.stacks, self.stage = Stacks(account), Stage(account)
        self.sagemaker, self.states = account.client("sagemaker"), account.client("stepfunctions")
        self.stack = NAMES.stack("serving", self.model.name, PRODUCTION)
        self.endpoint = NAMES.endpoint(self.model.name, PRODUCTION)
        self.group = NAMES.package_group(self.model.name)
        version = {"Name": "/cdk-bootstrap/hnb659fds/version", "Value": "30", "Type": "String"}
        account.client("ssm").put_parameter(**version, Overwrite=True)
        for part in ("tooling", PRODUCTION, "staging", "rollback-production", "rollback-staging"):
            deploy(self.stacks, assembly, part)
        repository = physical(self.stacks, assembly, "tooling", "AWS::ECR::Repository")
        self.image = self.stage.image("server", {"server.py": SERVER}, repository, unique("server"))
        self.artifacts = physical(self.stacks, assembly, "tooling", "AWS::S3::Bucket", "Artifacts")
        alias = account.client("kms").describe_key(KeyId="alias/greenlight-tooling")
        self.key = alias["KeyMetadata"]["KeyId"]
        self.deploying = role(account, "cloudformation", allow("*"))
        known = self.sagemaker.list_model_package_groups(NameContains=self.group)["ModelPackageGroupSummaryList"]
        if not known:
            self.sagemaker.create_model_package_group(ModelPackageGroupName=self.group)
        self.url, arn = queue(account)
        topic = physical(self.stacks, assembly, PRODUCTION, "AWS::SNS::Topic", self.model.team)
        account.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def release_nothing(self, environment: str) -> None:
        """The ServingStack of an environment without a package."""
        template = self._template(NAMES.stack("serving", self.model.name, environment))
        sections = {key: value for key, value in template.items() if key != "Resources"}
        self.stacks.deploy(NAMES.stack("serving", self.model.name, environment), template["Resources"], **sections)

    def _template(self, stack: str) -> Template:
        return json.loads((self.assembly / f"{stack}.template.json").read_text())

    def package(
        self, name: str, group: str = "", status: str = "Approved", ping_seconds: float = 0, **metadata: str
    ) -> str:
        """A registered package of the small server, which answers with its name; its ARN."""
        artifact = self.stage.artifact(name=name, ping_seconds=ping_seconds)
        bucket = self.artifacts
        key = f"{self.model.team}/{name}/model.tar.gz"
        self.stage.s3.put_object(Bucket=bucket, Key=key, Body=self.stage.get(artifact))
        container = {"Image": self.image, "ModelDataUrl": f"s3://{bucket}/{key}"}
        run = f"{self.model.team}/{self.model.name}/runs/{name}"
        evaluation = {"promotion": {"metric": "auc", "value": 0.87654}}
        for what, content in {"evaluation": evaluation, "manifest": {"data_version": f"data{name}" * 8}}.items():
            self.stage.s3.put_object(Bucket=bucket, Key=f"{run}/{what}/{what}.json", Body=json.dumps(content))
        measured = {"ContentType": "application/json", "S3Uri": f"s3://{bucket}/{run}/evaluation/evaluation.json"}
        kinds = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
        return self.sagemaker.create_model_package(
            ModelPackageGroupName=group or self.group,
            InferenceSpecification={"Containers": [container], **kinds},
            ModelApprovalStatus=status,
            ModelMetrics={"ModelQuality": {"Statistics": measured}},
            CustomerMetadataProperties={"job_image": self.image, **metadata},
        )["ModelPackageArn"]

    def release(self, package: str, release: str) -> None:
        """Writes the ServingStack as a release does, under a role that the stack remembers."""
        given = {"Package": package, "Release": release, "Rollout": "at-once"}
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
        call = {
            "StackName": self.stack,
            "TemplateBody": json.dumps(self._template(self.stack)),  # indented it would be too long for a request
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Parameters": parameters,
            "RoleARN": self.deploying,
        }
        verb = "create_stack" if self.stacks.status(self.stack) is None else "update_stack"
        getattr(self.stacks.client, verb)(**call)
        status = self.stacks.settled(self.stack)
        assert status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), self.stacks.failures(self.stack)

    def start(self, environment: str = PRODUCTION, **given: str) -> str:
        """A way back; its execution."""
        machine = self.account.arn("states", f"stateMachine:{NAMES.rollback(environment)}")
        return self.states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]

    def ended(self, execution: str) -> dict[str, Any]:
        """An execution in its end."""

        def over() -> dict[str, Any] | None:
            found = self.states.describe_execution(executionArn=execution)
            return None if found["status"] == "RUNNING" else found

        return eventually(over, 60)

    def back(self, **given: str) -> dict[str, Any]:
        """A way back of the model in production, in its end."""
        return self.ended(self.start(model=self.model.name, **given))

    def runs(self) -> str:
        """The package that the endpoint runs, as SageMaker says."""
        found = self.sagemaker.describe_endpoint(EndpointName=self.endpoint)
        config = self.sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
        model = self.sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        return model["PrimaryContainer"]["ModelPackageName"]

    def parameters(self) -> dict[str, str]:
        """The parameters of the ServingStack."""
        stack = self.stacks.client.describe_stacks(StackName=self.stack)["Stacks"][0]
        return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}

    def told(self) -> list[str]:
        """What the team has been told since it was asked last."""
        sqs, found = self.account.client("sqs"), []
        while some := sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for each in some:
                found.append(json.loads(each["Body"])["Message"])
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=each["ReceiptHandle"])
        return found


@dataclass
class Traffic:
    """Requests to an endpoint, some each second, for as long as the block lasts."""

    world: World
    pause: float = 0.1
    answers: Counter[str] = field(default_factory=Counter)

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    def _ask(self) -> None:
        while not self._over.is_set():
            try:
                self.answers[self.world.stage.ask(self.world.endpoint)["model"]] += 1
            except (BotoCoreError, ClientError) as error:
                self.answers[f"failed: {error}"] += 1
            time.sleep(self.pause)

    @property
    def failures(self) -> list[str]:
        """What went wrong."""
        return [name for name in self.answers if name.startswith("failed")]
