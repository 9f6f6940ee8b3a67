"""Staging and Production: a release waits for its turn, deploys, and says in sentences why it does not."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.stages import scaling, serve
from pipelines.stages.running import Running
from pipelines.stages.turn import moment
from pipelines.stages.written import Written
from tests.local_aws.delivery import allow, eventually, role
from tests.local_aws.release.test_history import READS, person
from tests.local_aws.release.world import DEDICATED, SCALING, Here, World

MAY = (
    allow("sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModelPackage"),
    allow("cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents"),
    allow(
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:PutScalingPolicy",
    ),
    allow("sns:Publish"),
)


def program(world: World, **settings: Any) -> Here:
    return world.here(allow(*READS, resource=world.pipeline_arn), *MAY, **{"hosting": DEDICATED, **settings})


def asked(world: World, package: str, execution: str, environment: str = "staging") -> serve.Settings:
    return serve.Settings(world.model, package, environment, execution, world.topic)


def running(world: World, environment: str = "staging") -> Running:
    found = Running.describe(world.stage.sagemaker, world.endpoint(environment))
    assert found
    return found


def test_a_release_writes_its_stack_and_says_who_wrote_it(world: World) -> None:
    stack, package, execution = world.synthesize("staging"), world.package(), world.start()
    summary = serve.serve(program(world), asked(world, package, execution))
    (found,) = world.delivery.client.list_pipeline_executions(pipelineName=world.pipeline, maxResults=1)[
        "pipelineExecutionSummaries"
    ]
    written = Written.describe(world.account.client("cloudformation"), stack)
    assert written.release == f"{moment(found['startTime'])}/{execution}"
    assert written.parameters == {"Package": package, "Release": written.release, "Rollout": "gradual"}
    assert running(world).package(world.stage.sagemaker).arn == package  # type: ignore[union-attr]
    assert summary.startswith(f"{stack} has {world.group} version 1, written by release {execution} of ")
    again = serve.serve(program(world), asked(world, package, execution))
    assert again == summary, "a stage may be tried again"


def test_an_older_release_that_is_late_is_refused_and_the_topic_hears_which_is_newer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, package = world.synthesize("production"), world.package()
    old, new = world.start(), world.start()
    world.let(new, "Staging", "Verify", "Approve")
    serve.serve(program(world), asked(world, package, new, "production"))
    world.let(new, "Production", "Confirm")
    world.let(old, "Staging", "Verify", "Approve")
    here = program(world)
    monkeypatch.setattr(serve, "Surroundings", lambda: here)
    settings = asked(world, world.package(), old, "production")
    for name in ("model", "package", "environment", "execution", "topic"):
        monkeypatch.setenv(name.upper(), getattr(settings, name))
    with pytest.raises(SystemExit, match=rf"This is release {old} of .*, and the stack was written by release {new}"):
        serve.main()
    said = world.told()
    assert said["Subject"] == "The release of parcels stops before production has it"
    assert f"the stack was written by release {new} of " in said["Message"]
    assert f"/executions/{old}/timeline" in said["Message"]
    assert Written.describe(world.account.client("cloudformation"), stack).parameters["Package"] == package  # type: ignore[index]


def test_two_at_once_go_one_after_the_other_and_none_is_lost(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.synthesize("staging")
    older, newer = world.start(), world.start()
    packages = {execution: world.package() for execution in (older, newer)}
    ends: dict[str, str] = {}

    def go(execution: str) -> None:
        ends[execution] = serve.serve(program(world), asked(world, packages[execution], execution))
        world.let(execution, "Staging", "Verify")

    threads = [threading.Thread(target=go, args=[execution], daemon=True) for execution in (newer, older)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert list(ends) == [older, newer]
    assert running(world).package(world.stage.sagemaker).arn == packages[newer]  # type: ignore[union-attr]
    assert f"Waits: Release {older} of " in capsys.readouterr().out


def test_a_busy_stack_is_waited_for(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    stack, package, execution = world.synthesize("staging"), world.package(ping_seconds=2), world.start()
    settings = asked(world, package, execution)
    first = threading.Thread(target=lambda: serve.serve(program(world), settings), daemon=True)
    first.start()
    stacks = world.account.client("cloudformation")
    eventually(lambda: Written.describe(stacks, stack).is_busy)
    serve.serve(program(world), settings)
    first.join(60)
    assert f"Waits: {stack} is CREATE_IN_PROGRESS." in capsys.readouterr().out


def test_a_package_that_was_rejected_meanwhile_is_refused(world: World) -> None:
    world.synthesize("staging")
    package, execution = world.package(), world.start()
    world.stage.sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Rejected")
    with pytest.raises(serve.Stopped, match="version 1 is Rejected in the registry, not Approved"):
        serve.serve(program(world), asked(world, package, execution))


def test_four_eyes_are_asked_for_where_the_model_says_so(world: World) -> None:
    world.synthesize("production")
    may = role(world.account, "lambda", allow("codepipeline:*"))
    ada = person(world, "ada", may)
    package, execution = world.package(), world.start(client=ada)
    world.let(execution, "Staging", "Verify", "Approve", client=ada)
    world.delivery.waiting(world.pipeline, "Production", execution)
    settings = asked(world, package, execution, "production")
    with pytest.raises(serve.Stopped, match="the same person, ada"):
        serve.serve(program(world, approval={"kind": "person", "four_eyes": True}), settings)
    assert serve.serve(program(world), settings)


def test_a_deployment_that_fails_says_what_failed_first(world: World) -> None:
    stack, execution = world.synthesize("staging"), world.start()
    package = world.package(ends=True)
    with pytest.raises(serve.Stopped) as stopped:
        serve.serve(program(world), asked(world, package, execution))
    said = str(stopped.value)
    assert said.startswith(f"The deployment of {stack} that began at ")
    assert "The first failure was Endpoint (AWS::SageMaker::Endpoint): " in said
    assert said.endswith("CloudFormation takes staging back to what it was; correct the cause and release again.")


def scaled(world: World) -> dict[str, Any]:
    client = world.account.client("application-autoscaling")
    resource = f"endpoint/{world.endpoint('production')}/variant/AllTraffic"
    (found,) = scaling.registered(client, [resource])
    return {"target": found.target, "policies": found.policies}


def released(world: World, instance: str = "ml.m5.large", invocations: int = 100) -> str:
    """Deploys a package to production under scaling, with *instance*; its stack."""
    stack, execution = world.synthesize("production", instance=instance, invocations=invocations), world.start()
    world.let(execution, "Staging", "Verify", "Approve")
    world.delivery.waiting(world.pipeline, "Production", execution)
    hosting = {**DEDICATED, "instance": instance, "scaling": SCALING}
    settings = asked(world, world.package(), execution, "production")
    serve.serve(program(world, hosting=hosting), settings)
    world.let(execution, "Production", "Confirm")
    return stack


def test_an_instance_type_changes_under_scaling_and_scaling_comes_back(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    released(world)
    before = scaled(world)
    released(world)
    assert "does not scale" not in capfd.readouterr().out, "the instance type is as it was"
    released(world, "ml.c5.large")
    said = capfd.readouterr().out
    assert "does not scale while its instance type changes" in said
    assert "scales again, as before" in said
    assert running(world, "production").instances == {"AllTraffic": "ml.c5.large"}
    assert scaled(world) == before


def test_another_instance_type_may_come_with_another_scaling_policy(world: World) -> None:
    released(world)
    stack = released(world, "ml.c5.large", invocations=250)
    (policy,) = scaled(world)["policies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 250
    assert Written.describe(world.account.client("cloudformation"), stack).status == "UPDATE_COMPLETE"


def test_scaling_comes_back_where_the_deployment_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    released(world)
    before = scaled(world)
    during: list[Any] = []

    def fails(*_: Any, **__: Any) -> int:
        client = world.account.client("application-autoscaling")
        during.extend(scaling.registered(client, [before["target"]["ResourceId"]]))
        return 1

    monkeypatch.setattr(serve, "deploy", fails)
    with pytest.raises(serve.Stopped, match="Neither CloudFormation nor SageMaker says why"):
        released(world, "ml.c5.large")
    assert during == []
    assert scaled(world) == before


def test_scaling_that_somebody_has_changed_meanwhile_stays(world: World) -> None:
    released(world)
    client = world.account.client("application-autoscaling")
    endpoint, hosting = world.endpoint("production"), program(world).model(world.model).hosting
    assert not scaling.changes(running(world, "production"), hosting)
    other = hosting.model_copy(update={"instance": "ml.c5.large"})
    target = scaled(world)["target"]
    with scaling.paused(client, world.stage.sagemaker, endpoint, other):
        client.register_scalable_target(**{**target, "MaxCapacity": 9})
    assert scaled(world)["target"]["MaxCapacity"] == 9


@pytest.mark.parametrize("missing", ["cloudformation:DescribeStacks", "sagemaker:DescribeModelPackage"])
def test_its_permissions_are_needed(world: World, missing: str) -> None:
    world.synthesize("staging")
    package, execution = world.package(), world.start()
    less = [
        {**statement, "Action": [action for action in statement["Action"] if action != missing]} for statement in MAY
    ]
    here = world.here(allow(*READS), *less, hosting=DEDICATED)
    with pytest.raises(ClientError, match=missing):
        serve.serve(here, asked(world, package, execution))
