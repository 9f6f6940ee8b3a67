"""A model in production whose packages are where a training leaves them; a person who restores; what was lost."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from config import Model
from local_aws.account import Account
from model_server.golden import Golden, GoldenRequest
from pipelines.packaging.archive import extract
from tests.local_aws.delivery import allow, eventually, role
from tests.local_aws.rollback.world import NAMES, PROJECT
from tests.local_aws.rollback.world import World as Served
from tests.local_aws.test_watch_stack import physical
from tests.synthesis import ROOT

GOLDEN = Golden(1e-6, (GoldenRequest("text/csv", "text/csv", "1\n2\n", "2.0\n4.0"),))


class World(Served):
    """Of one model, and nothing of it registered before."""

    def __init__(self, account: Account, assembly: Path, model: Model) -> None:
        super().__init__(account, assembly, model)
        self.folder = f"{model.team}/{model.name}/"
        self.records = NAMES.package_records(model.name)
        self.s3 = account.client("s3")
        self.data = physical(self.stacks, assembly, "tooling", "AWS::S3::Bucket", "Data")
        self.kept = [
            physical(self.stacks, assembly, environment, "AWS::S3::Bucket", "Records")
            for environment in PROJECT.environments
        ]

    def trained(self, name: str, status: str = "Approved", **metadata: str) -> str:
        """A package with its objects below the model's folder, and with its record; its ARN."""
        run = f"{self.folder}runs/{name}"
        self.put(f"{run}/package/model.tar.gz", _archive(name))
        self.put(f"{run}/evaluation/evaluation.json", json.dumps({"promotion": {"metric": "auc", "value": 0.9}}))
        bucket = f"s3://{self.artifacts}"
        measured = {"ContentType": "application/json", "S3Uri": f"{bucket}/{run}/evaluation/evaluation.json"}
        container = {"Image": self.image, "ModelDataUrl": f"{bucket}/{run}/package/model.tar.gz"}
        kinds = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
        arn = self.sagemaker.create_model_package(
            ModelPackageGroupName=self.group,
            ModelPackageDescription=f"It is {name}.",
            InferenceSpecification={"Containers": [container], **kinds},
            ModelApprovalStatus=status,
            ModelMetrics={"ModelQuality": {"Statistics": measured}},
            CustomerMetadataProperties={"commit": name * 8, **metadata},
        )["ModelPackageArn"]
        self.recorded(arn, status)
        return arn

    def recorded(self, package: str, status: str) -> dict[str, Any]:
        """The record of a package, as soon as it says so."""

        def found() -> dict[str, Any] | None:
            for key in self.keys(self.records):
                record = json.loads(self.s3.get_object(Bucket=self.artifacts, Key=key)["Body"].read())
                if (record["ModelPackageArn"], record["ModelApprovalStatus"]) == (package, status):
                    return record
            return None

        return eventually(found)

    def put(self, key: str, content: str | bytes, bucket: str = "") -> None:
        self.s3.put_object(Bucket=bucket or self.artifacts, Key=key, Body=content, ContentType="application/x-test")

    def keys(self, prefix: str) -> list[str]:
        """The objects of the artifacts bucket that are there."""
        found = self.s3.list_objects_v2(Bucket=self.artifacts, Prefix=prefix).get("Contents", [])
        return [item["Key"] for item in found]

    def versions(self) -> set[str]:
        """Every version and delete marker of the model in the artifacts bucket."""
        found = [self.s3.list_object_versions(Bucket=self.artifacts, Prefix=p) for p in (self.folder, self.records)]
        return {
            each["VersionId"] for page in found for kind in ("Versions", "DeleteMarkers") for each in page.get(kind, [])
        }

    def packages(self) -> list[dict[str, Any]]:
        """What the registry has, in the order of its versions."""
        found = self.sagemaker.list_model_packages(
            ModelPackageGroupName=self.group, SortBy="CreationTime", SortOrder="Ascending", MaxResults=100
        )["ModelPackageSummaryList"]
        return [self.sagemaker.describe_model_package(ModelPackageName=each["ModelPackageArn"]) for each in found]

    def content(self, key: str, bucket: str = "") -> bytes:
        return self.s3.get_object(Bucket=bucket or self.artifacts, Key=key)["Body"].read()

    def lose(self) -> None:
        """Deletes every object of the model, its packages and their group."""
        for key in [*self.keys(self.folder), *self.keys(self.records)]:
            self.s3.delete_object(Bucket=self.artifacts, Key=key)
        for each in self.packages():
            self.sagemaker.delete_model_package(ModelPackageName=each["ModelPackageArn"])
        self.sagemaker.delete_model_package_group(ModelPackageGroupName=self.group)
        assert self.keys(self.folder) == self.keys(self.records) == []

    def answers(self, package: str) -> list[str | None]:
        """How the endpoint's answers differ from the golden ones, which are in the package's model.tar.gz."""
        found = self.sagemaker.describe_model_package(ModelPackageName=package)
        content = self.stage.get(found["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])
        with tarfile.open(fileobj=io.BytesIO(content)) as tar, tempfile.TemporaryDirectory() as folder:
            extract(tar, Path(folder))
            golden = Golden.read(Path(folder))
        assert golden
        return [golden.difference(request, self._ask(request)) for request in golden.requests]

    def _ask(self, request: GoldenRequest) -> bytes:
        asked = {"Body": request.body, "ContentType": request.content_type, "Accept": request.accept}
        return self.stage.runtime.invoke_endpoint(EndpointName=self.endpoint, **asked)["Body"].read()

    def forget(self) -> None:
        """Deletes the packages, and for good what could bring them back."""
        for each in self.packages():
            self.sagemaker.delete_model_package(ModelPackageName=each["ModelPackageArn"])
        for prefix in (self.folder, self.records):
            page = self.s3.list_object_versions(Bucket=self.artifacts, Prefix=prefix)
            for each in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
                self.s3.delete_object(Bucket=self.artifacts, Key=each["Key"], VersionId=each["VersionId"])

    def leave(self) -> None:
        """Takes away what other tests of this account would find."""
        if self.stacks.status(self.stack):
            self.stacks.delete(self.stack)
        self.forget()


class Person:
    """Restores as somebody who may do what docs/backup.md says, and perhaps not all of that."""

    def __init__(self, account: Account, world: World, *, without: str = "") -> None:
        may = [each for each in _operator(account, world) if without not in each["Action"]]
        arn = role(account, "operators", *may, principal={"Service": "operators.amazonaws.com"})
        given = account.environment(arn, service_principal="operators.amazonaws.com", session="ada")
        self._environment, self._model = os.environ | given, world.model.name

    def restore(self, *, model: str = "", at: str = "", confirm: str = "") -> subprocess.CompletedProcess[str]:
        given = [model or self._model, "--at", at, "--confirm", confirm]
        command = [sys.executable, "-m", "pipelines.by_hand.restore", *given]
        return subprocess.run(command, env=self._environment, cwd=ROOT, capture_output=True, text=True, check=False)


def _operator(account: Account, world: World) -> list[dict[str, Any]]:
    team, buckets = world.model.team, (world.artifacts, world.data, *world.kept)
    folders = [f"arn:aws:s3:::{world.artifacts}/{world.records}*"]
    folders += [f"arn:aws:s3:::{bucket}/{prefix}{team}/*" for bucket in buckets for prefix in ("", "*/")]
    packages = [account.arn("sagemaker", f"{kind}/{world.group}{rest}") for kind, rest in _REGISTRY.items()]
    stacks = [account.arn("cloudformation", f"stack/{PROJECT.name}-{part}/*") for part in ("tooling", "*")]
    return [
        allow("cloudformation:DescribeStacks", resource=stacks),
        allow(
            "s3:ListBucketVersions",
            "s3:GetLifecycleConfiguration",
            "s3:ListBucket",
            resource=[f"arn:aws:s3:::{bucket}" for bucket in buckets],
        ),
        allow("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", resource=folders),
        allow("kms:Decrypt", "kms:GenerateDataKey", resource=account.arn("kms", "key/*")),
        allow("sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage", resource=packages),
        allow("sagemaker:CreateModelPackageGroup", resource=packages),
        allow("sagemaker:CreateModelPackage", resource=packages),
        allow("sagemaker:UpdateModelPackage", resource=packages),
    ]


_REGISTRY = {"model-package-group": "", "model-package": "/*"}


def _archive(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for file, content in {"model.json": {"name": name}, "golden.json": GOLDEN.to_json()}.items():
            data = json.dumps(content).encode()
            entry = tarfile.TarInfo(file)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
