"""Amazon SageMaker on this machine: endpoints, jobs and pipelines run as processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore import xform_name

from local_aws.protocol import service_model
from local_aws.sagemaker.hosting.capture import Capture
from local_aws.sagemaker.hosting.endpoint_configs import EndpointConfigs
from local_aws.sagemaker.hosting.endpoints import Endpoints
from local_aws.sagemaker.hosting.invocations import Invocations
from local_aws.sagemaker.hosting.metrics import Metrics
from local_aws.sagemaker.hosting.models import Models
from local_aws.sagemaker.hosting.servers import ModelServer
from local_aws.sagemaker.hosting.usage import Usage
from local_aws.sagemaker.jobs.lifecycle import Jobs
from local_aws.sagemaker.jobs.processing import ProcessingJobs
from local_aws.sagemaker.jobs.training import TrainingJobs
from local_aws.sagemaker.jobs.transform import TransformJobs
from local_aws.sagemaker.kinds import Kind
from local_aws.sagemaker.periodic import Periodic
from local_aws.sagemaker.permissions import required
from local_aws.sagemaker.pipelines.operations import Pipelines
from local_aws.sagemaker.registry import Registry
from local_aws.sagemaker.rehearsal import refused
from local_aws.sagemaker.tags import Tags
from local_aws.sagemaker.volumes import of_caller
from local_aws.service import Caller, Invocation, Permission, Service

if TYPE_CHECKING:
    from local_aws.account import Account


class SageMaker(Service):
    """The service: its operations are the methods of its rooms, by AWS's names in snake case."""

    name = "sagemaker"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        tags = self._tags = Tags()
        self.registry = Registry(account, tags)
        self.models = Models(account, tags, self.registry)
        configs = EndpointConfigs(account, tags, self.models)
        self.endpoints = Endpoints(account, tags, configs, self.models)
        training, processing = TrainingJobs(account, tags), ProcessingJobs(account, tags)
        transform = TransformJobs(account, tags, self.models)
        jobs: dict[str, Jobs] = {"training": training, "processing": processing, "transform": transform}
        pipelines = Pipelines(account, tags, jobs)
        self._rooms = (self.registry, self.models, configs, self.endpoints, *jobs.values(), pipelines, tags)
        metrics, capture, usage = Metrics(account), Capture(account), Usage(account, self._instances)
        self._invocations = Invocations(account, self.endpoints, metrics, capture)
        self._periodic = (
            Periodic(account, "health of endpoints", 0.2, self.endpoints.heal),
            Periodic(account, "metrics of requests", 1.0, metrics.publish),
            Periodic(account, "metrics of instances", 10.0, usage.publish),
            Periodic(account, "data capture", 1.0, capture.write),
        )

    def permissions(self, operation: str, params: dict[str, Any]) -> list[Permission]:
        """What the caller of this operation must be allowed."""
        needed = required(operation, params, self._arn, self.registry.next_version)
        if operation == "CreateEndpointConfig":
            needed += of_caller(self.account, params.get("KmsKeyId"))
        return [each._replace(context={**each.context, **self._tags.context(each.resource)}) for each in needed]

    def call(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:  # noqa: ARG002
        """Do one operation; who calls makes no difference once the permissions are checked."""
        method = self._method(operation)
        if method is None:
            known = (name for name in service_model(self.name).operation_names if self._method(name))
            raise refused(f"sagemaker:{operation}", f"it has {', '.join(known)}")
        return method(params)

    def invoke_endpoint(self, name: str, headers: Mapping[str, str], body: bytes) -> Invocation:
        """InvokeEndpoint of the runtime; the caller's permission has been checked."""
        return self._invocations.invoke(name, headers, body)

    def start(self) -> None:
        """Begin background work."""
        for work in self._periodic:
            work.start()

    def stop(self) -> None:
        """End background work; the account ends the processes."""
        for work in self._periodic:
            work.stop()
        self.endpoints.abandon()

    def _method(self, operation: str) -> Callable[[dict[str, Any]], dict[str, Any]] | None:
        name = xform_name(operation)
        return next((getattr(room, name) for room in self._rooms if hasattr(room, name)), None)

    def _arn(self, kind: Kind, name: str) -> str:
        return name if name.startswith("arn:") else self.account.arn("sagemaker", kind.resource(name))

    def _instances(self) -> Iterator[tuple[str, str, ModelServer]]:
        for name in list(self.endpoints.live):
            for deployment in self.endpoints.deployments(name):
                for variant in deployment.variants.values():
                    for server in variant.servers:
                        yield name, variant.name, server
