"""What tests of builds and pipelines need: roles, buckets, projects, pipelines, and waiting."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import psutil
import yaml

from local_aws.account import Account

SECONDS = 20.0
ENVIRONMENT = {
    "type": "LINUX_CONTAINER",
    "image": "aws/codebuild/standard:7.0",
    "computeType": "BUILD_GENERAL1_SMALL",
}


def unique(name: str) -> str:
    """A name that no other test has."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def eventually(probe: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """What `probe` gives as soon as it is something; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := probe()):
        assert time.monotonic() < deadline, f"nothing within {seconds} s"
        time.sleep(0.01)
    return found


def allow(*actions: str, resource: str | list[str] = "*") -> dict[str, Any]:
    """A statement that allows actions."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


LOGS = allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
OBJECTS = allow("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:GetBucketVersioning", "s3:ListBucket")


def role(
    account: Account, service: str, *statements: dict[str, Any], principal: Mapping[str, str] | None = None
) -> str:
    """A role that a service may assume and that has these permissions; its ARN."""
    name = unique(service)
    trust = {"Effect": "Allow", "Principal": principal or {"Service": f"{service}.amazonaws.com"}}
    iam = account.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy({**trust, "Action": "sts:AssumeRole"}))
    iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=_policy(*statements or (LOGS,)))
    return arn["Role"]["Arn"]


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def bucket(account: Account, *, versioned: bool = True) -> str:
    """A bucket of its own."""
    name = unique("bucket")
    s3 = account.client("s3")
    s3.create_bucket(Bucket=name)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def queue(account: Account) -> tuple[str, str]:
    """A queue that other services may send to; its URL and ARN."""
    sqs = account.client("sqs")
    name = unique("queue")
    arn = account.arn("sqs", name)
    policy = _policy({"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn})
    return sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"], arn


def zipped(files: Mapping[str, str]) -> bytes:
    """A ZIP of text files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def unzipped(account: Account, bucket: str, key: str) -> dict[str, str]:
    """The text files of a ZIP in a bucket."""
    content = account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def buildspec(*build: str, **more: Any) -> str:
    """A buildspec that runs these commands; `more` are further members, or further `phases`."""
    phases = {"build": {"commands": list(build)}, **more.pop("phases", {})}
    return yaml.safe_dump({"version": "0.2", "phases": phases, **more})


def project(account: Account, spec: str, service_role: str, **members: Any) -> str:
    """A build project; its name."""
    name = unique("project")
    settings = {
        "source": {"type": "NO_SOURCE", "buildspec": spec},
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": ENVIRONMENT,
        **members,
    }
    account.client("codebuild").create_project(name=name, serviceRole=service_role, **settings)
    return name


def built(account: Account, name: str, **overrides: Any) -> dict[str, Any]:
    """A build of a project, run to its end."""
    codebuild = account.client("codebuild")
    started = codebuild.start_build(projectName=name, **overrides)["build"]["id"]

    def complete() -> dict[str, Any] | None:
        build = codebuild.batch_get_builds(ids=[started])["builds"][0]
        return build if build["buildComplete"] else None

    return eventually(complete)


def phase(build: dict[str, Any], name: str) -> tuple[str, str, str]:
    """Status, status code and message of a build's phase."""
    found = next(item for item in build["phases"] if item["phaseType"] == name)
    context = found["contexts"][0]
    return found["phaseStatus"], context["statusCode"], context["message"]


def log(account: Account, build: dict[str, Any]) -> list[str]:
    """What a build has printed, from CloudWatch Logs."""
    logs = build["logs"]
    events = account.client("logs").get_log_events(
        logGroupName=logs["groupName"], logStreamName=logs["streamName"], startFromHead=True
    )["events"]
    return [event["message"] for event in events]


def alive(mark: str) -> bool:
    """Whether a process runs that has `mark` in its command line."""
    for process in psutil.process_iter(["cmdline", "status"]):
        if mark in " ".join(process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE:
            return True
    return False
