"""Models: an image, an artifact and a role, under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.sagemaker import roles, shapes
from local_aws.sagemaker.attaching import attach
from local_aws.sagemaker.containers import Container, container_of
from local_aws.sagemaker.kinds import MODEL
from local_aws.sagemaker.registry import Registry
from local_aws.sagemaker.shelf import Shelf
from local_aws.sagemaker.storage import Storage, StorageError
from local_aws.sagemaker.tags import Tags

if TYPE_CHECKING:
    from local_aws.account import Account


class Models:
    """Models by name."""

    def __init__(self, account: Account, tags: Tags, registry: Registry) -> None:
        self.shelf = Shelf(account, MODEL, tags)
        self._account = account
        self._registry = registry

    def container(self, name: str) -> Container:
        """What a model runs."""
        return container_of(self.shelf.find(name), self._registry)

    def create_model(self, params: dict[str, Any]) -> dict[str, Any]:
        """CreateModel; as on AWS the role must be SageMaker's to assume, and able to read the artifact."""
        if "ExecutionRoleArn" not in params:
            raise AwsError("ValidationException", "ExecutionRoleArn is required to create a model.")
        container = container_of(params, self._registry)
        roles.check_trust(self._account, container.role)
        self._check_artifact(container)
        attach(self._account, params.get("VpcConfig"), container.role, "a model")
        model = self.shelf.add(params["ModelName"], params)
        return {"ModelArn": model["ModelArn"]}

    def describe_model(self, params: dict[str, Any]) -> dict[str, Any]:
        """DescribeModel."""
        return shapes.answer("DescribeModel", self.shelf.find(params["ModelName"]))

    def list_models(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListModels."""
        return self.shelf.listed("ListModels", params)

    def delete_model(self, params: dict[str, Any]) -> dict[str, Any]:
        """DeleteModel; an endpoint that serves it keeps serving, until it has to start an instance."""
        self.shelf.remove(params["ModelName"])
        return {}

    def _check_artifact(self, container: Container) -> None:
        if container.artifact is None:
            return
        try:
            Storage(roles.client(self._account, "s3", container.role)).exists(container.artifact)
        except StorageError as error:
            raise AwsError(
                "ValidationException",
                f"Could not access model data at {container.artifact}. Please ensure that the role "
                f'"{container.role}" exists and that its trust relationship policy allows the action '
                f'"sts:AssumeRole" for the service principal "{roles.PRINCIPAL}". Also ensure that the role has '
                f'"s3:GetObject" permissions and that the object is located in {self._account.settings.region}.',
            ) from error
