"""Training jobs: a program that reads channels and leaves a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local_aws.sagemaker import roles, volumes
from local_aws.sagemaker.attaching import attach
from local_aws.sagemaker.jobs.channels import fetch_source
from local_aws.sagemaker.jobs.hosts import Host, pull_for
from local_aws.sagemaker.jobs.lifecycle import Job, Jobs, JobStoppedError, failing_as
from local_aws.sagemaker.kinds import TRAINING_JOB
from local_aws.sagemaker.rehearsal import refused, say
from local_aws.sagemaker.storage import Storage, pack

LOGS = "/aws/sagemaker/TrainingJobs"
GRACE_SECONDS = 120
MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading the training image and the input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
SAID = {
    "CheckpointConfig": "Checkpoints of training jobs are not rehearsed: none is copied to S3.",
    "ExperimentConfig": "Experiments are not rehearsed: a training job records none.",
}


class TrainingJobs(Jobs):
    """Training jobs by name."""

    kind = TRAINING_JOB

    def create_training_job(self, params: dict[str, Any]) -> dict[str, Any]:
        """CreateTrainingJob."""
        self._refuse(params)
        cluster = params["ResourceConfig"]
        volumes.check(cluster.get("VolumeKmsKeyId"), [cluster.get("InstanceType", "")])
        roles.check_trust(self.account, params["RoleArn"])
        attach(self.account, params.get("VpcConfig"), params["RoleArn"], "a training job")
        for member in SAID.keys() & params.keys():
            say(self.account, SAID[member])
        folder = params["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        artifact = f"{folder}/{params['TrainingJobName']}/output/model.tar.gz"
        return self.begin(
            params,
            ModelArtifacts={"S3ModelArtifacts": artifact},
            SecondaryStatus="Starting",
            SecondaryStatusTransitions=[_transition("Starting")],
        )

    def describe_training_job(self, params: dict[str, Any]) -> dict[str, Any]:
        """DescribeTrainingJob."""
        return self.describe(params)

    def list_training_jobs(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListTrainingJobs."""
        return self.shelf.listed("ListTrainingJobs", params)

    def stop_training_job(self, params: dict[str, Any]) -> dict[str, Any]:
        """StopTrainingJob: the program has two minutes after SIGTERM to leave a model."""
        return self.end(params)

    def work(self, job: Job) -> dict[str, Any]:
        """Download, train, upload."""
        host = Host(self.account, job, 1, 1)
        params = job.params
        storage = Storage(roles.client(self.account, "s3", params["RoleArn"]))
        volumes.grant(self.account, params["ResourceConfig"].get("VolumeKmsKeyId"), params["RoleArn"], "a training job")
        self._enter(job, "Downloading")
        image = pull_for(self.account, params["AlgorithmSpecification"]["TrainingImage"], params["RoleArn"])
        self._prepare(host, job, storage)
        job.check()
        self._enter(job, "Training", TrainingStartTime=datetime.now(UTC))
        try:
            metrics = self._train(host, job, image)
        except JobStoppedError:
            self._upload(host, job, storage)  # what it saved in its last two minutes
            raise
        self._enter(job, "Uploading")
        self._upload(host, job, storage)
        return {"FinalMetricDataList": metrics}

    def ended(self, item: Mapping[str, Any], status: str, reason: str | None) -> dict[str, Any]:
        """Besides the status: the secondary status, and the time it took."""
        by_itself = status == "Stopped" and item["TrainingJobStatus"] != "Stopping"
        members = super().ended(item, status, reason)
        if "TrainingStartTime" in item:
            seconds = max(1, round((members["TrainingEndTime"] - item["TrainingStartTime"]).total_seconds()))
            members |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        return {**members, **_entered(item, "MaxRuntimeExceeded" if by_itself else status, reason)}

    def _refuse(self, params: dict[str, Any]) -> None:
        algorithm = params.get("AlgorithmSpecification", {})
        if "TrainingImage" not in algorithm:
            raise refused("A training job without a TrainingImage", "name an image")
        if algorithm["TrainingInputMode"] == "Pipe":
            raise refused("TrainingInputMode Pipe", "use File or FastFile")
        if params["ResourceConfig"].get("InstanceCount", 1) > 1 or "InstanceGroups" in params["ResourceConfig"]:
            raise refused("A training job on several instances", "use InstanceCount 1")
        if params["OutputDataConfig"].get("CompressionType") == "NONE":
            raise refused("A model that is not compressed", "leave CompressionType out")

    def _enter(self, job: Job, status: str, **members: Any) -> None:
        self.update(job, **members, **_entered(self.shelf.find(job.name), status))
        self.report(self.shelf.find(job.name))

    def _prepare(self, host: Host, job: Job, storage: Storage) -> None:
        params = job.params
        channels = params.get("InputDataConfig", [])
        with failing_as("Data download failed"):
            for channel in channels:
                job.check()
                folder = host.root / "input" / "data" / channel["ChannelName"]
                fetch_source(storage, channel["DataSource"]["S3DataSource"], folder, host)
        for folder in ("model", "output/data"):
            (host.root / folder).mkdir(parents=True)
        host.configure("input/config/hyperparameters.json", params.get("HyperParameters", {}))
        host.configure("input/config/inputdataconfig.json", {each["ChannelName"]: _channel(each) for each in channels})
        host.configure(
            "input/config/resourceconfig.json", host.resources(params["ResourceConfig"].get("InstanceType", ""))
        )

    def _train(self, host: Host, job: Job, image: Any) -> list[dict[str, Any]]:
        params = job.params
        algorithm = params["AlgorithmSpecification"]
        entrypoint = algorithm.get("ContainerEntrypoint", image.command)
        arguments = algorithm.get("ContainerArguments", [] if "ContainerEntrypoint" in algorithm else ["train"])
        metrics = _Metrics(algorithm.get("MetricDefinitions", []))
        environment = {
            **params.get("Environment", {}),
            "TRAINING_JOB_NAME": job.name,
            "TRAINING_JOB_ARN": self.shelf.arn(job.name),
        }
        isolated = params.get("EnableNetworkIsolation", False)
        code = host.run(
            image,
            [*entrypoint, *arguments],
            environment,
            LOGS,
            grace=GRACE_SECONDS,
            isolated=isolated,
            on_line=metrics.read,
        )
        if code:
            raise host.failure(code)
        return metrics.last

    def _upload(self, host: Host, job: Job, storage: Storage) -> None:
        output = job.params["OutputDataConfig"]
        target = self.shelf.find(job.name)["ModelArtifacts"]["S3ModelArtifacts"].removesuffix("model.tar.gz")
        with failing_as("Artifact upload failed"):
            for folder, name in (("model", "model.tar.gz"), ("output/data", "output.tar.gz")):
                if any((host.root / folder).iterdir()):
                    pack([host.root / folder], job.root / name)
                    storage.upload(job.root / name, target + name, output.get("KmsKeyId"))


