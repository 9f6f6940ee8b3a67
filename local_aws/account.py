"""The composition root: one AWS account, its services, and what they share."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Self

from local_aws import (
    alarms,
    asked_for,
    cloudformation,
    distributed_map,
    encryption,
    eventbridge,
    home,
    log_pages,
    scans,
    stepfunctions,
    topics,
)
from local_aws.authorization import Authorization, Credentials
from local_aws.autoscaling import ApplicationAutoScaling
from local_aws.calendar import Calendar
from local_aws.clients import Clients
from local_aws.codebuild import CodeBuild
from local_aws.codepipeline import CodePipeline
from local_aws.emulator import Emulator
from local_aws.front import Front
from local_aws.images import Images
from local_aws.journal import Journal
from local_aws.logs import LogStream, LogStreams
from local_aws.processes import Processes
from local_aws.quotas import ServiceQuotas
from local_aws.sagemaker import SageMaker
from local_aws.scans import Scans
from local_aws.scheduler import Scheduler
from local_aws.server import HOST, Server, listen
from local_aws.service import Service
from local_aws.settings import Settings
from local_aws.sources import CodeCommit, CodeConnections
from local_aws.store import Store

LOG = logging.getLogger(__name__)
SERVICES: tuple[type[Service], ...] = (
    *(SageMaker, CodeBuild, CodePipeline, ApplicationAutoScaling),
    *(CodeCommit, CodeConnections, ServiceQuotas),
)


class Account:
    """An AWS account on this machine: `with Account(settings) as account`, one per process.

    `services` are the kinds of services that are ours; MiniStack has the rest.
    """

    url: str
    emulator: Emulator
    journal: Journal
    authorization: Authorization
    front: Front
    processes: Processes
    images: Images
    scheduler: Scheduler
    services: dict[str, Service]

    def __init__(self, settings: Settings, services: Sequence[type[Service]] = SERVICES) -> None:
        self.settings = settings
        self.calendar = Calendar()
        self.scans = Scans()
        self.not_rehearsed: list[str] = []  # what was asked for and has no effect here, in sentences
        self._kinds = services
        self._stores: dict[str, Store] = {}
        self._lock = threading.Lock()
        self._ending = ExitStack()  # what stop does, the last thing started first

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start; returns when every service answers. StartError says why it cannot."""
        listener = listen(self.settings.port)
        self._ending.callback(listener.close)
        try:
            self._start(listener)
        except BaseException:
            self.stop()
            raise

    def _start(self, listener: socket.socket) -> None:
        port = listener.getsockname()[1]
        self.url = f"http://{HOST}:{port}"
        home.prepare(self.settings.home)
        self._ending.enter_context(home.log_to(self.settings.home))
        self.emulator = Emulator(self.settings, port)
        self.journal = Journal(self.settings.home / "calls.jsonl")
        self._ending.callback(self.journal.close)
        self.authorization = Authorization(self.emulator, self.journal, self.settings)
        self._clients = Clients(self.settings, self.url, self.authorization)
        self.images = Images(self)
        self.scheduler = Scheduler(self)
        self.services = {kind.name: kind(self) for kind in self._kinds}
        self.front = Front(self.emulator, self.authorization, self.services)
        self._ending.callback(self.front.close)
        self._server = Server(self.front, listener)
        self._log_streams = LogStreams(self.settings.home / "logs", self.calendar)
        self.processes = Processes()
        for seam in (alarms, cloudformation, asked_for, encryption, eventbridge, log_pages, scans, stepfunctions):
            seam.install(self)
        distributed_map.install(self)  # it goes by what stepfunctions has put in place
        topics.install(self)
        self._ending.callback(self._server.stop)
        self._ending.callback(self._log_streams.close)
        self._ending.callback(self.processes.stop)
        self._server.start()
        for service in self.services.values():
            self._ending.callback(self._stop, service)
            service.start()

    def stop(self) -> None:
        """Stop everything that was started, within about two seconds."""
        self._ending.close()

    def _stop(self, service: Service) -> None:
        try:
            service.stop()
        except Exception:
            LOG.exception("%s did not stop cleanly", service.name)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in this account and region."""
        return f"arn:aws:{service}:{self.settings.region}:{self.settings.account}:{resource}"

    def environment(
        self, role: str | None = None, *, service_principal: str = "", session: str = "", source_arn: str = ""
    ) -> dict[str, str]:
        """The AWS variables of a child process that acts as `role` (None: the root user).

        `service_principal` is the service that assumes the role, for the resource `source_arn`; the role's trust
        policy decides (AwsError).
        """
        return self._clients.environment(self._credentials(role, service_principal, session, source_arn))

    def client(
        self,
        service: str,
        role: str | None = None,
        *,
        service_principal: str = "",
        session: str = "",
        source_arn: str = "",
    ) -> Any:
        """A boto3 client that acts as `role` (None: the root user), under the same rules as `environment`."""
        return self._clients.client(service, self._credentials(role, service_principal, session, source_arn))

    def client_as(self, service: str, credentials: Credentials) -> Any:
        """A boto3 client with the credentials of somebody who calls us."""
        return self._clients.client(service, credentials)

    def store(self, service: str) -> Store:
        """Moto's memory of a service."""
        with self._lock:
            if service not in self._stores:
                self._stores[service] = Store(service, self.settings)
            return self._stores[service]

    def background(self, name: str, work: Callable[[], None]) -> threading.Thread:
        """Run something in a thread that dies with the process; what it raises goes to the log."""

        def logged() -> None:
            try:
                work()
            except Exception:
                LOG.exception("%s failed", name)

        thread = threading.Thread(target=logged, name=name, daemon=True)
        thread.start()
        return thread

    def soon(self, work: Callable[[], object]) -> None:
        """Run something short where MiniStack's state is read and written: on its event loop."""
        self._server.soon(work)

    def emit(self, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()) -> None:
        """Put an event on EventBridge's default bus, as AWS itself does."""
        eventbridge.emit(self, source, detail_type, detail, resources)

    def log_stream(
        self, group: str, stream: str, role: str | None = None, *, service_principal: str = "", source_arn: str = ""
    ) -> LogStream:
        """A log stream that is created, and written, under `role`; its lines are in `<home>/logs` in any case."""

        def client() -> Any:
            return self.client("logs", role, service_principal=service_principal, source_arn=source_arn)

        return self._log_streams.open(group, stream, client)

    def _credentials(self, role: str | None, service_principal: str, session: str, source_arn: str) -> Credentials:
        if role is None:
            return self.authorization.root
        session = session or service_principal.partition(".")[0]
        return self.authorization.assume(role, service_principal, session, source_arn)
