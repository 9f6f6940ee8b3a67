"""A team with a model that serves, and the job that judges it, as a process under a role of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.watch.synthetic import Rows, Synthetic
from local_aws.account import Account
from pipelines.watch import moments
from pipelines.watch.places import Places
from pipelines.watch.state import State
from tests.local_aws.delivery import allow, bucket, queue, role, unique
from tests.local_aws.sagemaker.stage import Stage

ROOT = Path(__file__).parents[3]
ENVIRONMENT = "production"
BEGIN = "2016-01-01T00:00:00Z"
"""When models are released, where a test does not say it."""
MAY = (
    allow("s3:GetObject", "s3:PutObject", "s3:ListBucket"),
    allow("ssm:GetParametersByPath"),
    allow("sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig"),
    allow("sagemaker:DescribeModel", "sagemaker:DescribeModelPackage"),
    allow("cloudwatch:GetMetricData", "cloudwatch:PutMetricData", "events:PutEvents"),
)


class World:
    """One team of one project, with buckets of its own."""

    def __init__(self, account: Account, stage: Stage, home: Path) -> None:
        self.account, self.stage, self.home = account, stage, home
        self.project = unique("parcels")
        self.records = bucket(account)
        self.team = "machines"
        self.s3 = account.client("s3")
        self.job_role = role(account, "sagemaker", *MAY)
        self.queue = self._told()

    def released(self, model: Synthetic, *, percent: int = 100, code: str | None = None) -> Served:
        """The model behind an endpoint that captures."""
        served = Served(self, model.name)
        served.serve(served.package(model, code=code), percent=percent)
        served.announce()
        return served

    def command(self, at: str, *more: str) -> list[str]:
        said = {
            "project": self.project,
            "environment": ENVIRONMENT,
            "team": self.team,
            "bucket": self.records,
            "at": at,
        }
        options = [text for name, value in said.items() for text in (f"--{name}", value)]
        return [sys.executable, "-m", "pipelines.watch", *options, *more]

    @cached_property
    def surroundings(self) -> dict[str, str]:
        """The job's environment."""
        credentials = self.account.environment(self.job_role, service_principal="sagemaker.amazonaws.com")
        return {**os.environ, **credentials, "ML_ROOT": str(self.home)}

    def start(self, at: str, *more: str, **variables: str) -> subprocess.Popen[str]:
        """Starts a run."""
        return subprocess.Popen(
            self.command(at, *more),
            cwd=ROOT,
            env=self.surroundings | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, at: str, *more: str, **variables: str) -> str:
        """A run that must succeed; what it printed."""
        job = self.start(at, *more, **variables)
        out, errors = job.communicate()
        assert job.returncode == 0, errors
        return out

    def written(self) -> int:
        """How often the job has written an object."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.records, Prefix="watch/")
        return sum(len(page.get("Versions", ())) for page in pages)

    def events(self) -> list[dict[str, Any]]:
        """The events that were told since the last time."""
        sqs, found = self.account.client("sqs"), []
        while some := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for each in some:
                found.append(json.loads(each["Body"]))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
        return found

    def _told(self) -> str:
        url, arn = queue(self.account)
        events = self.account.client("events")
        pattern = json.dumps({"source": [f"{self.project}.watch"]})
        events.put_rule(Name=self.project, EventPattern=pattern)
        events.put_targets(Rule=self.project, Targets=[{"Id": "queue", "Arn": arn}])
        return url


class Served:
    """A model of the team, with what it captured, was told, and is said to be."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.endpoint = unique(name)
        self.group = unique("group")
        self.places = Places(world.team, name, self.endpoint)
        world.stage.sagemaker.create_model_package_group(ModelPackageGroupName=self.group)

    def announce(self) -> None:
        """Says that the model is there, as its stack does."""
        self.world.account.client("ssm").put_parameter(
            Name=f"/{self.world.project}/{ENVIRONMENT}/models/{self.places.team}/{self.places.model}",
            Value=json.dumps({"endpoint": self.endpoint}),
            Type="String",
        )

    def package(self, model: Synthetic, *, code: str | None = None, bare: bool = False, **metadata: str) -> str:
        """A registered package of a synthetic model; its ARN."""
        stage = self.world.stage
        folder = unique(f"code/{model.name}") if code is None else code
        if code is None:
            stage.put(f"{folder}/model.yaml", model.yaml)
        archive = model.archive({"model.json": json.dumps({"name": model.name}).encode()}, bare=bare)
        data = stage.put(f"{unique('model')}.tar.gz", archive)
        return self.register(stage.server, data, f"s3://{stage.bucket}/{folder}", **metadata)

    def register(self, image: str, model_data: str, code: str, **metadata: str) -> str:
        """A registered package; its ARN."""
        specification = {
            "Containers": [{"Image": image, "ModelDataUrl": model_data}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["application/json"],
        }
        return self.world.stage.sagemaker.create_model_package(
            ModelPackageGroupName=self.group,
            InferenceSpecification=specification,
            ModelApprovalStatus="Approved",
            CustomerMetadataProperties={"code": code, **metadata},
        )["ModelPackageArn"]

    def serve(self, package: str, *, percent: int = 100, at: str = BEGIN) -> None:
        """Puts a package behind the endpoint, by a config that was made at that time."""
        stage = self.world.stage
        self.world.account.calendar.set(moments.parse(at))
        name = unique("model")
        container = {"ModelPackageName": package}
        stage.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=stage.role)
        capture = {
            "EnableCapture": True,
            "InitialSamplingPercentage": percent,
            "DestinationS3Uri": f"s3://{self.world.records}/capture/{self.world.team}",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        }
        config = stage.config(stage.variant(name), DataCaptureConfig=capture)
        endpoints = stage.sagemaker.list_endpoints(NameContains=self.endpoint)["Endpoints"]
        if endpoints:
            stage.sagemaker.update_endpoint(EndpointName=self.endpoint, EndpointConfigName=config)
        else:
            stage.sagemaker.create_endpoint(EndpointName=self.endpoint, EndpointConfigName=config)
        stage.settled(self.endpoint)

    def answered(
        self, rows: Rows, start: str, name: str, *, step: timedelta = timedelta(hours=1), metrics: bool = True
    ) -> list[str]:
        """Captures rows one after the other, and counts them as SageMaker does; the keys."""
        first = moments.parse(start)
        objects = rows.captured(first, step, name)
        keys = {f"{self.places.capture}AllTraffic/{key}": content for key, content in objects.items()}
        for key, content in keys.items():
            self.world.s3.put_object(Bucket=self.world.records, Key=key, Body=content)
        if metrics:
            self.invoked([first + step * place for place in range(len(rows))])
        return list(keys)

    def invoked(self, when: Iterable[datetime]) -> None:
        """Invocations as the metrics have them."""
        counts: dict[datetime, int] = {}
        for each in when:
            counts[moments.hour(each)] = counts.get(moments.hour(each), 0) + 1
        dimensions = [{"Name": "EndpointName", "Value": self.endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}]
        data = [
            {
                "MetricName": "Invocations",
                "Dimensions": dimensions,
                "Timestamp": hour,
                "StatisticValues": {"SampleCount": n, "Sum": n, "Minimum": 1, "Maximum": 1},
            }
            for hour, n in counts.items()
        ]
        for place in range(0, len(data), 500):
            self.world.account.client("cloudwatch").put_metric_data(
                Namespace="AWS/SageMaker", MetricData=data[place : place + 500]
            )

    def labelled(self, content: bytes, name: str) -> None:
        """Puts a file of labels."""
        self.world.s3.put_object(Bucket=self.world.records, Key=f"{self.places.labels}{name}", Body=content)

    @property
    def state(self) -> State:
        return State.parse(self._read(self.places.state))

    @property
    def report(self) -> dict[str, Any]:
        return json.loads(self._read(self.places.report("json")))

    def numbers(self) -> Mapping[str, Any]:
        """What a report says of its periods, numbers to eight digits: sums depend on the order in the last ones."""
        return _rounded(self.report["periods"])

    def _read(self, key: str) -> bytes:
        return self.world.s3.get_object(Bucket=self.world.records, Key=key)["Body"].read()


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.8g}") if isinstance(value, float) else value
