"""Children that die with us."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local_aws.errors import AwsError
from local_aws.guardian import MARK, Guardian

LOG = logging.getLogger(__name__)
LONGEST_LINE = 64 * 1024
LAST_LINES_SECONDS = 1.0


class Process:
    """A running command, leader of a session of its own.

    When it ends, what is left of its process group is killed: a container ends with its first process.
    """

    def __init__(self, name: str, popen: subprocess.Popen[bytes], on_line: Callable[[str], None]) -> None:
        self.name = name
        self.pid = popen.pid
        self._popen = popen
        self._on_line = on_line
        self._ended = threading.Event()

    @property
    def returncode(self) -> int | None:
        """The exit code (negative: the signal that ended it); None until it has ended and its lines are read."""
        return self._popen.returncode if self._ended.is_set() else None

    @property
    def alive(self) -> bool:
        """Whether the command has not ended yet."""
        return not self._ended.is_set()

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit code, or None when it still runs after `timeout` seconds."""
        self._ended.wait(timeout)
        return self.returncode

    def stop(self, grace: float = 10) -> int | None:
        """Ask the group to end (SIGTERM), and after `grace` seconds make it (SIGKILL); the exit code."""
        self.signal(signal.SIGTERM)
        if self.wait(grace) is None:
            self.signal(signal.SIGKILL)
        return self.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the command and its children."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def follow(self) -> None:
        """Read the output to its end and reap the command (in a thread of its own)."""
        reader = threading.Thread(target=self._read, name=f"output of {self.name}", daemon=True)
        reader.start()
        self._popen.wait()
        self.signal(signal.SIGKILL)
        reader.join(LAST_LINES_SECONDS)  # a daemon that left the group may hold the pipe open for ever
        self._ended.set()

    def _read(self) -> None:
        stream = self._popen.stdout
        assert stream is not None
        with stream:
            while line := stream.readline(LONGEST_LINE):
                try:
                    self._on_line(line.decode(errors="replace").rstrip("\r\n"))
                except Exception:
                    LOG.exception("a line of %s was lost", self.name)


class Processes:
    """Every command that runs for the account; all end when it ends, even by SIGKILL."""

    def __init__(self) -> None:
        self._guardian = Guardian()
        self._running: set[Process] = set()
        self._lock = threading.Lock()
        self._closed = False

    def start(
        self,
        command: Sequence[str],
        *,
        name: str,
        cwd: Path,
        environment: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> Process:
        """Start a command in a session of its own; `on_line` gets its output (both streams) from a reader thread.

        Raises OSError when the command cannot be started, AwsError when the account is stopping.
        """
        with self._lock:
            if self._closed:
                raise AwsError("ServiceUnavailable", f"The local AWS is stopping; {name} is not started.", 503)
            popen = subprocess.Popen(
                command,
                cwd=cwd,
                env={**environment, MARK: self._guardian.mark},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            process = Process(name, popen, on_line)
            self._guardian.watch(process.pid)
            self._running.add(process)
        threading.Thread(target=self._follow, args=(process,), name=f"life of {name}", daemon=True).start()
        return process

    def stop(self, grace: float = 1) -> None:
        """Stop every command within about `grace` seconds, and start none any more."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            process.signal(signal.SIGTERM)
        deadline = time.monotonic() + grace
        for process in running:
            process.wait(max(0, deadline - time.monotonic()))
        self._guardian.close()  # kills whatever did not go, and what left its group

    def _follow(self, process: Process) -> None:
        process.follow()
        with self._lock:
            self._running.discard(process)
            if not self._closed:
                self._guardian.forget(process.pid)
