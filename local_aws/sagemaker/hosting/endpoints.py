"""Endpoints: models that answer requests."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.sagemaker import events, shapes
from local_aws.sagemaker.hosting import scaling
from local_aws.sagemaker.hosting.deployments import Deployment
from local_aws.sagemaker.hosting.endpoint_configs import EndpointConfigs, check_weights
from local_aws.sagemaker.hosting.models import Models
from local_aws.sagemaker.hosting.rollout import Rollout, refuse_other_variants, rollout
from local_aws.sagemaker.hosting.servers import StartupError
from local_aws.sagemaker.hosting.shifting import RollbackFailedError, RolledBackError, Shift
from local_aws.sagemaker.hosting.traffic import Traffic
from local_aws.sagemaker.kinds import ENDPOINT
from local_aws.sagemaker.shelf import Shelf
from local_aws.sagemaker.tags import Tags

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)


class Endpoints:
    """Endpoints by name, and the deployment that is live on each."""

    def __init__(self, account: Account, tags: Tags, configs: EndpointConfigs, models: Models) -> None:
        self.shelf = Shelf(account, ENDPOINT, tags)
        self.live: dict[str, Deployment] = {}
        self.counts = Traffic()
        self._account = account
        self._configs = configs
        self._models = models
        self._pending: dict[str, Deployment] = {}
        self._shifts: dict[str, Shift] = {}

    def heal(self) -> None:
        """Begin to replace the instances that have died."""
        for deployment in self.deployments():
            for variant in deployment.variants.values():
                variant.heal()

    def abandon(self) -> None:
        """Replace no instance any more: the account ends, and its processes with it."""
        for deployment in self.deployments():
            for variant in deployment.variants.values():
                variant.abandon()

    def deployments(self, name: str | None = None) -> list[Deployment]:
        """What answers requests now, of one endpoint or of all: while traffic shifts, both fleets."""
        names = list(self.live) if name is None else [name] if name in self.live else []
        shifting = [shift for each in names if (shift := self._shifts.get(each))]
        both = [fleet for shift in shifting for fleet in (shift.old, shift.new)]
        return list(dict.fromkeys([*(self.live[each] for each in names if each in self.live), *both]))

    def choose(self, name: str) -> tuple[Deployment, ...]:
        """The fleet that gets the next request of an endpoint, and what else may; none where it serves nobody."""
        if shift := self._shifts.get(name):
            return shift.choose()
        live = self.live.get(name)
        return (live,) if live else ()

    def traffic(self, name: str) -> dict[str, tuple[int, int]]:
        """The requests that each config of an endpoint has answered since the account began, and how many failed."""
        return self.counts.of(name)

    def create_endpoint(self, params: dict[str, Any]) -> dict[str, Any]:
        """CreateEndpoint: Creating, then InService or Failed."""
        name = params["EndpointName"]
        config = self._configs.shelf.find(params["EndpointConfigName"])
        deployment = Deployment(self._account, name, config, self._models)
        rollout(params.get("DeploymentConfig"), deployment.desired, plain=deployment.is_plain)  # refuses only
        endpoint = self.shelf.add(name, params, EndpointStatus="Creating")
        self._deploy(name, lambda: self._create(name, deployment, params), deployment)
        return {"EndpointArn": endpoint["EndpointArn"]}

    def describe_endpoint(self, params: dict[str, Any]) -> dict[str, Any]:
        """DescribeEndpoint."""
        return shapes.answer("DescribeEndpoint", self._describe(params["EndpointName"]))

    def list_endpoints(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListEndpoints."""
        return self.shelf.listed("ListEndpoints", params)

    def update_endpoint(self, params: dict[str, Any]) -> dict[str, Any]:
        """UpdateEndpoint: a new fleet comes up, takes the traffic as the roll-out says, and the old one goes."""
        name = params["EndpointName"]
        before = self.shelf.find(name)
        if params.get("RetainDeploymentConfig") and "DeploymentConfig" not in params:
            params = {**params, "DeploymentConfig": before.get("LastDeploymentConfig")}
        old = self.live.get(name)
        if old is None or before["EndpointStatus"] != "InService":  # one that has failed can only be deleted
            raise self._refusal(name)
        deployment = self._next(name, old, params)
        guarded = params.get("DeploymentConfig")
        scaling.refuse_other_instances(self._account, name, old.config, deployment.config)
        refuse_other_variants(guarded, old.variants, deployment.variants)
        steps = rollout(guarded, deployment.desired, plain=deployment.is_plain and old.is_plain)
        role = self._role(deployment)
        endpoint = self._begin(name, "Updating")
        shift = self._shift(name, old, deployment, steps, role)
        self._deploy(name, lambda: self._update(name, shift, params), deployment)
        return {"EndpointArn": endpoint["EndpointArn"]}

    def _next(self, name: str, old: Deployment, params: dict[str, Any]) -> Deployment:
        config = self._configs.shelf.find(params["EndpointConfigName"])
        deployment = Deployment(self._account, name, config, self._models)
        if params.get("RetainAllVariantProperties"):
            excluded = params.get("ExcludeRetainedVariantProperties", ())
            deployment.retain(old, [item["VariantPropertyType"] for item in excluded])
        return deployment

    def _shift(self, name: str, old: Deployment, new: Deployment, steps: Rollout, role: str) -> Shift:
        return Shift(
            self._account,
            old,
            new,
            steps,
            role,
            going_back=lambda: self._mark(name, "RollingBack"),
            changed=lambda: events.deployment(self._account, self._describe(name)),
        )

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
        self._begin(name, "Deleting", before=("InService", "Failed", "UpdateRollbackFailed"))
        fleets = self.deployments(name)
        self._shifts.pop(name, None)
        self._pending.pop(name, None)
        self.live.pop(name, None)
        self._account.background(f"deletion of {name}", lambda: self._delete(name, fleets))
        return {}

    def _begin(self, name: str, status: str, before: tuple[str, ...] = ("InService",)) -> dict[str, Any]:
        endpoint = self.shelf.move(name, status, before=before, refusal=self._refusal(name))
        events.endpoint(self._account, self._describe(name))
        return endpoint

    def _refusal(self, name: str) -> AwsError:
        return AwsError("ValidationException", f'Cannot update in-progress endpoint "{self.shelf.arn(name)}".')

    def _deploy(self, name: str, work: Callable[[], None], deployment: Deployment) -> None:
        self._pending[name] = deployment
        self._account.background(f"deployment of {name}", work)

    def _create(self, name: str, deployment: Deployment, params: dict[str, Any]) -> None:
        reason = self._attempt(deployment.launch)
        self._pending.pop(name)
        if reason:
            self._finish(name, "Failed", FailureReason=reason)
            return
        self.live[name] = deployment
        self._arrived(name, deployment, params)

    def _update(self, name: str, shift: Shift, params: dict[str, Any]) -> None:
        self._shifts[name] = shift
        try:
            reason = self._attempt(shift.run)
        except RollbackFailedError as failure:  # both fleets serve on, until the endpoint is deleted
            self._finish(name, "UpdateRollbackFailed", FailureReason=str(failure))
            return
        if not reason:
            self.live[name] = shift.new
        self._shifts.pop(name)
        self._pending.pop(name)
        if reason:
            # What served before goes on serving; who looks at the status alone takes it for a success.
            shift.new.retire()
            self._finish(name, "InService", FailureReason=reason)
        else:
            self._arrived(name, shift.new, params)
            shift.old.retire()

    def _arrived(self, name: str, deployment: Deployment, params: dict[str, Any]) -> None:
        self._finish(
            name,
            "InService",
            FailureReason=None,
            EndpointConfigName=deployment.config["EndpointConfigName"],
            DataCaptureConfig=_capture(deployment.config),
            LastDeploymentConfig=params.get("DeploymentConfig"),
        )

    def _role(self, deployment: Deployment) -> str:
        """The execution role under which SageMaker looks at the alarms of an update."""
        variant = next(iter(deployment.variants.values()))
        # Of the model itself: its package may have been rejected since.
        return self._models.shelf.find(variant.config["ModelName"])["ExecutionRoleArn"]

    def _attempt(self, work: Callable[[], None]) -> str | None:
        """Why a deployment did not come about; None when it did."""
        try:
            work()
        except (StartupError, RolledBackError) as failure:
            return str(failure)
        except RollbackFailedError:
            raise
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

    def _delete(self, name: str, fleets: list[Deployment]) -> None:
        for fleet in fleets:
            fleet.retire()
        scaling.deregister(self._account, name)
        self.shelf.remove(name)

    def _mark(self, name: str, status: str) -> None:
        self.shelf.update(name, EndpointStatus=status)
        events.endpoint(self._account, self._describe(name))

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
            shift = self._shifts.get(endpoint["EndpointName"])
            members["PendingDeploymentSummary"] = {
                "EndpointConfigName": pending.config["EndpointConfigName"],
                "ProductionVariants": pending.describe(shift.stage if shift else None),
                "StartTime": pending.started,
            }
        return {**endpoint, **members}


def _capture(config: Mapping[str, Any]) -> dict[str, Any] | None:
    capture = config.get("DataCaptureConfig")
    if not capture:
        return None
    return {
        "EnableCapture": capture.get("EnableCapture", False),
        "CaptureStatus": "Started" if capture.get("EnableCapture") else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture.get("KmsKeyId", ""),
    }
