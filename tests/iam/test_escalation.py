"""No role can give itself or others rights, nor come to act as a role that can, except the named."""

from __future__ import annotations

import fnmatch
import json

import pytest

from tests.iam.account import Account, Role
from tests.iam.actions import Reference
from tests.iam.evaluator import Document, listed, names_action, statements
from tests.iam.reach import DEPLOY, EXECUTE, Reach

REFERENCE = Reference.stored()

WITH_ALL_RIGHTS = {
    "greenlight-delivery/Deploy/Project/Role": "it deploys what is on the main branch",
    "greenlight-delivery/Release/Builds/Serve/Project/Role": "it deploys serving stacks",
    "greenlight-delivery/Release/Pipeline/Role": "it starts Serve; only CodePipeline acts as it",
    "greenlight-delivery/Platform/Pipeline/Role": "it starts Deploy; only CodePipeline acts as it",
    "greenlight-rollback-*/Machine/Role": "it updates serving stacks; only its machine acts as it",
    "greenlight-delivery/Platform/Check/Project/Role": "what it leaves of the commit is what Deploy runs of it",
    "greenlight-delivery/Release/Builds/Train/Project/Role": "what it leaves of the commit is what Serve runs of it",
}
"""Who can come to act as the CDK's roles, which can do everything, with the reason."""

HARMLESS = {
    "kms:CreateGrant": "to AWS's services alone, which SageMaker needs for volumes; the questions ask about others",
    "iam:PassRole": "what may be passed to whom is asked by the closure below, and by the questions",
    "logs:PutResourcePolicy": "Step Functions sets up its log delivery with it, and knows no narrower right",
}
"""Permission-changing actions that roles have, with the reason."""

PLAIN = {"iam:GetRole", "iam:ListRoles", "iam:SimulatePrincipalPolicy"}
"""Actions of IAM that only look."""


@pytest.fixture(scope="module")
def reach(account: Account) -> Reach:
    return Reach(account)


def expected(path: str) -> bool:
    return any(fnmatch.fnmatchcase(path, form) for form in WITH_ALL_RIGHTS)


def test_nobody_but_the_named_comes_to_have_all_rights(reach: Reach) -> None:
    more = {f"{path} {way}" for path, way in reach.ways_to(DEPLOY, EXECUTE).items() if not expected(path)}
    assert not more


def test_whoever_is_named_still_has_all_rights(reach: Reach) -> None:
    ways = reach.ways_to(DEPLOY, EXECUTE)
    gone = {form for form in WITH_ALL_RIGHTS if not fnmatch.filter(ways, form)}
    assert not gone, "they cannot any more: remove them from WITH_ALL_RIGHTS"


def test_a_way_through_other_roles_is_found(account: Account) -> None:
    """Plan gets the right to start one build of the release, and with it all others."""
    plan = account.role("greenlight-delivery/Platform/Plan/Project/Role")
    (project,) = (
        account.arn(path)
        for path, _, _ in account.resources("AWS::CodeBuild::Project")
        if path == "greenlight-delivery/Release/Builds/Serve/Project"
    )
    plan.policies["sabotage"] = {
        "Statement": [{"Effect": "Allow", "Action": "codebuild:StartBuild", "Resource": project}]
    }
    try:
        way = Reach(account).ways_to(DEPLOY, EXECUTE)[plan.path]
    finally:
        del plan.policies["sabotage"]
    assert way == (
        "runs a build, whose commands it may say, as greenlight-delivery/Release/Builds/Serve/Project/Role, "
        f"which becomes {DEPLOY}"
    )


def test_no_role_becomes_another_of_the_project(reach: Reach) -> None:
    assert not [
        role
        for role, steps in reach.direct.items()
        for how in steps.values()
        if how == "becomes" and not expected(role)
    ]


def test_roles_are_passed_within_a_team_and_environment(reach: Reach, account: Account) -> None:
    passed = {
        (role, to) for role, steps in reach.direct.items() for to, how in steps.items() if how == "runs something as"
    }
    assert passed
    for role, to in passed:
        forms = ("*/Job",) if account.role(role).path.endswith("/Runner/Role") else ("*/Serving", "*/Watch")
        assert any(fnmatch.fnmatchcase(to, form) for form in forms), f"{role} passes {to}"


def test_no_role_has_an_action_that_changes_rights(account: Account) -> None:
    """Whatever the resource and the conditions."""
    names = [action.name for action in REFERENCE.changing_permissions()]
    assert len(names) > 100
    found = {
        f"{name}, by {role.path}"
        for role in account.roles.values()
        for name in names
        if name not in HARMLESS and says(role, name)
    }
    assert not found


def test_no_role_has_an_action_of_iam_but_to_pass_roles(account: Account) -> None:
    of_iam = [name for name in REFERENCE.actions if name.startswith("iam:") and name not in PLAIN | HARMLESS.keys()]
    found = {f"{name}, by {role.path}" for role in account.roles.values() for name in of_iam if says(role, name)}
    assert not found


def test_a_right_to_change_rights_is_found_also_behind_a_star() -> None:
    document = {"Statement": [{"Effect": "Allow", "Action": "iam:Put*", "Resource": "arn:aws:iam::1:role/a"}]}
    assert any(names_any(document, action.name) for action in REFERENCE.changing_permissions())


def test_whoever_updates_stacks_keeps_their_template(account: Account) -> None:
    """Their role could do more; what it does is written in the machine, which no role of the project may change."""
    seen = 0
    for path, _, properties in account.resources("AWS::StepFunctions::StateMachine"):
        definition = properties["DefinitionString"]
        if "cloudformation:updateStack" in definition:
            seen += 1
            assert '"UsePreviousTemplate":true' in definition.replace(" ", ""), path
            assert "TemplateBody" not in definition, path
            assert "TemplateUrl" not in definition.replace("URL", "Url"), path
            json.loads(definition)
    assert seen == 2


def test_every_role_is_one_service_s(account: Account) -> None:
    """No account, no person, no federation: who may be the role of a service is the service alone."""
    for role in account.roles.values():
        named = [each["Principal"] for each in statements(role.trust)]
        assert len(named) == 1, role.path
        assert named[0].keys() == {"Service"}, role.path
        assert len(listed(named[0]["Service"])) == 1, role.path


def test_no_resource_is_opened_to_everyone(account: Account) -> None:
    for arn, policy in account.policies.items():
        for statement in statements(policy):
            if statement["Effect"] == "Allow":
                assert "*" not in (statement["Principal"], *listed(statement["Principal"].get("AWS", []))), arn


def says(role: Role, action: str) -> bool:
    return any(names_any(document, action) for document in role.policies.values())


def names_any(document: Document, action: str) -> bool:
    found = [each for each in statements(document) if each["Effect"] == "Allow"]
    return any(names_action(each, action) for each in found)
