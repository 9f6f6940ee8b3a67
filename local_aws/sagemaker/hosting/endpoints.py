"""Endpoints: models that answer requests."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.sagemaker import events, shapes
from local_aws.sagemaker.hosting.deployments import Deployment
from local_aws.sagemaker.hosting.endpoint_configs import EndpointConfigs, check_weights
from local_aws.sagemaker.hosting.models import Models
from local_aws.sagemaker.hosting.servers import StartupError
from local_aws.sagemaker.kinds import ENDPOINT
from local_aws.sagemaker.rehearsal import say
from local_aws.sagemaker.shelf import Shelf
from local_aws.sagemaker.tags import Tags

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)
AT_ONCE = "ALL_AT_ONCE"


class Endpoints:
    """Endpoints by name, and the deployment that is live on each."""

    def __init__(self, account: Account, tags: Tags, configs: EndpointConfigs, models: Models) -> None:
        self.shelf = Shelf(account, ENDPOINT, tags)
        self.live: dict[str, Deployment] = {}
        self._account = account
        self._configs = configs
        self._models = models
        self._pending: dict[str, Deployment] = {}

    def heal(self) -> None:
        """Begin to replace the instances that have died."""
        for deployment in list(self.live.values()):
            for variant in deployment.variants.values():
                variant.heal()

    def abandon(self) -> None:
        """Replace no instance any more: the account ends, and its processes with it."""
        for deployment in self.live.values():
            for variant in deployment.variants.values():
                variant.abandon()

    def create_endpoint(self, params: dict[str, Any]) -> dict[str, Any]:
        """CreateEndpoint: Creating, then InService or Failed."""
        name = params["EndpointName"]
        config = self._configs.shelf.find(params["EndpointConfigName"])
        self._report_deployment(params.get("DeploymentConfig"))
        endpoint = self.shelf.add(name, params, EndpointStatus="Creating")
        self._deploy(name, config, Deployment(self._account, name, config, self._models), params)
        return {"EndpointArn": endpoint["EndpointArn"]}

    def describe_endpoint(self, params: dict[str, Any]) -> dict[str, Any]:
        """DescribeEndpoint."""
        return shapes.answer("DescribeEndpoint", self._describe(params["EndpointName"]))

    def list_endpoints(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListEndpoints."""
        return self.shelf.listed("ListEndpoints", params)

    def update_endpoint(self, params: dict[str, Any]) -> dict[str, Any]:
        """UpdateEndpoint: a new fleet comes up, takes the traffic, and the old one goes."""
        name = params["EndpointName"]
        self.shelf.find(name)
        config = self._configs.shelf.find(params["EndpointConfigName"])
        self._report_deployment(params.get("DeploymentConfig"))
        endpoint = self._begin(name, "Updating")
        deployment = Deployment(self._account, name, config, self._models)
        if params.get("RetainAllVariantProperties"):
            excluded = params.get("ExcludeRetainedVariantProperties", ())
            deployment.retain(self.live[name], [item["VariantPropertyType"] for item in excluded])
        self._deploy(name, config, deployment, params)
        return {"EndpointArn": endpoint["EndpointArn"]}

    def update_endpoint_weights_and_capacities(self, params: dict[str, Any]) -> dict[str, Any]:
        """UpdateEndpointWeightsAndCapacities."""
        name = params["EndpointName"]
        self.shelf.find(name)
        wanted = {item["VariantName"]: item for item in params["DesiredWeightsAndCapacities"]}
        variants = self.live[name].variants if name in self.live else {}
        if unknown := wanted.keys() - variants.keys():
            raise AwsError(
                "ValidationException",
                f'The variant name(s) "{", ".join(sorted(unknown))}" is/are not present within endpoint configuration '
                f'"{self.shelf.find(name)["EndpointConfigName"]}".',
            )
        weights = {key: variant.weight for key, variant in variants.items()}
        weights |= {key: item["DesiredWeight"] for key, item in wanted.items() if "DesiredWeight" in item}
        check_weights(weights)
        endpoint = self._begin(name, "Updating")
        counts = {key: item["DesiredInstanceCount"] for key, item in wanted.items() if "DesiredInstanceCount" in item}
        self._account.background(f"scaling of {name}", lambda: self._scale(name, weights, counts))
        return {"EndpointArn": endpoint["EndpointArn"]}

    def delete_endpoint(self, params: dict[str, Any]) -> dict[str, Any]:
        """DeleteEndpoint: it takes no request any more, and is gone when its instances are."""
        name = params["EndpointName"]
        self._begin(name, "Deleting", before=("InService", "Failed"))
        deployment = self.live.pop(name, None)
        self._account.background(f"deletion of {name}", lambda: self._delete(name, deployment))
        return {}

    def _begin(self, name: str, status: str, before: tuple[str, ...] = ("InService",)) -> dict[str, Any]:
        refusal = AwsError("ValidationException", f'Cannot update in-progress endpoint "{self.shelf.arn(name)}".')
        endpoint = self.shelf.move(name, status, before=before, refusal=refusal)
        events.endpoint(self._account, self._describe(name))
        return endpoint

    def _deploy(self, name: str, config: dict[str, Any], deployment: Deployment, params: dict[str, Any]) -> None:
        self._pending[name] = deployment
        self._account.background(f"deployment of {name}", lambda: self._roll_out(name, config, deployment, params))

    def _roll_out(self, name: str, config: dict[str, Any], deployment: Deployment, params: dict[str, Any]) -> None:
        old = self.live.get(name)
        if reason := self._launch(deployment):
            # What served before goes on serving; an endpoint that never did has failed.
            self._pending.pop(name)
            self._finish(name, "InService" if old else "Failed", FailureReason=reason)
            return
        self.live[name] = deployment  # the traffic shifts here, all at once
        self._pending.pop(name)
        self._finish(
            name,
            "InService",
            FailureReason=None,
            EndpointConfigName=config["EndpointConfigName"],
            DataCaptureConfig=_capture(config),
            LastDeploymentConfig=params.get("DeploymentConfig"),
        )
        if old:
            old.retire()

    def _launch(self, deployment: Deployment) -> str | None:
        try:
            deployment.launch()
        except StartupError as failure:
            return str(failure)
        except Exception as error:
            LOG.exception("a deployment failed by a mistake of ours")
            return f"InternalServerError: the local AWS made a mistake, its log says which ({error!r})"
        return None

    def _scale(self, name: str, weights: dict[str, float], counts: dict[str, int]) -> None:
        variants = self.live[name].variants
        for key, weight in weights.items():
            variants[key].weight = weight
        reason = None
        for key, count in counts.items():
            before = variants[key].desired
            try:
                variants[key].scale(count)
            except StartupError as failure:
                variants[key].desired = before
                reason = str(failure)
        self._finish(name, "InService", FailureReason=reason)

    def _delete(self, name: str, deployment: Deployment | None) -> None:
        if deployment:
            deployment.retire()
        self.shelf.remove(name)

    def _finish(self, name: str, status: str, **members: Any) -> None:
        changed = self._account.calendar.now()
        self.shelf.update(name, EndpointStatus=status, LastModifiedTime=changed, **members)
        events.endpoint(self._account, self._describe(name))

    def _describe(self, name: str) -> dict[str, Any]:
        endpoint = self.shelf.find(name)
        live, pending = self.live.get(endpoint["EndpointName"]), self._pending.get(endpoint["EndpointName"])
        shown = live or pending
        members: dict[str, Any] = {"ProductionVariants": shown.describe() if shown else None}
        if live and pending:
            members["PendingDeploymentSummary"] = {
                "EndpointConfigName": pending.config["EndpointConfigName"],
                "ProductionVariants": pending.describe(),
                "StartTime": pending.started,
            }
        return {**endpoint, **members}

    def _report_deployment(self, deployment: dict[str, Any] | None) -> None:
        if not deployment:
            return
        blue_green = deployment.get("BlueGreenUpdatePolicy", {})
        if "RollingUpdatePolicy" in deployment or blue_green["TrafficRoutingConfiguration"]["Type"] != AT_ONCE:
            say(self._account, "Shifting an endpoint's traffic in steps is not rehearsed: it shifts all at once.")
        if deployment.get("AutoRollbackConfiguration", {}).get("Alarms"):
            say(self._account, "Rolling an endpoint back by alarms is not rehearsed: a deployment does not watch them.")


def _capture(config: dict[str, Any]) -> dict[str, Any] | None:
    capture = config.get("DataCaptureConfig")
    if capture is None:
        return None
    return {
        "EnableCapture": capture.get("EnableCapture", False),
        "CaptureStatus": "Started" if capture.get("EnableCapture") else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture.get("KmsKeyId", ""),
    }
