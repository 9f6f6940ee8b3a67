"""A variant of an endpoint: a fleet of instances of one model, with a share of the traffic."""

from __future__ import annotations

import logging
import random
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.sagemaker.containers import Container
from local_aws.sagemaker.hosting.servers import STARTUP_SECONDS, ModelServer, StartupError
from local_aws.sagemaker.roles import PRINCIPAL
from local_aws.sagemaker.together import each

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)
RETRY_SECONDS = 2.0
CHANCE = random.SystemRandom()


class Variant:
    """The instances of one production variant; `servers` is replaced whole, so that requests need no lock."""

    def __init__(
        self, account: Account, endpoint: str, config: Mapping[str, Any], find: Callable[[], Container]
    ) -> None:
        self.name: str = config["VariantName"]
        self.config = config
        self.weight: float = config["InitialVariantWeight"]
        self.desired: int = config.get("InitialInstanceCount", 1)
        self.servers: tuple[ModelServer, ...] = ()
        self._account = account
        self._endpoint = endpoint
        self._find_container = find
        self._retired = False
        self._replacing: set[ModelServer] = set()
        self._scaling = threading.Lock()

    @property
    def serverless(self) -> Mapping[str, Any] | None:
        """The ServerlessConfig, if it has one."""
        return self.config.get("ServerlessConfig")

    @property
    def busy(self) -> int:
        """The requests that its instances are answering."""
        return sum(server.busy for server in self.servers)

    def lease(self) -> ModelServer | None:
        """An instance, reserved for one request; None when none serves."""
        servers = list(self.servers)
        if self.config.get("RoutingConfig", {}).get("RoutingStrategy") == "LEAST_OUTSTANDING_REQUESTS":
            servers.sort(key=lambda server: server.busy)
        elif len(servers) > 1:
            CHANCE.shuffle(servers)
        return next((server for server in servers if server.acquire()), None)

    def scale(self, count: int) -> None:
        """Have this many instances. Raises StartupError, and keeps what it had, when new ones cannot serve."""
        with self._scaling:
            self.desired = count
            missing = count - len(self.servers)
            if missing > 0:
                self.servers += tuple(self._launch(missing))
                return
            leaving = self.servers[count:]
            self.servers = self.servers[:count]
        each(ModelServer.stop, leaving)

    def retire(self) -> None:
        """Stop every instance once its requests are answered."""
        self.abandon()
        self.scale(0)

    def abandon(self) -> None:
        """Replace no instance any more."""
        self._retired = True

    def heal(self) -> None:
        """Begin to replace the instances whose process has died."""
        for server in self.servers:
            if not server.alive and server not in self._replacing and not self._retired:
                self._replacing.add(server)
                name = f"replacement in {self._endpoint} {self.name}"
                self._account.background(name, lambda dead=server: self._replace(dead))

    def _replace(self, dead: ModelServer) -> None:
        while not self._retired:
            try:
                (fresh,) = self._launch(1)
            except StartupError as failure:
                LOG.warning("a replacement for a dead instance of %s %s failed: %s", self._endpoint, self.name, failure)
                time.sleep(RETRY_SECONDS)
                continue
            with self._scaling:
                wanted = dead in self.servers
                self.servers = tuple(fresh if server is dead else server for server in self.servers)
            self._replacing.discard(dead)
            (dead if wanted else fresh).stop()
            return

    def _launch(self, count: int) -> list[ModelServer]:
        try:
            servers = [self._new_server() for _ in range(count)]
        except AwsError as error:  # the model is gone, or its package is no longer approved
            raise StartupError(error.message) from error
        seconds = self.config.get("ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_SECONDS)
        try:
            each(lambda server: server.start({}, seconds), servers)
        except StartupError:
            each(ModelServer.stop, servers)
            raise
        return servers

    def _new_server(self) -> ModelServer:
        container = self._find_container()
        identity = f"i-{secrets.token_hex(8)}"
        root = self._account.settings.home / "sagemaker" / "endpoint" / self._endpoint / self.name / identity
        log = self._account.log_stream(
            f"/aws/sagemaker/Endpoints/{self._endpoint}",
            f"{self.name}/{identity}",
            container.role,
            service_principal=PRINCIPAL,
        )
        return ModelServer(self._account, container, root, log, f"production variant {self.name}", "endpoint")
