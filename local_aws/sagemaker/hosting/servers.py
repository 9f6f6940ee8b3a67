"""A model server: one process of a model's container, as an instance of an endpoint or of a transform job."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import random
import shutil
import socket
import tarfile
import threading
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from local_aws.errors import AwsError
from local_aws.sagemaker import roles
from local_aws.sagemaker.containers import Container, environment_of
from local_aws.sagemaker.hosting.connections import HOST, Connections, Response
from local_aws.sagemaker.pulling import PullError, pull
from local_aws.sagemaker.storage import Storage, StorageError, unpack

if TYPE_CHECKING:
    from local_aws.account import Account
    from local_aws.images import Image
    from local_aws.logs import LogStream
    from local_aws.processes import Process

PING_SECONDS = 2.0  # SageMaker's own limit for an answer to /ping
PING_PAUSE_SECONDS = 0.05
STARTUP_SECONDS = 480.0
DRAIN_SECONDS = 60.0  # the longest that an invocation may take
TERMINATION_SECONDS = 30.0
# Each in turn, so that servers that start at once do not get the same; below the ports of outgoing connections.
PORTS = itertools.cycle(random.SystemRandom().sample(range(20_000, 32_000), 12_000))


class StartupError(Exception):
    """An instance cannot serve; the message completes the FailureReason."""


class ModelServer:
    """A process that answers /ping and /invocations on a port of its own, with its own /opt/ml at `root`.

    `label` and `of` name it in sentences: "production variant A" of an "endpoint".
    """

    def __init__(self, account: Account, container: Container, root: Path, log: LogStream, label: str, of: str) -> None:
        self.container = container
        self.root = root
        self.label = label
        self._of = of
        self.busy = 0
        self.process: Process | None = None
        self._account = account
        self._log = log
        self._connections = Connections(0)
        self._draining = False
        self._lost = False
        self._changed = threading.Condition()

    @property
    def alive(self) -> bool:
        """Whether it can be given requests."""
        return not (self._draining or self._lost) and self.process is not None and self.process.alive

    def start(self, settings: Mapping[str, str], seconds: float = STARTUP_SECONDS) -> None:
        """Pull, download, start, and wait until /ping answers 200; StartupError when it does not in `seconds`."""
        try:
            image = pull(self._account, self.container.image, self.container.role)
            self._fetch_model()
            self._run(image, settings)
            self._wait(seconds)
        except PullError as error:
            raise StartupError(
                f"The role '{self.container.role}' does not have BatchGetImage permission for the image: "
                f"'{self.container.image}'. ({error})"
            ) from error
        except AwsError as error:
            raise StartupError(error.message) from error

    def acquire(self) -> bool:
        """Reserve it for one request; False when it serves no more."""
        with self._changed:
            if not self.alive:
                return False
            self.busy += 1
            return True

    def release(self) -> None:
        """The request is over."""
        with self._changed:
            self.busy -= 1
            self._changed.notify_all()

    def request(self, method: str, path: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Response:
        """Send a request to the container; OSError or http.client.HTTPException when it does not answer."""
        return self._connections.request(method, path, body, headers, timeout)

    def lose(self) -> None:
        """Nobody listens there any more, whether or not its process has been seen to end."""
        self._lost = True

    def stop(self) -> None:
        """Take no new request, let the running ones end, then end the process: SIGTERM, and SIGKILL after 30 s."""
        with self._changed:
            self._draining = True
            self._changed.wait_for(lambda: self.busy == 0, DRAIN_SECONDS)
        self._connections.close()
        if self.process:
            self.process.stop(TERMINATION_SECONDS)
        self._log.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def _fetch_model(self) -> None:
        model = self.root / "model"
        model.mkdir(parents=True, exist_ok=True)
        if self.container.artifact is None:
            return
        archive = self.root / "model.tar.gz"
        try:
            Storage(roles.client(self._account, "s3", self.container.role)).download(self.container.artifact, archive)
            unpack(archive, model)
        except (StorageError, tarfile.TarError, zlib.error, EOFError, OSError) as error:
            raise StartupError(
                f'Failed to download model data for {self.label} from URL: "{self.container.artifact}". Please ensure '
                f"that there is an object located at the URL, that it is a tar.gz, and that the role passed to "
                f"CreateModel has permissions to download the object. ({error})"
            ) from error
        archive.unlink()

    def _run(self, image: Image, settings: Mapping[str, str]) -> None:
        port = _free_port()
        self._connections = Connections(port)
        given = {
            **self.container.environment,
            **settings,
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "BIND_HOST": HOST,
        }
        isolated = self.container.isolated
        environment = environment_of(self._account, image, self.container.role, self.root, given, isolated=isolated)
        try:
            self.process = self._account.processes.start(
                [*image.command, "serve"],
                name=f"{self.label} {self.root.name}",
                cwd=image.folder,
                environment=environment,
                on_line=self._log.write,
            )
        except OSError as error:
            raise StartupError(f"The container of {self.label} cannot be started: {error}.") from error

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.alive:
            try:
                if self.request("GET", "/ping", b"", {}, PING_SECONDS).status == http.client.OK:
                    return
            except (OSError, http.client.HTTPException):
                pass  # it does not listen yet
            time.sleep(PING_PAUSE_SECONDS)
        # SageMaker would go on starting a container that ends at once until the time is up; the outcome is the same.
        raise StartupError(
            f"The primary container for {self.label} did not pass the ping health check. "
            f"Please check CloudWatch logs for this {self._of}."
        )


def _free_port() -> int:
    for port in PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            break
    return port