class _Metrics:
    """The last value of each metric that the regular expressions find in the log."""

    def __init__(self, definitions: list[dict[str, str]]) -> None:
        self._patterns = [(each["Name"], re.compile(each["Regex"])) for each in definitions]
        self._last: dict[str, dict[str, Any]] = {}

    @property
    def last(self) -> list[dict[str, Any]]:
        return list(self._last.values())

    def read(self, line: str) -> None:
        for name, pattern in self._patterns:
            if found := pattern.search(line):
                self._last[name] = {"MetricName": name, "Value": float(found[1]), "Timestamp": datetime.now(UTC)}


def _channel(channel: dict[str, Any]) -> dict[str, str]:
    return {
        "TrainingInputMode": channel.get("InputMode", "File"),
        "S3DistributionType": channel["DataSource"]["S3DataSource"].get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        "ContentType": channel.get("ContentType", ""),
    }


def _transition(status: str, reason: str | None = None) -> dict[str, Any]:
    return {"Status": status, "StartTime": datetime.now(UTC), "StatusMessage": reason or MESSAGES[status]}


def _entered(item: Mapping[str, Any], status: str, reason: str | None = None) -> dict[str, Any]:
    """The members of a job that enters a secondary status: the one before it ends."""
    *earlier, last = item["SecondaryStatusTransitions"]
    transition = _transition(status, reason)
    ended = {**last, "EndTime": transition["StartTime"]}
    return {"SecondaryStatus": status, "SecondaryStatusTransitions": [*earlier, ended, transition]}
