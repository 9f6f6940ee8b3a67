"""What tests of SageMaker need: images, roles, buckets with data, models, endpoints."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel
from botocore.validate import ParamValidator

from local_aws.account import Account
from tests.local_aws.delivery import allow, eventually, role, unique
from tests.local_aws.sagemaker.programs import PROCESS, SERVER, TRAIN

PULL = allow(
    "ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"
)
LOGS = allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams")
DATA = allow("s3:GetObject", "s3:PutObject", "s3:ListBucket")


def hold_to_shape(model: OperationModel, parsed: dict[str, Any], http_response: Any, **_: Any) -> None:
    """Every answer that any test gets has to be what botocore's description of the operation says."""
    if http_response.status_code == 200 and model.output_shape:
        answer = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
        report = ParamValidator().validate(answer, model.output_shape)
        assert not report.has_errors(), f"{model.name}: {report.generate_report()}"


class Stage:
    """A bucket, an image of each test program, and a role that may do what jobs and endpoints need."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.sagemaker = account.client("sagemaker")
        self.sagemaker.meta.events.register("after-call.sagemaker.*", hold_to_shape)
        self.runtime = account.client("sagemaker-runtime")
        self.s3 = account.client("s3")
        self.bucket = unique("data")
        self.s3.create_bucket(Bucket=self.bucket)
        self.server = self.image("server", {"server.py": SERVER})
        self.trainer = self.image("trainer", {"train.py": TRAIN})
        self.processor = self.image("processor", {"process.py": PROCESS})
        self.role = role(account, "sagemaker", PULL, LOGS, DATA)

    def image(self, name: str, files: Mapping[str, str], repository: str = "", tag: str = "1") -> str:
        """An image in a repository, by default one of its own, whose entrypoint is the first file; its URI."""
        config = {
            "Entrypoint": ["python3", next(iter(files))],
            "Cmd": [],
            "Env": ["FROM_IMAGE=yes"],
            "WorkingDir": "/app",
        }
        manifest = json.dumps({"schemaVersion": 2, "files": files})
        digest = hashlib.sha256(manifest.encode()).hexdigest()
        folder = self.account.settings.home / "images" / digest
        (folder / "root/app").mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            file = folder / "root/app" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (folder / "config.json").write_text(json.dumps({"config": config}))
        ecr = self.account.client("ecr")
        if not repository:
            repository = unique(name)
            ecr.create_repository(repositoryName=repository)
        (found,) = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
        uri = found["repositoryUri"]
        ecr.put_image(repositoryName=repository, imageManifest=manifest, imageTag=tag, imageDigest=f"sha256:{digest}")
        return f"{uri}:{tag}"

    def put(self, key: str, content: str | bytes) -> str:
        """An object in the bucket; its URI."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return f"s3://{self.bucket}/{key}"

    def get(self, uri: str) -> bytes:
        """The content of an object."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix of the bucket."""
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return [item["Key"] for item in found]

    def artifact(self, **content: Any) -> str:
        """A model.tar.gz for the server program; its URI."""
        content.setdefault("name", "a model")
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            data = json.dumps(content).encode()
            entry = tarfile.TarInfo("model.json")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        return self.put(f"{unique('model')}/model.tar.gz", buffer.getvalue())

    def model(self, *, role: str | None = None, environment: Mapping[str, str] | None = None, **content: Any) -> str:
        """A model of the server program; its name."""
        name = unique("model")
        container = {
            "Image": self.server,
            "ModelDataUrl": self.artifact(**content),
            "Environment": dict(environment or {}),
        }
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role or self.role)
        return name

    def variant(self, model: str, **members: Any) -> dict[str, Any]:
        """A production variant of one instance."""
        shared = {"VariantName": "AllTraffic", "ModelName": model, "InitialInstanceCount": 1}
        return {**shared, "InstanceType": "ml.c7i.large", **members}

    def config(self, *variants: dict[str, Any], **members: Any) -> str:
        """An endpoint configuration; its name."""
        name = unique("config")
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[*variants], **members)
        return name

    def endpoint(self, config: str) -> str:
        """An endpoint that has come as far as it does; its name."""
        name = unique("endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        self.settled(name)
        return name

    def settled(self, name: str) -> dict[str, Any]:
        """The description of an endpoint that is not on its way to another status."""

        def settled() -> dict[str, Any] | None:
            described = self.sagemaker.describe_endpoint(EndpointName=name)
            return described if described["EndpointStatus"] in ("InService", "Failed") else None

        return eventually(settled)

    def ask(self, endpoint: str, body: str | bytes = "hello", **members: Any) -> dict[str, Any]:
        """What the server program answers through the endpoint."""
        answer = self.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **members)
        return json.loads(answer["Body"].read())

    def ended(self, kind: str, name: str, seconds: float = 20) -> dict[str, Any]:
        """The description of a job that has ended."""
        describe = getattr(self.sagemaker, f"describe_{kind.lower()}_job")

        def over() -> dict[str, Any] | None:
            described = describe(**{f"{kind}JobName": name})
            return None if described[f"{kind}JobStatus"] in ("InProgress", "Stopping") else described

        return eventually(over, seconds)

    def log(self, group: str, stream: str) -> list[str]:
        """The lines of a group's streams that begin so; none before the first line, which makes the group."""
        logs: Any = self.account.client("logs")
        try:
            streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream)["logStreams"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [
            event["message"]
            for each in streams
            for event in logs.get_log_events(
                logGroupName=group, logStreamName=each["logStreamName"], startFromHead=True
            )["events"]
        ]
