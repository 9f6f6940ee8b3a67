"""The roles that SageMaker acts under."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.service import Permission

if TYPE_CHECKING:
    from local_aws.account import Account

PRINCIPAL = "sagemaker.amazonaws.com"


def check_trust(account: Account, role: str) -> None:
    """Raise AwsError in AWS's words when SageMaker may not assume a role."""
    try:
        account.environment(role, service_principal=PRINCIPAL)
    except AwsError as error:
        raise AwsError(
            "ValidationException",
            f"Could not assume role {role}. Please ensure that the role exists and allows principal "
            f"'{PRINCIPAL}' to assume the role.",
        ) from error


def client(account: Account, service: str, role: str, session: str = "SageMaker") -> Any:
    """A boto3 client that acts as SageMaker does under a role."""
    return account.client(service, role, service_principal=PRINCIPAL, session=session)


def passing(role: str) -> Permission:
    """What a caller must be allowed to hand a role to SageMaker."""
    return Permission("iam:PassRole", role, {"iam:PassedToService": PRINCIPAL})
