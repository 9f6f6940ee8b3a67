"""A checkout with one model, its package in the registry, its endpoint in staging, and Verify as the stage runs it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression

from config.model import Model
from local_aws.account import Account
from model_server.scoring import Model as Packaged
from pipelines.packaging import golden, package
from tests.local_aws.delivery import allow, role, unique
from tests.local_aws.sagemaker.stage import DATA, LOGS, PULL, Stage
from tests.pipelines import models
from tests.pipelines.tables import model

CHECKOUT = Path(__file__).parents[3]
PROJECT = "house"
LOAD = {"requests_per_second": 20, "seconds": 5}
ONE = {"kind": "dedicated", "instance": "ml.m5.large", "instances": 1}


class Run(NamedTuple):
    """How Verify ended: its exit code, what it printed, the variables that it left, its report."""

    code: int
    said: str
    left: Mapping[str, str]
    report: dict[str, Any]
    page: str


class World:
    """A model of its own for each name; `artifacts` is the bucket of packages and reports."""

    def __init__(self, account: Account, stage: Stage, folder: Path) -> None:
        self.account, self.stage, self.folder = account, stage, folder
        self.artifacts = unique("artifacts")
        account.client("s3").create_bucket(Bucket=self.artifacts)
        self.image = self._image()
        self.serving_role = role(account, "sagemaker", PULL, LOGS, DATA)
        kinds = ("endpoint", "endpoint-config", "model", "model-package")
        any_of = [account.arn("sagemaker", f"{kind}/*") for kind in kinds]
        describe = ("Endpoint", "EndpointConfig", "Model", "ModelPackage")
        self.role = role(
            account,
            "codebuild",
            allow(*(f"sagemaker:Describe{kind}" for kind in describe), resource=any_of),
            allow("sagemaker:InvokeEndpoint", resource=any_of[0]),
            allow("s3:GetObject", resource=f"arn:aws:s3:::{self.artifacts}/*/runs/*"),
            allow("s3:PutObject", resource=f"arn:aws:s3:::{self.artifacts}/*/releases/*"),
            allow("cloudwatch:DescribeAlarms"),
        )

    def checkout(self, name: str, **changes: Any) -> Model:
        """A checkout with that model alone."""
        settings = {"load": LOAD, "hosting": ONE, "monitoring": {"alarms": {}}, **changes}
        described = model(name=name, **settings)
        content = described.model_dump(mode="json", exclude_unset=True, exclude={"name"})
        self._write(f"{name}/model_code/{name}/model.yaml", content)
        project = yaml.safe_load((CHECKOUT / "project.yaml").read_text())
        team = next(iter(project["teams"].values()))
        self._write(f"{name}/project.yaml", project | {"name": PROJECT, "teams": {described.team: team}})
        return described

    def _write(self, path: str, content: Any) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(content))

    def release(self, described: Model, *, script: str = "", forget: int | None = None) -> str:
        """Trains, registers and serves a package, with `inference.py` where given; its ARN.

        *forget* is the place of a golden request whose stored answer is made another.
        """
        content = self._packed(described, script, forget)
        uri = f"s3://{self.artifacts}/post/runs/{unique('run')}/model.tar.gz"
        self.account.client("s3").put_object(Bucket=self.artifacts, Key=uri.split("/", 3)[3], Body=content)
        arn = self._registered(described.name, uri)
        self.serve(described.name, arn)
        return arn

    def serve(self, name: str, arn: str) -> None:
        """Has the model's endpoint in staging serve a package."""
        sagemaker, endpoint, served = self.stage.sagemaker, self.endpoint(name), unique("model")
        container = {"ModelPackageName": arn}
        sagemaker.create_model(ModelName=served, PrimaryContainer=container, ExecutionRoleArn=self.serving_role)
        config = self.stage.config(self.stage.variant(served))
        existing = sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"]
        call = sagemaker.update_endpoint if existing else sagemaker.create_endpoint
        call(EndpointName=endpoint, EndpointConfigName=config)
        self.stage.settled(endpoint)

    def endpoint(self, name: str) -> str:
        return f"{PROJECT}-{name}-staging"

    def verify(self, name: str, arn: str) -> Run:
        """Runs the program as the build does, with nothing but its role's permissions."""
        variables = {
            "MODEL": name,
            "PACKAGE": arn,
            "ENVIRONMENT": "staging",
            "EXECUTION": f"execution-{name}",
            "ARTIFACTS_BUCKET": self.artifacts,
            "PYTHONPATH": str(CHECKOUT),
        }
        account = self.account.environment(self.role, service_principal="codebuild.amazonaws.com")
        ended = subprocess.run(
            [sys.executable, "-m", "pipelines.stages.verify"],
            cwd=self.folder / name,
            env={**os.environ, **account, **variables},
            text=True,
            capture_output=True,
            check=False,
        )
        file = self.folder / name / "stage.env"
        assert file.exists(), ended.stdout + ended.stderr
        left = dict(shlex.split(line)[1].split("=", 1) for line in file.read_text().splitlines())
        folder = f"post/{name}/releases/execution-{name}"
        report = json.loads(self._kept(f"{folder}/verify.json"))
        page = self._kept(f"{folder}/verify.html").decode()
        return Run(ended.returncode, ended.stdout + ended.stderr, left, report, page)

    def _kept(self, key: str) -> bytes:
        return self.account.client("s3").get_object(Bucket=self.artifacts, Key=key)["Body"].read()

    def _packed(self, described: Model, script: str, forget: int | None) -> bytes:
        rows = models.random_rows(600)
        target = np.asarray(rows["late"].to_numpy().astype(int))
        pipeline, columns = models.fitted(described, rows, models.one_hot(LogisticRegression()), target)
        folder = models.written(self.folder / unique("package"), models.chosen(described, pipeline, columns))
        stored = golden.choose(folder, columns, Packaged.read(folder).score(columns)).to_json()
        if forget is not None:
            request = stored["requests"][forget]
            request["answer"] = request["answer"].replace("0.", "0.1", 1)
        (folder / "golden.json").write_text(json.dumps(stored))
        if script:
            (folder / "code").mkdir()
            (folder / "code" / "inference.py").write_text(script)
        archive = folder.with_suffix(".tar.gz")
        package.pack(folder, archive)
        return archive.read_bytes()

    def _registered(self, name: str, uri: str) -> str:
        sagemaker, group = self.stage.sagemaker, f"{PROJECT}-{name}"
        known = sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
        if not known:
            sagemaker.create_model_package_group(ModelPackageGroupName=group)
        return sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [{"Image": self.image, "ModelDataUrl": uri}],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )["ModelPackageArn"]

    def _image(self) -> str:
        """The server of this checkout."""
        name, digest = unique("serving"), unique("image")
        ecr = self.account.client("ecr")
        uri = ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"]
        root = self.account.settings.home / "images" / digest / "root"
        root.mkdir(parents=True)
        (root / "app").symlink_to(CHECKOUT)
        config = {"Entrypoint": ["python3", "-m", "model_server"], "Cmd": [], "Env": [], "WorkingDir": "/app"}
        (root.parent / "config.json").write_text(json.dumps({"config": config}))
        manifest = json.dumps({"schemaVersion": 2, "image": name})
        ecr.put_image(repositoryName=name, imageManifest=manifest, imageTag="1", imageDigest=f"sha256:{digest}")
        return f"{uri}:1"
