"""A checkout with models, under git, and what is registered and deployed of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from config.naming import NOTHING, Names
from local_aws.account import Account
from tests.local_aws.delivery import allow, bucket, eventually, queue, role, unique
from tests.local_aws.sagemaker.programs import SERVER
from tests.local_aws.sagemaker.stage import DATA, LOGS, PULL, Stage
from tests.pipelines.by_hand.test_snapshot import git
from tests.pipelines.tables import model

IMAGE = "serving"
WAITS = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 300, "End": True}}}


class World:
    """`root` is the checkout; models are folders of it."""

    def __init__(self, account: Account, stage: Stage, root: Path) -> None:
        self.account, self.stage, self.root = account, stage, root
        self.project = unique("shop")
        self.names = Names(self.project)
        self.sagemaker, self.states = stage.sagemaker, account.client("stepfunctions")
        self.artifacts = bucket(account)
        serving = allow("sagemaker:DescribeModelPackage")
        self.role = role(account, "sagemaker", PULL, LOGS, DATA, serving)
        self.wave = self.states.create_state_machine(
            name=self.names.wave, definition=json.dumps(WAITS), roleArn=role(account, "states")
        )["stateMachineArn"]
        self.topic = account.client("sns").create_topic(Name=unique("releases"))["TopicArn"]
        self._told, arn = queue(account)
        account.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        self.images = [stage.server, stage.image("server", {"server.py": f"# newer\n{SERVER}"})]
        self.note(self.images[0])
        self._begin()

    def _begin(self) -> None:
        content = {"name": self.project, "source": {"kind": "s3"}, "teams": {"post": {"owners": ["a@example.com"]}}}
        (self.root / "project.yaml").write_text(yaml.safe_dump(content))
        (self.root / ".gitignore").write_text("stage.env\n__pycache__/\n")
        git(self.root, "init", "--quiet", "--initial-branch=main")
        self.commit()

    def add(self, name: str) -> str:
        """A model's folder, and the group of its packages; the commit."""
        described = model(name=name).model_dump(mode="json", exclude={"name"}, exclude_unset=True)
        self.write(f"model_code/{name}/model.yaml", yaml.safe_dump(described))
        self.sagemaker.create_model_package_group(ModelPackageGroupName=self.names.package_group(name))
        return self.commit()

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def commit(self) -> str:
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "-m", "Change")
        return self.commit_of_head()

    def commit_of_head(self) -> str:
        return git(self.root, "rev-parse", "HEAD")

    def note(self, image: str) -> None:
        """Notes the newest image, as the Image stage does."""
        name = self.names.image_parameter(IMAGE)
        self.account.client("ssm").put_parameter(Name=name, Value=image, Type="String", Overwrite=True)

    def package(self, name: str, commit: str, *, status: str = "Approved", image: str = "", **metadata: str) -> str:
        """A registered package of a model, as the training pipeline leaves one; its ARN."""
        measured = {"ContentType": "application/json", "S3Uri": f"s3://{self.artifacts}/runs/{name}.json"}
        container = {"Image": image or self.images[0], "ModelDataUrl": self.stage.artifact(name=name)}
        kinds = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
        return self.sagemaker.create_model_package(
            ModelPackageGroupName=self.names.package_group(name),
            ModelPackageDescription="Late parcels.",
            InferenceSpecification={"Containers": [container], **kinds},
            ModelApprovalStatus=status,
            ModelMetrics={"ModelQuality": {"Statistics": measured}},
            CustomerMetadataProperties={"commit": commit, "run": "run-1", "retraining": NOTHING, **metadata},
        )["ModelPackageArn"]

    def serve(self, name: str, package: str) -> str:
        """Lets production run a package; the endpoint."""
        made, endpoint = unique("model"), self.names.endpoint(name, "production")
        tags = [{"Key": Names.ENDPOINT_TAG, "Value": endpoint}]
        container = {"ModelPackageName": package}
        self.sagemaker.create_model(ModelName=made, PrimaryContainer=container, ExecutionRoleArn=self.role, Tags=tags)
        config = self.stage.config(self.stage.variant(made), Tags=tags)
        self.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        assert self.stage.settled(endpoint)["EndpointStatus"] == "InService"
        return endpoint

    def run(
        self, program: str, *statements: dict[str, Any], arguments: tuple[str, ...] = (), **given: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a program of pipelines in the checkout, under a role that may do what the statements say."""
        who = role(self.account, "codebuild", *statements)
        environment = (
            os.environ
            | self.account.environment(who, service_principal="codebuild.amazonaws.com")
            | {"PYTHONPATH": str(self.account.settings.checkout)}
            | given
        )
        command = [sys.executable, "-m", f"pipelines.{program}", *arguments]
        return subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)

    def left(self) -> dict[str, str]:
        """What the program has left for later stages."""
        lines = (self.root / "stage.env").read_text().replace("export ", "").splitlines()
        return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}

    def waves(self) -> list[dict[str, Any]]:
        """The inputs of the waves that were started, oldest first."""
        found = self.states.list_executions(stateMachineArn=self.wave)["executions"]
        arns = [each["executionArn"] for each in sorted(found, key=lambda each: each["startDate"])]
        return [json.loads(self.states.describe_execution(executionArn=arn)["input"]) for arn in arns]

    def told(self) -> dict[str, str]:
        """The next message of the topic, with Subject and Message."""
        sqs = self.account.client("sqs")
        (found,) = eventually(lambda: sqs.receive_message(QueueUrl=self._told).get("Messages"))
        sqs.delete_message(QueueUrl=self._told, ReceiptHandle=found["ReceiptHandle"])
        return json.loads(found["Body"])
