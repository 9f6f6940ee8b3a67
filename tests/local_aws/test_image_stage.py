"""The Image stage on the local AWS: builds, pushes, keeps bills of materials, and refuses what scans have found."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.naming import Names
from local_aws.account import Account
from local_aws.docker.launcher import docker_environment, write_launcher
from local_aws.scans import Found
from pipelines.stages import scanning
from pipelines.stages.image import CONTENT
from tests.local_aws.delivery import allow, bucket, role, unique

PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImageScanFindings",
    "ecr:DescribeImages",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
REASON = "the package is there, and nothing calls it"


@dataclass
class Checkout:
    """A copy of what the images are made of, committed, and an account to build them in."""

    account: Account
    root: Path
    bucket: str
    repository: str
    name: str
    role: str

    def run(self, **vulnerabilities: Any) -> subprocess.CompletedProcess[str]:
        """The stage, as a build runs it; *vulnerabilities* are those of project.yaml."""
        project = {"name": self.name, "source": {"kind": "s3"}, "teams": {"team": {"owners": ["a@example.com"]}}}
        (self.root / "project.yaml").write_text(yaml.safe_dump(project | {"vulnerabilities": vulnerabilities}))
        here = docker_environment(self.root / ".docker", self.account.settings.home / "images")
        environment = (
            os.environ
            | here
            | self.account.environment(self.role, service_principal="codebuild.amazonaws.com")
            | {"REPOSITORY": self.repository, "ARTIFACTS_BUCKET": self.bucket}
            | {"PATH": os.pathsep.join((str(self.root / ".bin"), os.environ["PATH"]))}
            | {"PYTHONPATH": str(self.account.settings.checkout)}
        )
        command = [sys.executable, "-m", "pipelines.stages.image"]
        return subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)

    def noted(self, target: str) -> str:
        name = Names(self.name).image_parameter(target)
        found = self.account.client("ssm").get_parameters(Names=[name])["Parameters"]
        return found[0]["Value"] if found else ""

    def digest(self, target: str) -> str:
        images = self.account.client("ecr").describe_images(repositoryName=self.repository.partition("/")[2])
        return next(
            image["imageDigest"]
            for image in images["imageDetails"]
            if any(
                tag.startswith(f"{target}-") and tag.count("-") == target.count("-") + 1 for tag in image["imageTags"]
            )
        )

    def find(self, target: str, *found: Found, **status: str) -> None:
        """Let the scan of an image have found something."""
        self.account.scans.put(self.repository.partition("/")[2], self.digest(target), found, **status)

    def summary(self) -> str:
        return (self.root / "stage.env").read_text()


def signing_key(account: Account, project: str, name: str) -> str:
    """A key that signs packages, under its alias; its ARN."""
    kms = account.client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=Names(project).signing_key(name), TargetKeyId=key)
    return key


@pytest.fixture(scope="module")
def checkout(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    root = tmp_path_factory.mktemp("checkout")
    here = account.settings.checkout
    for part in sorted({part for parts in CONTENT.values() for part in parts}):
        if (here / part).is_dir():
            shutil.copytree(here / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(here / part, root / part)
    shutil.copy(here / ".dockerignore", root)
    (root / "model_code").mkdir()
    write_launcher(root / ".bin", here)
    for words in (
        ["init", "--quiet"],
        ["add", "model_server", "config", "monitoring", "pipelines", "pyproject.toml", "uv.lock"],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "First"],
    ):
        subprocess.run(["git", *words], cwd=root, check=True)
    name = unique("shop")
    made = account.client("ecr").create_repository(repositoryName=name)["repository"]
    artifacts = bucket(account)
    service_role = role(
        account,
        "codebuild",
        allow("ecr:GetAuthorizationToken"),
        allow(*PUSH, resource=made["repositoryArn"]),
        allow("s3:PutObject", resource=f"arn:aws:s3:::{artifacts}/sbom/*"),
        allow("ssm:PutParameter", resource=account.arn("ssm", f"parameter/{name}/images/*")),
        allow("kms:GetPublicKey", resource=signing_key(account, name, "first")),
    )
    checkout = Checkout(account, root, artifacts, made["repositoryUri"], name, service_role)
    first = checkout.run()
    assert first.returncode == 0, first.stderr
    return checkout


def test_an_image_that_no_scan_has_looked_at_passes_and_says_so(checkout: Checkout) -> None:
    done = checkout.run()
    assert done.returncode == 0, done.stderr
    assert "NOT SCANNED for vulnerabilities: serving (UNSUPPORTED_IMAGE: Not rehearsed" in checkout.summary()
    assert "WARNING: no scan has looked at job" in done.stdout
    assert checkout.noted("job") == f"{checkout.repository}@{checkout.digest('job')}"


def test_each_image_has_a_bill_of_materials_of_which_the_summary_has_the_hash(checkout: Checkout) -> None:
    s3 = checkout.account.client("s3")
    assert checkout.run().returncode == 0
    listed = s3.list_object_versions(Bucket=checkout.bucket)["Versions"]
    assert sorted(each["Key"].rpartition("-")[0] for each in listed) == ["sbom/job", "sbom/serving"]  # once each
    for key in (each["Key"] for each in listed):
        body = s3.get_object(Bucket=checkout.bucket, Key=key)["Body"].read()
        bill = json.loads(body)
        target = key.removeprefix("sbom/").rpartition("-")[0]
        assert f"{key} (SHA-256 {hashlib.sha256(body).hexdigest()})" in checkout.summary()
        assert bill["metadata"]["component"]["hashes"] == [
            {"alg": "SHA-256", "content": checkout.digest(target).removeprefix("sha256:")}
        ]
        assert ("uvicorn" in {each["name"] for each in bill["components"]}) == (target == "serving")


def test_a_finding_at_the_limit_fails_the_stage_and_nothing_is_noted(checkout: Checkout) -> None:
    before = checkout.noted("serving")
    checkout.account.client("ssm").delete_parameter(Name=Names(checkout.name).image_parameter("serving"))
    checkout.find("serving", Found("CVE-2026-0001", "CRITICAL", "openssl", "3.5"), Found("CVE-2026-0002", "HIGH"))
    done = checkout.run()
    assert done.returncode == 1
    assert "serving has CVE-2026-0001 (critical, openssl 3.5). Nothing will use these images" in done.stderr
    assert "CVE-2026-0002" not in done.stderr
    assert "Traceback" not in done.stderr
    assert before
    assert not checkout.noted("serving")
    stricter = checkout.run(limit="high")
    assert "CVE-2026-0001 (critical, openssl 3.5), CVE-2026-0002 (high, openssl 3.0)" in stricter.stderr


def test_an_ignored_finding_counts_again_the_day_after(checkout: Checkout) -> None:
    checkout.find("serving", Found("CVE-2026-0001", "CRITICAL"))
    checkout.find("job")
    today = datetime.now(UTC).date()
    for until, code in ((None, 0), (today + timedelta(days=1), 0), (today - timedelta(days=1), 1)):
        done = checkout.run(ignore=[{"id": "CVE-2026-0001", "reason": REASON} | ({"until": until} if until else {})])
        assert done.returncode == code, done.stderr
    assert "CVE-2026-0001 (critical" in done.stderr
    assert "Scanned: 1 known vulnerabilities, none that counts as critical or worse." in checkout.summary()


def test_a_scan_that_has_failed_stops_the_stage_unless_it_knows_no_such_image(checkout: Checkout) -> None:
    checkout.find("job")
    checkout.find("serving", status="FAILED", description="The scan service has a fault.")
    done = checkout.run()
    assert done.returncode == 1
    assert "has failed: The scan service has a fault." in done.stderr
    unknown = "UnsupportedImageError: The operating system and/or package manager are not supported."
    checkout.find("serving", status="FAILED", description=unknown)
    assert checkout.run().returncode == 0
    assert f"NOT SCANNED for vulnerabilities: serving (FAILED: {unknown})" in checkout.summary()


def test_the_stage_waits_for_a_scan_that_goes_on(checkout: Checkout) -> None:
    checkout.find("job")
    checkout.find("serving", status="IN_PROGRESS")
    later = threading.Timer(1, checkout.find, ["serving", Found("CVE-2026-0009", "CRITICAL")])
    later.start()
    done = checkout.run()
    later.join()
    assert "serving has CVE-2026-0009" in done.stderr


def test_a_repository_that_nothing_scans_is_not_waited_for_long(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "APPEARS_WITHIN", 0.2)
    monkeypatch.setattr(scanning, "PAUSE", 0.1)
    checkout.find("serving", status="")
    ecr = checkout.account.client("ecr", checkout.role, service_principal="codebuild.amazonaws.com")
    found = scanning.wait_for_scan(ecr, checkout.repository.partition("/")[2], checkout.digest("serving"))
    checkout.find("serving")  # or else the next test would wait for the scan
    assert (found.end, found.why) == ("none", "Amazon ECR has no scan of it; does the repository scan on push?")


def test_another_key_makes_another_image(checkout: Checkout) -> None:
    """The key is part of the content that names an image; each image holds the one that it was built with."""
    assert checkout.run().returncode == 0
    before, kms = checkout.noted("serving"), checkout.account.client("kms")
    held = [*(checkout.account.settings.home / "images").glob("*/root/opt/greenlight/trusted_keys/first.pem")]
    known = {file.read_text() for file in held}
    alias = Names(checkout.name).signing_key("first")
    old = kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
    other = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    kms.update_alias(AliasName=alias, TargetKeyId=other)
    denied = checkout.run()
    assert denied.returncode != 0
    assert "kms:GetPublicKey" in denied.stderr
    kms.update_alias(AliasName=alias, TargetKeyId=old)
    assert checkout.run().returncode == 0
    assert checkout.noted("serving") == before
    name = checkout.role.rpartition("/")[2]
    statement = allow("kms:GetPublicKey", resource=other)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    checkout.account.client("iam").put_role_policy(RoleName=name, PolicyName="other", PolicyDocument=policy)
    kms.update_alias(AliasName=alias, TargetKeyId=other)
    assert checkout.run().returncode == 0
    assert checkout.noted("serving") != before
    held = [*(checkout.account.settings.home / "images").glob("*/root/opt/greenlight/trusted_keys/first.pem")]
    assert {file.read_text() for file in held} > known
