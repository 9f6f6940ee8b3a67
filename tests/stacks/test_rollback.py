"""The way back of each environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config import load_models, load_project
from tests.stacks.test_watch import definition, text_of
from tests.synthesis import ROOT, Template, fork, only, resources, synthesize, templates_of

PROJECT = load_project(ROOT)
TEAMS = {model.name.replace("_", "-"): model.team for model in load_models(ROOT, PROJECT)}
ENVIRONMENTS = list(PROJECT.environments)


def stack(templates: dict[str, Template], environment: str) -> Template:
    return templates[f"greenlight-rollback-{environment}"]


def allowed(template: Template) -> dict[str, list[str]]:
    """What the machine's role may do, and on what."""
    (policy,) = [
        each["Properties"]["PolicyDocument"]["Statement"]
        for name, each in resources(template, "AWS::IAM::Policy").items()
        if "MachineRole" in name
    ]
    found: dict[str, list[str]] = {}
    for statement in policy:
        actions, on = statement["Action"], statement["Resource"]
        for action in actions if isinstance(actions, list) else [actions]:
            found[action] = [json.dumps(each) for each in (on if isinstance(on, list) else [on])]
    return found


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_its_role_may_update_the_serving_stacks_of_its_environment_and_read(
    templates: dict[str, Template], environment: str
) -> None:
    found = allowed(stack(templates, environment))
    assert f":stack/greenlight-serving-*-{environment}/*" in found["cloudformation:UpdateStack"][0]
    changing = {action for action in found if not action.startswith(("logs:", "kms:"))}
    assert changing == {
        "cloudformation:DescribeStacks",
        "cloudformation:UpdateStack",
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeModel",
        "sagemaker:DescribeModelPackage",
        "sagemaker:ListModelPackages",
        "sns:Publish",
        "ssm:GetParameters",
    }
    assert len(found["sns:Publish"]) == len(PROJECT.teams)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_it_knows_every_model_with_its_team_and_keeps_the_template(
    templates: dict[str, Template], environment: str
) -> None:
    machine = only(stack(templates, environment), "AWS::StepFunctions::StateMachine")["Properties"]
    assert machine["StateMachineName"] == f"greenlight-rollback-{environment}"
    states = definition(machine)["States"]
    assert states["Asked"]["Assign"]["teams"] == TEAMS
    assert set(states["Asked"]["Assign"]["topics"]) == set(PROJECT.teams)
    update = states["Update"]["Arguments"]
    assert update["UsePreviousTemplate"] is True
    assert "RoleARN" not in update
    assert not {"TemplateBody", "TemplateURL"} & set(update)


def test_every_state_that_calls_aws_tells_people_where_it_fails(templates: dict[str, Template]) -> None:
    states = definition(only(stack(templates, "production"), "AWS::StepFunctions::StateMachine")["Properties"])[
        "States"
    ]
    calls = {name: state for name, state in states.items() if state["Type"] == "Task"}
    assert len(calls) == 9
    for name, state in calls.items():
        assert any(catch["ErrorEquals"] == ["States.ALL"] for catch in state["Catch"]), name


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_rejected_package_starts_it_with_its_group_and_arn(templates: dict[str, Template], environment: str) -> None:
    template = stack(templates, environment)
    rule: dict[str, Any] = only(template, "AWS::Events::Rule")["Properties"]
    assert rule["EventPattern"]["source"] == ["aws.sagemaker"]
    assert rule["EventPattern"]["detail-type"] == ["SageMaker Model Package State Change"]
    detail = {"ModelApprovalStatus": ["Rejected"], "ModelPackageGroupName": [{"prefix": "greenlight-"}]}
    assert rule["EventPattern"]["detail"] == detail
    (target,) = rule["Targets"]
    given = text_of(target["InputTransformer"]["InputTemplate"])
    assert set(target["InputTransformer"]["InputPathsMap"].values()) == {
        "$.detail.ModelPackageGroupName",
        "$.detail.ModelPackageArn",
    }
    assert '"rejected":<' in given
    assert '"group":<' in given


@pytest.mark.slow
def test_a_registry_in_another_account_tells_the_environments(tmp_path: Path) -> None:
    text = (ROOT / "project.yaml").read_text()
    for number, place in enumerate(("tooling", "staging", "production"), start=1):
        text = text.replace(f"{place}:\n", f"{place}:\n  account: '{str(number) * 12}'\n  region: eu-west-1\n", 1)
    templates = templates_of(synthesize(tmp_path / "out", fork(tmp_path, project_yaml=text)))
    rules = resources(templates["greenlight-tooling"], "AWS::Events::Rule").values()
    buses = json.dumps([rule["Properties"]["Targets"] for rule in rules])
    for number, environment in enumerate(ENVIRONMENTS, start=2):
        assert f"{str(number) * 12}:event-bus/default" in buses
        template = stack(templates, environment)
        assert only(template, "AWS::Events::Rule")["Properties"]["EventPattern"]["account"] == ["1" * 12]
        heard = only(template, "AWS::Events::EventBusPolicy")["Properties"]["Statement"]
        assert "1" * 12 in json.dumps(heard["Principal"])
        assert "111111111111:model-package/greenlight-*" in allowed(template)["sagemaker:DescribeModelPackage"][0]
