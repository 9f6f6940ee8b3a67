"""Endpoint configurations: which models an endpoint serves, on what, with what share of the traffic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.sagemaker import shapes, volumes
from local_aws.sagemaker.hosting.models import Models
from local_aws.sagemaker.kinds import ENDPOINT_CONFIG
from local_aws.sagemaker.rehearsal import refused, say
from local_aws.sagemaker.shelf import Shelf
from local_aws.sagemaker.tags import Tags

if TYPE_CHECKING:
    from local_aws.account import Account

CHANGES_ANSWERS = {
    "AsyncInferenceConfig": "an endpoint answers at once",
    "ShadowProductionVariants": "give production variants only",
    "ExplainerConfig": "an endpoint answers without explanations",
}
CHANGES_NOTHING_HERE = {
    "VpcConfig": "The VPC of an endpoint is not rehearsed: its instances use this machine's network.",
    "MetricsConfig": "Metrics per instance and per container are not rehearsed: an endpoint has those of its variants.",
}


class EndpointConfigs:
    """Endpoint configurations by name; once created, none changes."""

    def __init__(self, account: Account, tags: Tags, models: Models) -> None:
        self.shelf = Shelf(account, ENDPOINT_CONFIG, tags)
        self._account = account
        self._models = models

    def create_endpoint_config(self, params: dict[str, Any]) -> dict[str, Any]:
        """CreateEndpointConfig."""
        for member, instead in CHANGES_ANSWERS.items():
            if params.get(member):
                raise refused(f"{member} of an endpoint configuration", instead)
        for member in CHANGES_NOTHING_HERE.keys() & params.keys():
            say(self._account, CHANGES_NOTHING_HERE[member])
        variants = [_complete(variant) for variant in params["ProductionVariants"]]
        self._check(variants, params)
        config = self.shelf.add(
            params["EndpointConfigName"],
            params,
            ProductionVariants=variants,
            CreationTime=self._account.calendar.now(),
        )
        return {"EndpointConfigArn": config["EndpointConfigArn"]}

    def describe_endpoint_config(self, params: dict[str, Any]) -> dict[str, Any]:
        """DescribeEndpointConfig."""
        return shapes.answer("DescribeEndpointConfig", self.shelf.find(params["EndpointConfigName"]))

    def list_endpoint_configs(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListEndpointConfigs."""
        return self.shelf.listed("ListEndpointConfigs", params)

    def delete_endpoint_config(self, params: dict[str, Any]) -> dict[str, Any]:
        """DeleteEndpointConfig; an endpoint that uses it goes on, as on AWS."""
        self.shelf.remove(params["EndpointConfigName"])
        return {}

    def _check(self, variants: list[dict[str, Any]], params: dict[str, Any]) -> None:
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) < len(names):
            raise AwsError("ValidationException", f"Variant names must be unique, got {', '.join(names)}.")
        for variant in variants:
            self._models.shelf.find(variant["ModelName"])
        volumes.check(params.get("KmsKeyId"), [each["InstanceType"] for each in variants if "InstanceType" in each])
        check_weights({variant["VariantName"]: variant["InitialVariantWeight"] for variant in variants})
        serverless = [variant["VariantName"] for variant in variants if "ServerlessConfig" in variant]
        if not serverless:
            return
        if len(variants) > 1:
            raise AwsError("ValidationException", "A serverless endpoint has one production variant only.")
        if params.get("DataCaptureConfig", {}).get("EnableCapture"):
            raise AwsError("ValidationException", "DataCaptureConfig is not supported for a serverless endpoint.")
        if params.get("KmsKeyId"):
            raise AwsError("ValidationException", "KmsKeyId is not supported for a serverless endpoint.")


def _complete(variant: dict[str, Any]) -> dict[str, Any]:
    name = variant["VariantName"]
    if "ModelName" not in variant:
        raise refused(f"Variant {name} without a model (for inference components)", "name a model in ModelName")
    if "ServerlessConfig" in variant:
        if "InstanceType" in variant:
            raise AwsError(
                "ValidationException", f"Variant {name} has both InstanceType and ServerlessConfig; give one."
            )
        return {"InitialVariantWeight": 1.0, **variant}
    if "InstanceType" not in variant:
        raise AwsError("ValidationException", f"Variant {name} needs an InstanceType or a ServerlessConfig.")
    return {"InitialVariantWeight": 1.0, "InitialInstanceCount": 1, **variant}


def check_weights(weights: Mapping[str, float]) -> None:
    """Refuse weights that leave no variant any traffic."""
    if not any(weights.values()):
        raise AwsError("ValidationException", f"At least one variant needs a weight above 0, got {dict(weights)}.")
