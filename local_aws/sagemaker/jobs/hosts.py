"""A host of a job: a program of an image, run once, with its own /opt/ml."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_aws.sagemaker import roles
from local_aws.sagemaker.containers import environment_of
from local_aws.sagemaker.jobs.lifecycle import Job, JobError, JobStoppedError
from local_aws.sagemaker.pulling import PullError, pull

if TYPE_CHECKING:
    from local_aws.account import Account
    from local_aws.images import Image

ML = "/opt/ml/"
POLL_SECONDS = 0.1


class Host:
    """One instance of a job, named algo-1, algo-2, ... as on AWS; `root` stands for its /opt/ml."""

    def __init__(self, account: Account, job: Job, number: int, count: int) -> None:
        self.name = f"algo-{number}"
        self.index = number - 1
        self.count = count
        self.root = job.root / self.name
        self._account = account
        self._job = job

    def path(self, path: str) -> Path:
        """The folder of this machine that stands for a path in the container."""
        if not f"{path}/".startswith(ML) or ".." in path.split("/"):
            raise JobError(f"ClientError: LocalPath {path!r} is outside /opt/ml; give one below /opt/ml/processing.")
        return self.root / path.removeprefix(ML.rstrip("/")).strip("/")

    def configure(self, name: str, content: Any) -> None:
        """Write a file that the container reads its configuration from."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))

    def resources(self, instance_type: str) -> dict[str, Any]:
        """What resourceconfig.json says."""
        hosts = [f"algo-{number}" for number in range(1, self.count + 1)]
        return {
            "current_host": self.name,
            "current_instance_type": instance_type,
            "current_group_name": "homogeneousCluster",
            "hosts": hosts,
            "instance_groups": [
                {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": hosts}
            ],
            "network_interface_name": "lo",
        }

    def run(
        self,
        image: Image,
        command: Sequence[str],
        environment: Mapping[str, str],
        group: str,
        *,
        grace: float,
        isolated: bool,
        on_line: Callable[[str], None] | None = None,
    ) -> int:
        """Run a command of the image to its end; its exit code. Raises JobStoppedError when the job had to end."""
        if not command:
            raise JobError("ClientError: the image has no entrypoint, and the job gives no ContainerEntrypoint")
        role = self._job.params["RoleArn"]
        variables = environment_of(self._account, image, role, self.root, environment, isolated=isolated)
        stream = f"{self._job.name}/{self.name}-{int(time.time())}"
        log = self._account.log_stream(group, stream, role, service_principal=roles.PRINCIPAL)

        def write(line: str) -> None:
            log.write(line)
            if on_line:
                on_line(line)

        try:
            process = self._account.processes.start(
                command, name=f"{self._job.name} {self.name}", cwd=image.folder, environment=variables, on_line=write
            )
            while process.wait(POLL_SECONDS) is None:
                if self._job.stopping.is_set() or self._job.overdue:
                    process.stop(grace)
                    raise JobStoppedError
        except OSError as error:
            raise JobError(f"ClientError: the container could not be started: {error}") from error
        else:
            return process.returncode or 0
        finally:
            log.close()

    def failure(self, code: int) -> JobError:
        """Why the program failed: what it wrote to /opt/ml/output/failure, and its exit code."""
        file = self.root / "output" / "failure"
        written = file.read_text(errors="replace")[:1024].strip() if file.is_file() else ""
        return JobError(f"AlgorithmError: {written}, exit code: {code}")


def pull_for(account: Account, uri: str, role: str) -> Image:
    """The image of a job; JobError when its role may not pull it."""
    try:
        return pull(account, uri, role)
    except PullError as error:
        raise JobError(
            f"ClientError: Cannot pull algorithm container. Either the image does not exist or its permissions are "
            f"incorrect. ({error})"
        ) from error
