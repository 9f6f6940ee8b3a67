"""Whom the roles trust: the local AWS lets in whom the evaluator lets in, and nobody else."""

from __future__ import annotations

import pytest
from ministack.core import iam_evaluator as ministack

from local_aws import authorization
from tests.iam.account import Account, Role
from tests.iam.evaluator import Principal, statements
from tests.iam.question import SOMEBODY_ELSES

SERVICES = (
    "sagemaker",
    "states",
    "scheduler",
    "events",
    "codebuild",
    "codepipeline",
    "application-autoscaling",
    "lambda",
)
SOURCES = (
    "arn:aws:states:eu-west-1:{}:stateMachine:greenlight-wave",
    "arn:aws:scheduler:eu-west-1:{}:schedule-group/default",
    "arn:aws:events:eu-west-1:{}:rule/any",
)


@pytest.mark.parametrize("service", [f"{name}.amazonaws.com" for name in SERVICES])
def test_the_local_aws_lets_in_whom_the_policies_let_in(account: Account, service: str) -> None:
    for role in account.roles.values():
        for owner in (role.stack.account, SOMEBODY_ELSES):
            for source in SOURCES:
                context = {"aws:SourceAccount": owner, "aws:SourceArn": source.format(owner)}
                ours = account.may(Principal(service), "sts:AssumeRole", role.arn, context)
                assert bool(ours) is locally(role, service, context), f"{service} as {role.path} for {owner}"


def locally(role: Role, service: str, context: dict[str, str]) -> bool:
    """As local_aws asks MiniStack, when a service assumes a role."""
    asked = ministack.EvalContext(
        service,
        "Service",
        role.stack.account,
        "sts:AssumeRole",
        role.arn,
        role.stack.region,
        service_context={key.lower(): value for key, value in context.items()},
    )
    trust = authorization._for_service(dict(role.trust), service)
    return ministack.evaluate_trust_policy(trust, service, asked)


def test_a_state_machine_s_role_is_no_other_s(account: Account) -> None:
    for role in account.roles.values():
        if "states.amazonaws.com" in str(role.trust):
            own = {"aws:SourceAccount": role.stack.account}
            machine = {"aws:SourceArn": role.stack.arn("states", "stateMachine:greenlight-wave")}
            rule = {"aws:SourceArn": role.stack.arn("events", "rule/any")}
            states = Principal("states.amazonaws.com")
            assert account.may(states, "sts:AssumeRole", role.arn, own | machine)
            assert not account.may(states, "sts:AssumeRole", role.arn, own | rule)
            assert not account.may(states, "sts:AssumeRole", role.arn, machine)


def test_nobody_may_tag_or_name_the_sessions_of_a_service(account: Account) -> None:
    for role in account.roles.values():
        assert [each["Action"] for each in statements(role.trust)] == ["sts:AssumeRole"], role.path
