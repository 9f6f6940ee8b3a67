"""One model in one environment of its own: the constructs that a project deploys, deployed."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import numpy as np
import pyarrow.compute as pc
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from sklearn.linear_model import LogisticRegression

from config.model import Model
from local_aws.account import Account
from pipelines.packaging import package
from stacks.batch import Batch
from stacks.endpoint import Endpoint
from stacks.team import ServingRole
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.delivery import eventually, queue, unique
from tests.local_aws.sagemaker.stage import Stage
from tests.pipelines import models
from tests.pipelines.tables import model

CHECKOUT = Path(__file__).parents[3]
FOLDER = "batch/post/parcels"
Json = dict[str, Any]


def parcels(**changes: Any) -> Model:
    """The model: rows with a colour that training never saw are not scored."""
    hosting = {"kind": "dedicated", "instance": "ml.m5.large", "instances": 1}
    watched = {"monitoring": {"alarms": {}}, "hosting": hosting, "batch": {"instances": 2, "payload_mb": 1}}
    return model(**watched, serving={"unseen": "quarantine"}, **changes)


class Packages:
    """Two released models: the first has never seen blue."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def older(self) -> bytes:
        rows = models.random_rows(600)
        return self._made("older", rows.filter(pc.not_equal(rows["colour"], "blue")))

    @cached_property
    def newer(self) -> bytes:
        return self._made("newer", models.random_rows(600))

    @property
    def both(self) -> dict[str, bytes]:
        return {"older": self.older, "newer": self.newer}

    def _made(self, name: str, rows: Any) -> bytes:
        described = parcels()
        target = rows["late"].to_numpy().astype(int)
        pipeline, columns = models.fitted(described, rows, models.one_hot(LogisticRegression()), np.asarray(target))
        folder = models.written(self._folder / name, models.chosen(described, pipeline, columns))
        package.pack(folder, self._folder / f"{name}.tar.gz")
        return (self._folder / f"{name}.tar.gz").read_bytes()


