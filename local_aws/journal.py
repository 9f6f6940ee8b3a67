"""Every call with its caller, action, resource and decision."""

import json
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DENIALS_KEPT = 1000


@dataclass(frozen=True)
class Decision:
    """What IAM decided about one action of one caller.

    `decision` is "allow", "deny" (a statement forbids it), "implicit-deny" (none allows it) or the code with which
    the credentials themselves were refused; `request_id` is the same for all decisions of one request.
    """

    caller: str
    service: str
    action: str
    resource: str
    decision: str
    request_id: str = ""
    context: Mapping[str, str] = field(default_factory=dict)
    time: float = field(default_factory=time.time)


class Journal:
    """Decisions as JSON Lines, written by a thread of its own so that no call waits for the disk.

    In memory are only the counts, by action and decision, and the last thousand denials.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[tuple[str, str]] = Counter()
        self.denials: deque[Decision] = deque(maxlen=DENIALS_KEPT)
        self._queue: queue.Queue[Decision | None] = queue.Queue()
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writer.start()

    def record(self, decision: Decision) -> None:
        """Keep a decision."""
        self._queue.put(decision)

    def flush(self) -> None:
        """Wait until everything recorded so far is counted and in the file."""
        self._queue.join()

    def close(self) -> None:
        """Write what is waiting, and end."""
        self._queue.put(None)
        self._writer.join()

    def _write(self) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            while (decision := self._queue.get()) is not None:
                self.counts[decision.action, decision.decision] += 1
                if decision.decision != "allow":
                    self.denials.append(decision)
                file.write(json.dumps(vars(decision), default=str) + "\n")
                if self._queue.empty():
                    file.flush()
                self._queue.task_done()
