"""Git hosts: their connections and repositories are remembered, and nothing is cloned from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from local_aws.errors import AwsError
from local_aws.service import Caller, Permission, Service

if TYPE_CHECKING:
    from local_aws.account import Account


class CodeConnections(Service):
    """Connections; a person confirms one in AWS's console, and here a test does by `confirm`."""

    name: ClassVar[str] = "codeconnections"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._connections: dict[str, dict[str, Any]] = {}

    def permissions(self, operation: str, params: dict[str, Any]) -> list[Permission]:
        """A connection is its own resource."""
        return [Permission(f"{self.name}:{operation}", params.get("ConnectionArn", "*"))]

    def create_connection(self, params: dict[str, Any], _: Caller) -> dict[str, Any]:
        """A connection that waits for a person."""
        name = params["ConnectionName"]
        arn = self.account.arn("codeconnections", f"connection/{name}")
        self._connections[arn] = {
            "ConnectionName": name,
            "ConnectionArn": arn,
            "ProviderType": params.get("ProviderType", "GitHub"),
            "OwnerAccountId": self.account.settings.account,
            "ConnectionStatus": "PENDING",
        }
        return {"ConnectionArn": arn}

    def confirm(self, arn: str) -> None:
        """Do what a person does in the console."""
        self._connections[arn]["ConnectionStatus"] = "AVAILABLE"

    def get_connection(self, params: dict[str, Any], _: Caller) -> dict[str, Any]:
        """A connection with its status."""
        arn = params["ConnectionArn"]
        if arn not in self._connections:
            raise AwsError("ResourceNotFoundException", f"Connection {arn} not found")
        return {"Connection": self._connections[arn]}


class CodeCommit(Service):
    """Repositories, in moto's memory."""

    name: ClassVar[str] = "codecommit"
    rehearsed: ClassVar[tuple[str, ...]] = ("CreateRepository", "DeleteRepository", "GetRepository")

    @classmethod
    def operations(cls) -> list[str]:
        """The operations that moto keeps for us."""
        return list(cls.rehearsed)

    def permissions(self, operation: str, params: dict[str, Any]) -> list[Permission]:
        """A repository is its own resource."""
        return [Permission(f"{self.name}:{operation}", self.account.arn(self.name, params.get("repositoryName", "*")))]

    def call(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Do one operation in moto's memory."""
        if operation not in self.rehearsed:
            return super().call(operation, params, caller)
        return self.account.store(self.name).call(operation, params)
