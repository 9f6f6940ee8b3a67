"""The base of the services that are ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from botocore import xform_name

from local_aws.errors import AwsError
from local_aws.protocol import service_model

if TYPE_CHECKING:
    from local_aws.account import Account


@dataclass(frozen=True)
class Caller:
    """Who makes a call: the ARN of the user or assumed role, and the access key it signed with."""

    arn: str
    access_key: str


class Permission(NamedTuple):
    """An action on a resource (an ARN or "*") that a caller must be allowed, with its condition keys."""

    action: str
    resource: str
    context: Mapping[str, str] = {}


class Invocation(NamedTuple):
    """What a model's container answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Service:
    """An AWS service that runs here: one method per operation, in snake case, `(params, caller) -> dict`.

    Before `call` the front has checked `params` by the input shape and every permission; the call runs in a worker
    thread, and its answer is written by the output shape (datetimes as epoch seconds, None left out).
    """

    name: ClassVar[str]
    invalid: ClassVar[str] = "ValidationException"  # the code with which this service refuses malformed parameters

    def __init__(self, account: Account) -> None:
        self.account = account

    def permissions(self, operation: str, params: dict[str, Any]) -> list[Permission]:  # noqa: ARG002 - of subclasses
        """What the caller of this operation must be allowed."""
        return [Permission(f"{self.name}:{operation}", "*")]

    def call(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Do one operation."""
        method = getattr(self, xform_name(operation), None)
        if method is None:
            raise AwsError(
                "NotImplemented",
                f"{self.name}:{operation} is not rehearsed on the local AWS; it has {', '.join(self.operations())}.",
                status=501,
            )
        return method(params, caller) or {}

    def invoke_endpoint(self, name: str, headers: Mapping[str, str], body: bytes) -> Invocation:  # noqa: ARG002
        """Answer a request to a model, which only SageMaker has."""
        raise AwsError("UnknownOperationException", f"{self.name} has no endpoint {name!r}, nor any other.", 404)

    @classmethod
    def operations(cls) -> list[str]:
        """The operations of AWS's service that are rehearsed here."""
        return [name for name in service_model(cls.name).operation_names if hasattr(cls, xform_name(name))]

    def start(self) -> None:
        """Begin background work: the account is up."""

    def stop(self) -> None:
        """End background work; the processes are ended by the account."""