class World:
    """The deployed stack, and what a person does with it."""

    def __init__(self, account: Account, stage: Stage, packages: Packages, folder: Path) -> None:
        self.account = account
        self.stage = stage
        self.packages = packages
        self.s3 = account.client("s3")
        self.endpoint = unique("parcels")
        self.bucket = unique("records")
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        self.mail, queue_arn = queue(account)
        self._images = self._both_images()
        account.client("sagemaker").create_model_package_group(ModelPackageGroupName=self.endpoint)
        self._stacks = Stacks(account)
        self._template = self._synthesized(folder, queue_arn)
        self._release("create_stack", self.register(packages.older))

    def register(self, content: bytes) -> str:
        """A package of the model; its ARN."""
        uri = f"s3://{self.bucket}/artifacts/post/{unique('package')}/model.tar.gz"
        self.s3.put_object(Bucket=self.bucket, Key=uri.split("/", 3)[3], Body=content)
        registered = self.account.client("sagemaker").create_model_package(
            ModelPackageGroupName=self.endpoint,
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [{"Image": self._images["serving"], "ModelDataUrl": uri}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            CustomerMetadataProperties={"job_image": self._images["job"]},
        )
        return registered["ModelPackageArn"]

    def release(self, package_arn: str) -> None:
        """Deploys another package, as a release does."""
        self._release("update_stack", package_arn)

    def serve_by_another_config(self) -> None:
        """As after a roll-back: the endpoint is in service, and not as the stack says."""
        sagemaker = self.account.client("sagemaker")
        config = sagemaker.describe_endpoint(EndpointName=self.endpoint)["EndpointConfigName"]
        variants = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        other = unique("config")
        sagemaker.create_endpoint_config(EndpointConfigName=other, ProductionVariants=variants)
        sagemaker.update_endpoint(EndpointName=self.endpoint, EndpointConfigName=other)
        self.stage.settled(self.endpoint)

    def give(self, run: str, **objects: bytes) -> None:
        """Objects of a run, `name` as `name.csv`."""
        for name, content in objects.items():
            self.s3.put_object(Bucket=self.bucket, Key=f"{FOLDER}/in/{run}/{name}.csv", Body=content)

    def start(self, run: str, **more: Any) -> Json:
        """A run, as it ended."""
        states = self.account.client("stepfunctions")
        started = states.start_execution(stateMachineArn=self.machine, input=json.dumps({"run": run, **more}))
        return self._ended(started["executionArn"])

    def scored(self, run: str, **more: Any) -> Json:
        """The summary of a run that must succeed."""
        ended = self.start(run, **more)
        assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
        return self.summary(run)

    def executions(self) -> list[Json]:
        """Every execution there was, as it ended, newest first."""
        states = self.account.client("stepfunctions")
        found = states.list_executions(stateMachineArn=self.machine)["executions"]
        return [self._ended(each["executionArn"]) for each in found]

    def summary(self, run: str) -> Json:
        return json.loads(self.get(f"{FOLDER}/summary/{run}.json"))

    def get(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return [item["Key"] for item in found]

    def records(self) -> list[Json]:
        """Every event that was recorded, in the order of keys."""
        keys = self.keys(f"capture/post/{self.endpoint}/batch/")
        return [json.loads(line) for key in keys for line in self.get(key).splitlines()]

    @property
    def machine(self) -> str:
        return self.account.arn("states", f"stateMachine:{self.endpoint}-batch")

    def _ended(self, execution: str) -> Json:
        states = self.account.client("stepfunctions")
        return eventually(
            lambda: (found := states.describe_execution(executionArn=execution))["status"] != "RUNNING" and found, 60
        )

    def _release(self, call: str, package_arn: str) -> None:
        getattr(self._stacks.client, call)(
            StackName=self.endpoint,
            TemplateBody=json.dumps(self._template),
            Parameters=[{"ParameterKey": "Package", "ParameterValue": package_arn}],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        status = self._stacks.settled(self.endpoint)
        assert status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), self._stacks.failures(self.endpoint)

    def _synthesized(self, folder: Path, queue_arn: str) -> Json:
        app = cdk.App(outdir=str(folder / "cdk.out"))
        synthesizer = cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
        stack = cdk.Stack(app, self.endpoint, stack_name=self.endpoint, synthesizer=synthesizer)
        given = cdk.CfnParameter(stack, "Package").value_as_string
        settings = parcels()
        records = s3.Bucket.from_bucket_name(stack, "Records", self.bucket)
        images = ecr.Repository.from_repository_name(stack, "Images", f"{self.endpoint}-images")
        key = cast("kms.IKey", kms.Key(stack, "Key", removal_policy=cdk.RemovalPolicy.DESTROY))
        serving = ServingRole(
            stack, "post", project=self.endpoint, artifacts=records, records=records, images=images, key=key
        )
        role = cast("iam.IRole", serving.role)
        # The tests' artifacts are in the records bucket, below a folder of their own.
        records.grant_read(role, "artifacts/post/*")
        topic = sns.Topic(stack, "Alerts")
        topic.add_subscription(subscriptions.SqsSubscription(sqs.Queue.from_queue_arn(stack, "Mail", queue_arn)))
        endpoint = Endpoint(
            stack,
            "RealTime",
            endpoint_name=self.endpoint,
            model_name="parcels",
            package_arn=given,
            role=role,
            key=key,
            hosting=settings.hosting,
            capture=None,
        )
        endpoint.model.node.add_dependency(role)
        Batch(
            stack,
            "Batch",
            machine_name=f"{self.endpoint}-batch",
            settings=settings,
            endpoint=endpoint,
            package_arn=given,
            records=records,
            role=role,
            key=key,
            topic=cast("sns.ITopic", topic),
            log_retention=logs.RetentionDays.ONE_DAY,
        )
        return app.synth().get_stack_by_name(self.endpoint).template

    def _both_images(self) -> dict[str, str]:
        """The server and the jobs, both from this checkout."""
        ecr_client = self.account.client("ecr")
        name = f"{self.endpoint}-images"
        repository = ecr_client.create_repository(repositoryName=name)["repository"]["repositoryUri"]
        images = {}
        for tag, entrypoint in {"serving": ["python3", "-m", "model_server"], "job": ["python3"]}.items():
            config = {"Entrypoint": entrypoint, "Cmd": [], "Env": [], "WorkingDir": "/app"}
            manifest = json.dumps({"schemaVersion": 2, "image": f"{name} {tag}"})
            digest = unique(tag)
            root = self.account.settings.home / "images" / digest / "root"
            root.mkdir(parents=True)
            (root / "app").symlink_to(CHECKOUT)
            (root.parent / "config.json").write_text(json.dumps({"config": config}))
            ecr_client.put_image(
                repositoryName=name, imageManifest=manifest, imageTag=tag, imageDigest=f"sha256:{digest}"
            )
            images[tag] = f"{repository}:{tag}"
        return images
