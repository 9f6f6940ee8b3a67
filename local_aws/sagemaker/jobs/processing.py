"""Processing jobs: a program that reads folders and leaves folders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from local_aws.sagemaker import roles, volumes
from local_aws.sagemaker.attaching import attach
from local_aws.sagemaker.jobs.channels import fetch_source
from local_aws.sagemaker.jobs.hosts import Host, pull_for
from local_aws.sagemaker.jobs.lifecycle import Job, Jobs, failing_as
from local_aws.sagemaker.kinds import PROCESSING_JOB
from local_aws.sagemaker.rehearsal import refused, say
from local_aws.sagemaker.storage import Storage
from local_aws.sagemaker.together import each

LOGS = "/aws/sagemaker/ProcessingJobs"
GRACE_SECONDS = 30


class ProcessingJobs(Jobs):
    """Processing jobs by name."""

    kind = PROCESSING_JOB

    def create_processing_job(self, params: dict[str, Any]) -> dict[str, Any]:
        """CreateProcessingJob."""
        for given in params.get("ProcessingInputs", ()):
            if "S3Input" not in given:
                raise refused("A processing input that is not an S3Input", "give an S3Input")
        for given in params.get("ProcessingOutputConfig", {}).get("Outputs", ()):
            if "S3Output" not in given:
                raise refused("A processing output that is not an S3Output", "give an S3Output")
        if "ExperimentConfig" in params:
            say(self.account, "Experiments are not rehearsed: a processing job records none.")
        cluster = params["ProcessingResources"]["ClusterConfig"]
        volumes.check(cluster.get("VolumeKmsKeyId"), [cluster["InstanceType"]])
        roles.check_trust(self.account, params["RoleArn"])
        network = params.get("NetworkConfig", {})
        attach(self.account, network.get("VpcConfig"), params["RoleArn"], "a processing job")
        if network.get("EnableInterContainerTrafficEncryption"):
            say(self.account, "Encryption between the instances of a processing job is not rehearsed.")
        return self.begin(params)

    def describe_processing_job(self, params: dict[str, Any]) -> dict[str, Any]:
        """DescribeProcessingJob."""
        return self.describe(params)

    def list_processing_jobs(self, params: dict[str, Any]) -> dict[str, Any]:
        """ListProcessingJobs."""
        return self.shelf.listed("ListProcessingJobs", params)

    def stop_processing_job(self, params: dict[str, Any]) -> dict[str, Any]:
        """StopProcessingJob."""
        return self.end(params)

    def work(self, job: Job) -> dict[str, Any]:
        """Download, run on every host, upload."""
        params = job.params
        cluster = params["ProcessingResources"]["ClusterConfig"]
        count = cluster["InstanceCount"]
        hosts = [Host(self.account, job, number, count) for number in range(1, count + 1)]
        volumes.grant(self.account, cluster.get("VolumeKmsKeyId"), params["RoleArn"], "a processing job")
        storage = Storage(roles.client(self.account, "s3", params["RoleArn"]))
        image = pull_for(self.account, params["AppSpecification"]["ImageUri"], params["RoleArn"])
        each(lambda host: self._prepare(host, job, storage), hosts)
        self.update(job, ProcessingStartTime=datetime.now(UTC))
        try:
            each(lambda host: self._process(host, job, image), hosts)
        finally:
            self.update(job, ExitMessage=_message(hosts))
        with failing_as("Failed to upload output"):
            for host in hosts:
                self._upload(host, job, storage)
        return {}

    def _prepare(self, host: Host, job: Job, storage: Storage) -> None:
        cluster = job.params["ProcessingResources"]["ClusterConfig"]
        with failing_as("Failed to download data"):
            for given in job.params.get("ProcessingInputs", ()):
                job.check()
                fetch_source(storage, given["S3Input"], host.path(given["S3Input"]["LocalPath"]), host)
        for given in job.params.get("ProcessingOutputConfig", {}).get("Outputs", ()):
            host.path(given["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)
        (host.root / "output").mkdir(parents=True, exist_ok=True)
        host.configure("config/processingjobconfig.json", _plain(self.shelf.find(job.name)))
        host.configure("config/resourceconfig.json", host.resources(cluster["InstanceType"]))

    def _process(self, host: Host, job: Job, image: Any) -> None:
        application = job.params["AppSpecification"]
        command = [
            *application.get("ContainerEntrypoint", image.command),
            *application.get("ContainerArguments", ()),
        ]
        environment = {
            **job.params.get("Environment", {}),
            "PROCESSING_JOB_NAME": job.name,
            "PROCESSING_JOB_ARN": self.shelf.arn(job.name),
        }
        isolated = job.params.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
        code = host.run(image, command, environment, LOGS, grace=GRACE_SECONDS, isolated=isolated)
        if code:
            raise host.failure(code)

    def _upload(self, host: Host, job: Job, storage: Storage) -> None:
        config = job.params.get("ProcessingOutputConfig", {})
        for given in config.get("Outputs", ()):
            output = given["S3Output"]
            storage.upload_folder(host.path(output["LocalPath"]), output["S3Uri"], config.get("KmsKeyId"))


def _message(hosts: list[Host]) -> str | None:
    """What the program wrote to /opt/ml/output/message."""
    files = [host.root / "output" / "message" for host in hosts]
    return "\n".join(file.read_text(errors="replace") for file in files if file.is_file())[:1024] or None


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if not isinstance(value, datetime)}
