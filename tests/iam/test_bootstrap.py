"""What CloudFormation can make with bootstrap/policies.yaml, and what bounds the roles that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.iam import bootstrap, handlers
from tests.iam.account import Account
from tests.iam.actions import Reference
from tests.iam.evaluator import Principal, names_action, statements
from tests.iam.question import Question
from tests.iam.resolving import ACCOUNT, REGION, Stack
from tests.iam.test_questions import POSITIVE, sentence

BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/greenlight-boundary"
REFERENCE = Reference.stored()

NOT_OURS = ("autoscaling", "cloudformation", "firehose", "lambda", "s3tables", "vpc-lattice", "vpce")
"""Services that handlers call for properties that no template has."""

NOT_CALLED = {
    "iam:DeleteGroupPolicy": "no policy is a group's",
    "iam:DeleteUserPolicy": "no policy is a user's",
    "iam:GetGroupPolicy": "no policy is a group's",
    "iam:GetUserPolicy": "no policy is a user's",
    "iam:PutGroupPolicy": "no policy is a group's",
    "iam:PutUserPolicy": "no policy is a user's",
    "iam:DeleteRolePermissionsBoundary": "no role is to lose its boundary",
    "codepipeline:DisableStageTransition": "no template disables a stage",
    "codepipeline:EnableStageTransition": "no template disables a stage",
}
"""What handlers may call, and never do for what is in the templates."""

NOT_WITH_A_ROLE = {("AWS::EC2::FlowLog", "iam:CreateServiceLinkedRole")}
"""Our flow logs are written under a role of the project."""

SPELLED = {"applicationautoscaling": "application-autoscaling"}
"""Services that a type calls otherwise than an ARN."""

OF_SERVICES = {
    "application-autoscaling": "sagemaker.application-autoscaling.amazonaws.com",
    "events": "apidestinations.events.amazonaws.com",
}
"""The service-linked roles that a service makes, by the service of the resource."""

BESIDE = {
    "cloudwatch": "alarm:TargetTracking-1",
    "codestar-connections": "connection/any",
    "ec2": "vpc/vpc-1",
    "events": "api-destination/any",
    "kms": "key/any",
    "logs": "log-group:/aws/vendedlogs/greenlight-any",
    "secretsmanager": "secret:events!connection/any-1",
}
"""What else a handler touches beside its resource, by service."""

NAMED_BY_SAGEMAKER = ("AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig")
"""CloudFormation gives them names of their own, without the stack's."""

NAMED_BY_US = {
    "AWS::SageMaker::Endpoint": ("sagemaker", "endpoint/{}", "EndpointName"),
    "AWS::Scheduler::Schedule": ("scheduler", "schedule/default/{}", "Name"),
}


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Account:
    """The roles have the boundary's document too, which is no resource of their stacks."""
    made = bootstrap.bounded(tmp_path_factory.mktemp("bounded"))
    limit = bootstrap.policies()["Boundary"]
    for role in made.roles.values():
        assert BOUNDARY in role.managed
        role.boundary = limit
    return made


def test_every_role_of_every_stack_has_the_boundary(bounded: Account) -> None:
    roles = [properties for _, _, properties in bounded.resources("AWS::IAM::Role")]
    assert len(roles) > 40
    assert {role.get("PermissionsBoundary") for role in roles} == {BOUNDARY}
    assert not list(bounded.resources("AWS::IAM::User"))


def test_without_the_setting_no_role_has_one(account: Account) -> None:
    assert not any("PermissionsBoundary" in properties for _, _, properties in account.resources("AWS::IAM::Role"))


def test_policies_are_short_enough_for_iam() -> None:
    for name, document in bootstrap.policies().items():
        assert len(bootstrap.compact(document)) <= bootstrap.LONGEST, name


@pytest.mark.parametrize("question", POSITIVE, ids=sentence)
def test_what_must_work_does_within_the_boundary(question: Question, bounded: Account) -> None:
    assert [what for what, decision in question.decided(bounded) if not decision] == []


def test_the_boundary_allows_every_action_that_a_role_has(bounded: Account) -> None:
    """Whatever the resource: a boundary that forgets an action would let nobody find out before it is needed."""
    limit = statements(bootstrap.policies()["Boundary"])
    allowed = [each for each in limit if each["Effect"] == "Allow"]
    denied = [each for each in limit if each["Effect"] == "Deny" and "Condition" not in each]
    for role in bounded.roles.values():
        for document in role.policies.values():
            for text in (text for each in statements(document) for text in _listed(each["Action"])):
                for action in REFERENCE.named_by(text):
                    assert any(names_action(each, action.name) for each in allowed), (role.path, action.name)
                    if "*" not in text:
                        assert not any(names_action(each, action.name) for each in denied), (role.path, action.name)


