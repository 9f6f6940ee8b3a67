"""Work that is done again and again for as long as the account is up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)


class Periodic:
    """A thread that does one thing every so many seconds; a failure is logged, and the next time is another chance."""

    def __init__(self, account: Account, name: str, seconds: float, work: Callable[[], None]) -> None:
        self._account = account
        self._name = name
        self._seconds = seconds
        self._work = work
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin."""
        self._account.background(self._name, self._run)

    def stop(self) -> None:
        """End after the present time."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._work()
            except Exception:
                LOG.exception("%s failed this time", self._name)
