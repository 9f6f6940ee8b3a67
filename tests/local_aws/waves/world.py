"""The project's own state machine of waves, and a release pipeline of one small build."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from config.naming import NOTHING, Names
from config.project import Account, Project
from stacks.place import Place, PlacedStack
from stacks.wave import Wave
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.codepipeline.conftest import Delivery, build, stage
from tests.local_aws.delivery import eventually, queue, unique

BUILD = "case $MODEL in bad*) exit 1;; slow*) sleep 4;; *) sleep 0.3;; esac"
VARIABLES = ("MODEL", "PACKAGE", "IMAGE", "REASON")


class Waves:
    """A deployed wave; models named bad* fail, and those named slow* take longer."""

    def __init__(self, delivery: Delivery, folder: Path, **waves: int) -> None:
        self.delivery, self.account = delivery, delivery.account
        teams = {"team": {"owners": ["a@example.com"]}}
        self.project = Project.model_validate(
            {"name": unique("shop"), "source": {"kind": "s3"}, "teams": teams, "waves": waves}
        )
        self.names = Names(self.project.name)
        self.pipeline = self.names.delivery_pipeline("release")
        self.revision = delivery.upload()
        given = {name: f"#{{variables.{name}}}" for name in VARIABLES}
        releases = stage("Train", build("Train", delivery.project(BUILD), variables=given))
        variables = [{"name": name, "defaultValue": NOTHING} for name in VARIABLES]
        declared = delivery.declaration(self.pipeline, releases, executionMode="PARALLEL", variables=variables)
        delivery.client.create_pipeline(pipeline=declared)
        self.topic = self.account.client("sns").create_topic(Name=unique("releases"))["TopicArn"]
        self._told, arn = queue(self.account)
        self.account.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        self._deploy(folder)
        self.states = self.account.client("stepfunctions")
        self.machine = self.account.arn("states", f"stateMachine:{self.names.wave}")

    def _deploy(self, folder: Path) -> None:
        version = {"Name": "/cdk-bootstrap/hnb659fds/version", "Value": "30", "Type": "String"}
        self.account.client("ssm").put_parameter(**version, Overwrite=True)
        app = cdk.App(outdir=str(folder))
        stack = PlacedStack(app, Place(self.project, "tooling", Account()), "wave", description="A wave.")
        Wave(
            stack,
            "Wave",
            stack.place,
            pipeline=codepipeline.Pipeline.from_pipeline_arn(
                stack, "Pipeline", self.account.arn("codepipeline", self.pipeline)
            ),
            topic=sns.Topic.from_topic_arn(stack, "Topic", self.topic),
            key=kms.Key.from_key_arn(stack, "Key", self.account.arn("kms", "key/1")),
        )
        app.synth()
        template = json.loads((folder / f"{stack.stack_name}.template.json").read_text())
        status = Stacks(self.account).deploy(stack.stack_name, template.pop("Resources"), **template)
        assert status == "CREATE_COMPLETE"

    def start(self, models: Sequence[str], **about: str) -> str:
        """A wave; its execution."""
        about = {"package": NOTHING, "image": NOTHING, "reason": "It changed.", **about}
        given = {
            "releases": [{"model": model, **about} for model in models],
            "revision": self.revision,
            "revision_type": "S3_OBJECT_VERSION_ID",
        }
        return self.states.start_execution(stateMachineArn=self.machine, input=json.dumps(given))["executionArn"]

    def ended(self, execution: str) -> dict[str, Any]:
        """A wave in its end."""

        def end() -> dict[str, Any] | None:
            found = self.states.describe_execution(executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        return eventually(end, 90)

    def releases(self) -> dict[str, dict[str, Any]]:
        """The releases that there are, by their model, with their variables."""
        found = {}
        for each in self._summaries():
            release = self.delivery.execution(self.pipeline, each["pipelineExecutionId"])
            variables = {one["name"]: one["resolvedValue"] for one in release["variables"]}
            if variables["MODEL"] != NOTHING:
                assert variables["MODEL"] not in found, "a model is released twice"
                found[variables["MODEL"]] = {**each, **release, **variables}
        return found

    def most_at_once(self) -> int:
        """How many releases ran at the same time."""
        moments: list[tuple[datetime, int]] = []
        for each in self.releases().values():
            moments += [(each["startTime"], 1), (each["lastUpdateTime"], -1)]
        running = most = 0
        for _, step in sorted(moments, key=lambda moment: moment[0]):
            running += step
            most = max(most, running)
        return most

    def told(self) -> dict[str, str]:
        """The next message of the topic, with Subject and Message."""
        sqs = self.account.client("sqs")
        (found,) = eventually(lambda: sqs.receive_message(QueueUrl=self._told).get("Messages"))
        sqs.delete_message(QueueUrl=self._told, ReceiptHandle=found["ReceiptHandle"])
        return json.loads(found["Body"])

    def is_quiet(self) -> bool:
        """Whether nobody was told anything."""
        return "Messages" not in self.account.client("sqs").receive_message(QueueUrl=self._told)

    def _summaries(self) -> list[dict[str, Any]]:
        pages = self.delivery.client.get_paginator("list_pipeline_executions").paginate(pipelineName=self.pipeline)
        return [each for page in pages for each in page["pipelineExecutionSummaries"]]
