"""Which threads go first."""

from __future__ import annotations

import os
import sys

_NICENESS = 5


def step_back() -> None:
    """Has this thread leave the core to the one that answers small requests."""
    if hasattr(os, "setpriority") and sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
