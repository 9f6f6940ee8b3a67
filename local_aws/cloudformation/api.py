"""Calls of the account's API with the rights of the stack operation under way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError

from local_aws.cloudformation.roles import acting_client

if TYPE_CHECKING:
    from local_aws.account import Account


class HandlerError(ValueError):
    """Why a resource handler failed, as CloudFormation tells it; `code` is the service's."""

    def __init__(self, message: str, code: str = "InvalidRequest") -> None:
        super().__init__(f'Resource handler returned message: "{message}" (HandlerErrorCode: {code})')
        self.code = code


def call(account: Account, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Do an operation, such as "CreateModel" of "sagemaker"; what is refused is a HandlerError."""
    client = acting_client(account, service)
    try:
        return getattr(client, xform_name(operation))(**params)
    except ClientError as error:
        raise HandlerError(error.response["Error"]["Message"], error.response["Error"]["Code"]) from error
    except ParamValidationError as error:
        raise HandlerError(str(error)) from error
