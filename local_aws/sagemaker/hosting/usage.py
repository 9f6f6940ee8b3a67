"""How much of this machine each instance uses, as SageMaker publishes it of its instances."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import psutil

from local_aws.sagemaker.hosting.metrics import dimensions, put
from local_aws.sagemaker.hosting.servers import ModelServer

if TYPE_CHECKING:
    from local_aws.account import Account

Instances = Iterable[tuple[str, str, ModelServer]]


class Usage:
    """CPU, memory and disk of the instances of endpoints, under /aws/sagemaker/Endpoints."""

    def __init__(self, account: Account, instances: Callable[[], Instances]) -> None:
        self._account = account
        self._instances = instances
        self._known: dict[int, psutil.Process] = {}

    def publish(self) -> None:
        """Sample every instance, and send it."""
        put(self._account, "/aws/sagemaker/Endpoints", self.sample())

    def sample(self) -> list[dict[str, Any]]:
        """The metric data of every instance; CPU since the last sample."""
        data: list[dict[str, Any]] = []
        seen: dict[int, psutil.Process] = {}
        for endpoint, variant, server in list(self._instances()):
            with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError):
                shared = {
                    "Dimensions": dimensions(endpoint, variant),
                    "Timestamp": self._account.calendar.now(),
                    "Unit": "Percent",
                }
                used = self._used(server, seen)
                data += [{**shared, "MetricName": name, "Value": value} for name, value in used.items()]
        self._known = seen
        return data

    def _used(self, server: ModelServer, seen: dict[int, psutil.Process]) -> dict[str, float]:
        tree = self._tree(server, seen)
        return {
            # The sum over the cores, as on AWS: 200 on an instance with two busy ones.
            "CPUUtilization": sum(process.cpu_percent() for process in tree),
            "MemoryUtilization": sum(process.memory_percent() for process in tree),
            "DiskUtilization": psutil.disk_usage(str(server.root)).percent,
        }

    def _tree(self, server: ModelServer, seen: dict[int, psutil.Process]) -> list[psutil.Process]:
        """The processes of an instance; kept between samples, because their CPU is measured since the last one."""
        if server.process is None:
            return []
        first = psutil.Process(server.process.pid)
        tree = (first, *first.children(recursive=True))
        return [seen.setdefault(process.pid, self._known.get(process.pid, process)) for process in tree]
