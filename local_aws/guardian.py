"""The process that ends ours: when the account's process is gone, however it went, so are its children.

It runs as a script with nothing but the standard library, so that it starts at once and weighs little.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

MARK = "LOCAL_AWS_RUN"


class Guardian:
    """Our end of the pipe that the guardian reads; it acts when the pipe closes.

    Children are found by the process group that was told to it, and, where the system shows a process's
    environment (/proc), by the mark that everything started from here inherits.
    """

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex
        os.environ[MARK] = self.mark
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, self.mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            env={},
        )

    def watch(self, group: int) -> None:
        """From now on this process group dies with us."""
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """The process group has ended; its number may come to mean another."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Kill whatever is left of our children, as at our own death."""
        os.environ.pop(MARK, None)
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        if self._process.stdin:
            os.write(self._process.stdin.fileno(), line.encode())  # one short write: whole lines, from any thread


def main(mark: str) -> None:
    """Read process groups until the pipe closes, then kill them and everything that carries the mark."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while (left := _marked(f"{MARK}={mark}".encode())) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)  # a process that was being born while we looked is seen on the next round


def _marked(mark: bytes) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(folder.name) != os.getpid() and mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


if __name__ == "__main__":
    main(sys.argv[1])
