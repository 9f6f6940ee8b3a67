"""Who acts: a stack's resources are made with the rights of the stack's role, or else of its caller."""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from local_aws.authorization import ACCESS_KEY, Credentials
from local_aws.cloudformation.patience import STARTED
from local_aws.errors import AwsError
from local_aws.service import Permission

if TYPE_CHECKING:
    from local_aws.account import Account

PRINCIPAL = "cloudformation.amazonaws.com"
# The operations that change resources; what they start inherits their context, and with it the credentials.
TAKING_A_ROLE = (
    "CreateStack",
    "UpdateStack",
    "DeleteStack",
    "CreateChangeSet",
    "ContinueUpdateRollback",
    "RollbackStack",
)
ACTING = (*TAKING_A_ROLE, "ExecuteChangeSet")
ACTOR: contextvars.ContextVar[Credentials | None] = contextvars.ContextVar("local_aws_stack_actor", default=None)

Params = Mapping[str, Sequence[str]]


def install(account: Account) -> None:
    """Make CloudFormation keep and use the role of a stack, which MiniStack ignores."""
    actions = account.emulator.cloudformation._ACTION_HANDLERS
    roles = Roles(account)
    for name in ACTING:
        actions[name] = roles.acting(actions[name])


def acting_client(account: Account, service: str) -> Any:
    """A client with the rights that the stack operation under way has."""
    return account.client_as(service, ACTOR.get() or account.authorization.root)


class Roles:
    """The role of every stack: once given, it stays the stack's role, as on AWS."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._of_stack: dict[str, str] = {}

    def acting(self, action: Callable[[Params], Any]) -> Callable[[Params], Any]:
        """The action with the credentials of its stack's role, or of its caller."""

        def act(params: Params) -> Any:
            try:
                ACTOR.set(self._credentials(params))
            except AwsError as error:
                return self._account.emulator.helpers._error(error.code, error.message, error.status)
            answer = action(params)
            STARTED.set(self._stack(params))
            return answer

        return act

    def _credentials(self, params: Params) -> Credentials:
        authorization = self._account.authorization
        stack, given = self._stack(params), next(iter(params.get("RoleARN", ())), "")
        if given:
            passing = Permission("iam:PassRole", given, {"iam:PassedToService": PRINCIPAL})
            authorization.require(ACCESS_KEY.get(), "iam", passing)
            self._of_stack[stack] = given
        role = self._of_stack.get(stack)
        if role:
            return authorization.assume(role, PRINCIPAL, "AWSCloudFormation")
        return authorization.credentials(ACCESS_KEY.get())

    def _stack(self, params: Params) -> str:
        """The stack's name; clients give that, its ARN, or the ARN of a change set alone."""
        stack = next(iter(params.get("StackName", ())), "")
        if not stack:
            change_set = next(iter(params.get("ChangeSetName", ())), "")
            known = self._account.emulator.cloudformation._change_sets.get(change_set) or {}
            stack = known.get("StackName", "")
        return stack.split("/")[1] if stack.startswith("arn:") else stack
