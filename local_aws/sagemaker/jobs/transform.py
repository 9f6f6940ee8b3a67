"""Transform jobs: a model answers every record of some objects."""

from __future__ import annotations

import http.client
import json
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.sagemaker import roles, volumes
from local_aws.sagemaker.hosting.models import Models
from local_aws.sagemaker.hosting.servers import ModelServer, StartupError
from local_aws.sagemaker.jobs.batches import Batches
from local_aws.sagemaker.jobs.channels import objects_of
from local_aws.sagemaker.jobs.lifecycle import Job, JobError, Jobs, failing_as
from local_aws.sagemaker.kinds import TRANSFORM_JOB
from local_aws.sagemaker.rehearsal import refused, say
from local_aws.sagemaker.storage import Storage, StoredObject
from local_aws.sagemaker.tags import Tags
from local_aws.sagemaker.together import each

if TYPE_CHECKING:
    from local_aws.account import Account

LOGS = "/aws/sagemaker/TransformJobs"
LARGEST_REQUESTS_MB = 100
ADVICE_SECONDS = 5.0
STRATEGIES = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}


class TransformJobs(Jobs):
    """Transform jobs by name."""

    kind = TRANSFORM_JOB

    def __init__(self, account: Account, tags: Tags, models: Models) -> None:
        super().__init__(account, tags)
        self._models = models

    def create_transform_job(self, params: dict[str, Any]) -> dict[str, Any]:
        """CreateTransformJob."""
        self._models.shelf.find(params["ModelName"])
        self._refuse(params)
        resources = params["TransformResources"]
        volumes.check(resources.get("VolumeKmsKeyId"), [resources["InstanceType"]])
        if params.get("MaxConcurrentTransforms", 1) * params.get("MaxPayloadInMB", 6) > LARGEST_REQUESTS_MB:
            raise AwsError(
                "ValidationException",
                f"MaxConcurrentTransforms * MaxPayloadInMB cannot exceed {LARGEST_REQUESTS_MB} MB, got "
                f"{params['MaxConcurrentTransforms']} * {params.get('MaxPayloadInMB', 6)}.",
            )
        if "ExperimentConfig" in params:
            say(self.account, "Experiments are not rehearsed: a transform job records none.")
        return self.begin(params)

    def describe_transform_job(self, params: dict[str, Any]) -> dict[str, Any]:
        """DescribeTransformJob."""
        return self.describe(params)

    def list_transform_jobs(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListTransformJobs."""
        return self.shelf.listed("ListTransformJobs", params)

    def stop_transform_job(self, params: dict[str, Any]) -> dict[str, Any]:
        """StopTransformJob."""
        return self.end(params)

    def work(self, job: Job) -> dict[str, Any]:
        """Start the instances, send them the objects, store the answers."""
        container = self._models.container(job.params["ModelName"])
        key = job.params["TransformResources"].get("VolumeKmsKeyId")
        volumes.grant(self.account, key, container.role, "a transform job")
        storage = Storage(roles.client(self.account, "s3", container.role))
        with failing_as("Failed to list input"):
            objects = objects_of(storage, job.params["TransformInput"]["DataSource"]["S3DataSource"])
        count = job.params["TransformResources"]["InstanceCount"]
        servers = [self._server(job) for _ in range(count)]
        try:
            each(lambda server: self._start(server, job), servers)
            self.update(job, TransformStartTime=datetime.now(UTC))
            shares = [(server, objects[index::count]) for index, server in enumerate(servers)]
            failures = [
                failure for found in each(lambda it: self._transform(job, storage, *it), shares) for failure in found
            ]
        finally:
            each(ModelServer.stop, servers)
        if failures:
            raise JobError(f"{failures[0]}: See job logs for more information")
        return {}

    def _refuse(self, params: dict[str, Any]) -> None:
        given = params["TransformInput"]
        if given.get("SplitType", "None") not in ("None", "Line"):
            raise refused(f"SplitType {given['SplitType']}", "use None or Line")
        if given.get("CompressionType", "None") != "None":
            raise refused(f"CompressionType {given['CompressionType']}", "leave it out")
        if params.get("DataProcessing", {}).keys() - {"JoinSource"} or _joins(params):
            raise refused("DataProcessing of a transform job", "leave it out")
        if params.get("DataCaptureConfig"):
            raise refused("DataCaptureConfig of a transform job", "leave it out")
        if params.get("MaxPayloadInMB") == 0:
            raise refused("MaxPayloadInMB 0 (a request of any size)", "give a size")

    def _server(self, job: Job) -> ModelServer:
        container = self._models.container(job.params["ModelName"])
        identity = f"i-{secrets.token_hex(8)}"
        log = self.account.log_stream(LOGS, f"{job.name}/{identity}", container.role, service_principal=roles.PRINCIPAL)
        return ModelServer(self.account, container, job.root / identity, log, "model", "transform job")

    def _start(self, server: ModelServer, job: Job) -> None:
        params = job.params
        settings = {
            **params.get("Environment", {}),
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(params.get("MaxPayloadInMB", 6)),
            "SAGEMAKER_BATCH_STRATEGY": STRATEGIES[params.get("BatchStrategy", "MultiRecord")],
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(params.get("MaxConcurrentTransforms", 1)),
        }
        try:
            server.start(settings)
        except StartupError as failure:
            raise JobError(f"ClientError: {failure}") from failure

    def _transform(self, job: Job, storage: Storage, server: ModelServer, objects: list[StoredObject]) -> list[str]:
        """Answer some objects with one instance; the kinds of error of those that failed."""
        log = self.account.log_stream(
            LOGS,
            f"{job.name}/{server.root.name}/data-log",
            server.container.role,
            service_principal=roles.PRINCIPAL,
        )
        params = {**_advice(server), **job.params}
        log.write(
            f"{_now()}:[sagemaker logs]: MaxConcurrentTransforms={params['MaxConcurrentTransforms']}, "
            f"MaxPayloadInMB={params['MaxPayloadInMB']}, BatchStrategy={STRATEGIES[params['BatchStrategy']]}"
        )
        try:
            with failing_as("Failed to transfer data"):
                return Batches(
                    job, params, server, storage, lambda line: log.write(f"{_now()}:[sagemaker logs]: {line}")
                ).run(objects)
        finally:
            log.close()


def _joins(params: dict[str, Any]) -> bool:
    return params.get("DataProcessing", {}).get("JoinSource", "None") != "None"


def _advice(server: ModelServer) -> dict[str, Any]:
    """What the container recommends at /execution-parameters, which it need not have, over SageMaker's defaults."""
    defaults = {"MaxConcurrentTransforms": 1, "MaxPayloadInMB": 6, "BatchStrategy": "MultiRecord"}
    try:
        response = server.request("GET", "/execution-parameters", b"", {}, ADVICE_SECONDS)
        advised = json.loads(response.body) if response.status == http.client.OK else {}
    except (OSError, http.client.HTTPException, ValueError):
        return defaults
    names = {value: key for key, value in STRATEGIES.items()}
    if "BatchStrategy" in advised:
        advised["BatchStrategy"] = names.get(advised["BatchStrategy"], advised["BatchStrategy"])
    return {name: advised.get(name, value) for name, value in defaults.items()}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
