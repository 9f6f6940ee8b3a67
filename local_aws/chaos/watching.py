"""What an endpoint does while somebody releases: which config answers how much, and through which statuses it goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from local_aws.account import Account

if TYPE_CHECKING:
    from local_aws.sagemaker import SageMaker

EVERY_SECONDS = 0.5


@dataclass
class Watched:
    """The statuses of an endpoint one after the other, and how many requests each config answered meanwhile."""

    statuses: list[str] = field(default_factory=list)
    shares: list[dict[str, int]] = field(default_factory=list)
    """Requests by config, each half second."""

    @property
    def requests(self) -> dict[str, int]:
        """By config, the newest last."""
        found: dict[str, int] = {}
        for counted in self.shares:
            for config, requests in counted.items():
                found[config] = found.get(config, 0) + requests
        return found

    def share_beside(self, config: str) -> float:
        """The share of *config* while it and another one answered; 0 where none did at the same time."""
        both = [counted for counted in self.shares if config in counted and len(counted) > 1]
        whole = sum(sum(counted.values()) for counted in both)
        return sum(counted[config] for counted in both) / whole if whole else 0.0


class Watcher:
    """Looks at one endpoint from outside twice a second."""

    def __init__(self, account: Account, endpoint: str) -> None:
        self._sagemaker = account.client("sagemaker")
        self._service = cast("SageMaker", account.services["sagemaker"])
        self._endpoint = endpoint

    @contextmanager
    def watch(self) -> Iterator[Watched]:
        """Watches until the block ends."""
        watched, ended = Watched(), threading.Event()
        thread = threading.Thread(target=self._look, args=(watched, ended), daemon=True)
        thread.start()
        try:
            yield watched
        finally:
            ended.set()
            thread.join()

    def config(self) -> str:
        """The name of the config that the endpoint has now."""
        return self._sagemaker.describe_endpoint(EndpointName=self._endpoint)["EndpointConfigName"]

    def wait_for(self, status: str, seconds: float) -> bool:
        """Whether the endpoint gets that status in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._sagemaker.describe_endpoint(EndpointName=self._endpoint)["EndpointStatus"] == status:
                return True
            time.sleep(EVERY_SECONDS / 2)
        return False

    def _look(self, watched: Watched, ended: threading.Event) -> None:
        before = self._counts()
        while not ended.wait(EVERY_SECONDS):
            now = self._counts()
            counted = {name: count - before.get(name, 0) for name, count in now.items() if count > before.get(name, 0)}
            before = now
            watched.shares.append(counted)
            status = self._sagemaker.describe_endpoint(EndpointName=self._endpoint)["EndpointStatus"]
            if not watched.statuses or watched.statuses[-1] != status:
                watched.statuses.append(status)

    def _counts(self) -> dict[str, int]:
        return {name: requests for name, (requests, _) in self._service.endpoints.traffic(self._endpoint).items()}