@pytest.mark.parametrize("action", ["iam:CreateRole", "iam:PutRolePolicy", "kms:PutKeyPolicy", "s3:PutBucketPolicy"])
def test_a_role_that_is_given_everything_stays_within_the_boundary(bounded: Account, action: str) -> None:
    everything = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    for role in bounded.roles.values():
        given = Principal(role.arn, (everything,), role.boundary)
        for resource in (f"arn:aws:iam::{ACCOUNT}:role/greenlight-new", bounded.arn("greenlight-tooling/Key")):
            assert not bounded.may(given, action, resource, {"iam:PermissionsBoundary": BOUNDARY}), role.path


def test_cloudformation_can_make_change_and_delete_all_that_the_templates_hold(bounded: Account) -> None:
    refused = {
        f"{kind}: {action} on {resource}"
        for kind, action, resource, context in calls(bounded)
        if not bounded.may(bootstrap.cloudformation(), action, resource, context)
    }
    assert not refused


def test_the_handlers_of_every_type_are_known(bounded: Account) -> None:
    kinds = {each["Type"] for stack in bounded.stacks.values() for each in stack.template["Resources"].values()}
    assert kinds == handlers.stored().keys(), "make it anew: see tests/iam/handlers.py"


def test_roles_are_handed_to_the_services_that_they_trust(bounded: Account) -> None:
    for role in bounded.roles.values():
        (service,) = {each["Principal"]["Service"] for each in statements(role.trust)}
        handed = {"iam:PassedToService": service}
        assert bounded.may(bootstrap.cloudformation(), "iam:PassRole", role.arn, handed), role.path


def calls(account: Account) -> Iterator[tuple[str, str, str, Mapping[str, str]]]:
    """Type, action, resource and context of what the handlers call for each resource of the templates."""
    table = handlers.stored()
    for kind, actions in table.items():
        for path, stack, properties in account.resources(kind):
            own = _arn(account, kind, path, stack, properties)
            for action in actions:
                if _called(kind, action, own):
                    yield kind, action, *_target(action, own)


def _called(kind: str, action: str, own: str) -> bool:
    """Whether a handler comes to that call, for what the templates say of the resource."""
    service = action.partition(":")[0]
    if service == "s3" != own.split(":")[2]:
        return False  # a definition or a log that is in S3, and no template has one
    never = action in NOT_CALLED or action in handlers.NO_ACTION or service in NOT_OURS
    return not never and (kind, action) not in NOT_WITH_A_ROLE


def _target(action: str, own: str) -> tuple[str, Mapping[str, str]]:
    service = action.partition(":")[0]
    if action == "iam:PassRole":  # another test asks about each role
        return _in("iam", "role/greenlight-new"), {"iam:PassedToService": "states.amazonaws.com"}
    if action == "iam:CreateServiceLinkedRole":
        return _in("iam", f"role/aws-service-role/{OF_SERVICES[own.split(':')[2]]}/AWSServiceRole"), {}
    if service == "iam":
        return _in("iam", "role/greenlight-new"), {"iam:PermissionsBoundary": BOUNDARY}
    known = REFERENCE.actions.get(action)  # the schemas also name some that IAM calls otherwise, all of them S3's
    if known and not known.arns:
        return "*", {}
    return own if own.split(":")[2] == service else _in(service, BESIDE[service]), {}


def _arn(account: Account, kind: str, path: str, stack: Stack, properties: Mapping[str, Any]) -> str:
    if kind in NAMED_BY_SAGEMAKER:
        return stack.arn("sagemaker", "model/Model-1" if kind.endswith("Model") else "endpoint-config/Config-1")
    if kind in NAMED_BY_US:
        service, form, key = NAMED_BY_US[kind]
        return stack.arn(service, form.format(properties[key]))
    if kind == "AWS::S3::BucketPolicy":
        return f"arn:aws:s3:::{properties['Bucket']}"
    if kind == "AWS::SNS::TopicPolicy":
        return properties["Topics"][0]
    try:
        return account.arn(path)
    except KeyError:
        service = kind.split("::")[1].lower()
        return stack.arn(SPELLED.get(service, service), f"{stack.name}-any")


def _in(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{'' if service == 'iam' else REGION}:{ACCOUNT}:{resource}"


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
