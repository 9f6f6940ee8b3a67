"""A team of synthetic models in a local account: endpoints, packages, captured objects, labels, metrics."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.watch.synthetic import Synthetic
from local_aws.account import Account
from pipelines.watch import moments

PROJECT, ENVIRONMENT, TEAM, BUCKET = "bench", "production", "machines", "bench-records"
BEGIN, AT, NEXT = "2016-01-01T00:00:00Z", "2016-02-01T05:00:00Z", "2016-02-02T05:00:00Z"
_SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): ...
host = os.environ.get("SAGEMAKER_BIND_TO_HOST", "127.0.0.1")
port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
http.server.HTTPServer((host, port), Handler).serve_forever()
"""


class Team:
    """Makes it; every model has so many rows, an object for each hour, and a label for each row."""

    def __init__(self, account: Account, *, models: int, rows: int, hours: int) -> None:
        self.account = account
        self.s3, self.sagemaker = account.client("s3"), account.client("sagemaker")
        self.s3.create_bucket(Bucket=BUCKET)
        account.calendar.set(moments.parse(BEGIN))
        image, role = self._image(), self._role()
        for place in range(models):
            self._model(Synthetic(f"model-{place:02}", TEAM, numbers=10), image, role, rows, hours, place)
        account.calendar.set(None)

    def _model(self, model: Synthetic, image: str, role: str, rows: int, hours: int, seed: int) -> None:
        name, sagemaker = model.name, self.sagemaker
        self._put({f"code/{name}/model.yaml": model.yaml.encode(), f"packages/{name}.tar.gz": model.archive()})
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
        package = sagemaker.create_model_package(
            ModelPackageGroupName=name,
            InferenceSpecification={
                "Containers": [{"Image": image, "ModelDataUrl": f"s3://{BUCKET}/packages/{name}.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            ModelApprovalStatus="Approved",
            CustomerMetadataProperties={"code": f"s3://{BUCKET}/code/{name}"},
        )["ModelPackageArn"]
        container = {"ModelPackageName": package}
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
        variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1}
        capture = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{BUCKET}/capture/{TEAM}",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        }
        sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[{**variant, "InstanceType": "ml.m5.large"}],
            DataCaptureConfig=capture,
        )
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.account.client("ssm").put_parameter(
            Name=f"/{PROJECT}/{ENVIRONMENT}/models/{TEAM}/{name}", Value=json.dumps({"endpoint": name}), Type="String"
        )
        seen = model.rows(rows, seed)
        captured = seen.captured(moments.parse(BEGIN), timedelta(hours=hours) / rows, name)
        self._put({f"capture/{TEAM}/{name}/AllTraffic/{key}": content for key, content in captured.items()})
        self._put({f"labels/{TEAM}/{name}/january.csv": seen.labels(name)})

    def _put(self, objects: dict[str, bytes]) -> None:
        with ThreadPoolExecutor(8) as threads:
            list(
                threads.map(lambda each: self.s3.put_object(Bucket=BUCKET, Key=each[0], Body=each[1]), objects.items())
            )

    def _image(self) -> str:
        """A server that only says that it is there: nobody asks these models anything."""
        manifest = json.dumps({"schemaVersion": 2, "server": _SERVER})
        digest = hashlib.sha256(manifest.encode()).hexdigest()
        folder: Path = self.account.settings.home / "images" / digest
        (folder / "root/app").mkdir(parents=True)
        (folder / "root/app/server.py").write_text(_SERVER)
        config = {"Entrypoint": ["python3", "server.py"], "Cmd": [], "Env": [], "WorkingDir": "/app"}
        (folder / "config.json").write_text(json.dumps({"config": config}))
        ecr = self.account.client("ecr")
        uri = ecr.create_repository(repositoryName="bench")["repository"]["repositoryUri"]
        ecr.put_image(repositoryName="bench", imageManifest=manifest, imageTag="1", imageDigest=f"sha256:{digest}")
        return f"{uri}:1"

    def _role(self) -> str:
        iam = self.account.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
        everything: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.put_role_policy(RoleName="bench", PolicyName="all", PolicyDocument=_policy(everything))
        return role


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
