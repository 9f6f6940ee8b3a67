"""Plan and the wave of the project's own delivery stack, under their own roles, where every release fails."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from config import load_models, load_project
from config.naming import Names
from local_aws.account import Account
from pipelines.stages import plan
from pipelines.stages.surroundings import Surroundings
from tests.local_aws.cloudformation.stacks import Stacks
from tests.local_aws.delivery import bucket, eventually, queue
from tests.local_aws.test_watch_stack import deploy
from tests.synthesis import ROOT

pytestmark = pytest.mark.slow
PROJECT = load_project(ROOT)
NAME = f"{PROJECT.name}-delivery"


def delivery(account: Account, assembly: Path) -> dict[str, str]:
    """Deploys the stacks that delivery needs, and delivery itself; what its resources are called."""
    stacks, cloudformation = Stacks(account), account.client("cloudformation")
    for kind in ("platform", "release"):  # other tests make pipelines of these names by hand
        account.client("codepipeline").delete_pipeline(name=Names(PROJECT.name).delivery_pipeline(kind))
    version = {"Name": "/cdk-bootstrap/hnb659fds/version", "Value": "30", "Type": "String"}
    account.client("ssm").put_parameter(**version, Overwrite=True)
    for part in ("tooling", "production", "staging", "watch-production"):
        deploy(stacks, assembly, part)
    place = bucket(account)  # the template is too long for a request
    account.client("s3").upload_file(str(assembly / f"{NAME}.template.json"), place, "template.json")
    url = f"{account.url}/{place}/template.json"
    cloudformation.create_stack(StackName=NAME, TemplateURL=url, Capabilities=["CAPABILITY_NAMED_IAM"])
    assert stacks.settled(NAME) == "CREATE_COMPLETE"
    found = cloudformation.get_paginator("list_stack_resources").paginate(StackName=NAME)
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in found
        for each in page["StackResourceSummaries"]
    }


def one(resources: dict[str, str], start: str) -> str:
    (found,) = [name for logical, name in resources.items() if logical.startswith(start)]
    return found


def test_plan_starts_the_wave_and_people_hear_how_it_stops_without_a_call_that_is_denied(
    account: Account, assembly: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = delivery(account, assembly)
    url, arn = queue(account)
    account.client("sns").subscribe(TopicArn=one(resources, "ReleasesE"), Protocol="sqs", Endpoint=arn)
    role = account.client("iam").get_role(RoleName=one(resources, "PlatformPlanProjectRole8"))["Role"]["Arn"]
    built = account.arn("codebuild", f"project/{PROJECT.name}-plan")
    left: dict[str, str] = {}
    began = time.time()

    class Here(Surroundings):
        def client(self, service: str) -> Any:
            return account.client(service, role, service_principal="codebuild.amazonaws.com", source_arn=built)

        def leave(self, **variables: str) -> None:
            left.update(variables)

    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    gone = f"{PROJECT.name}-training-long-gone"
    account.client("cloudformation").create_stack(StackName=gone, TemplateBody=json.dumps(topic))
    (project,) = account.client("codebuild").batch_get_projects(names=[f"{PROJECT.name}-plan"])["projects"]
    given = {each["name"]: each["value"] for each in project["environment"]["environmentVariables"]}
    for name, value in {**given, "REVISION": "no-such-version", "EXECUTION": "one"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(plan, "Surroundings", lambda: Here(ROOT))
    plan.main()
    models = [model.name for model in load_models(ROOT, PROJECT)]
    assert left["SUMMARY"].startswith(f"{len(models)} of {len(models)} models to release: {', '.join(models)}.")
    assert left["SUMMARY"].endswith("To delete: make teardown MODEL=long-gone.")
    states = account.client("stepfunctions")
    (execution,) = states.list_executions(stateMachineArn=given["WAVE"])["executions"]

    def ended() -> dict[str, Any] | None:
        found = states.describe_execution(executionArn=execution["executionArn"])
        return found if found["status"] != "RUNNING" else None

    end = eventually(ended, 60)
    assert end["error"] == "WaveStopped", end
    heard: list[str] = []

    def all_told() -> bool:
        """How the wave has ended, whose stacks are left over, and the stage that has failed."""
        got = account.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ())
        heard.extend(json.loads(each["Body"])["Message"] for each in got)
        stage = f"The stage Source of {PROJECT.name}-release has failed"
        return all(any(said in text for text in heard) for said in (end["cause"], gone, stage))

    eventually(all_told)
    account.journal.flush()
    assert [each for each in account.journal.denials if each.time >= began] == []
