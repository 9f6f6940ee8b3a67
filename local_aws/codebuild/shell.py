"""The shell of a build: commands one by one, as in one session."""

from __future__ import annotations

import os
import queue
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from local_aws.errors import AwsError
from local_aws.processes import Process, Processes

# A shell per command, which takes over variables and directory from the one before: `exit` in a command ends only it,
# as on CodeBuild. All are children of one process, so that what a command starts in the background lives on.
_COMMAND = """\
cd "$(cat '{state}/directory')"
. '{state}/variables'
{assignments}
set -a
. '{state}/command'
CODEBUILD_LAST_EXIT=$?
set +a
export -p > '{state}/variables'
pwd > '{state}/directory'
exit $CODEBUILD_LAST_EXIT
"""
_SESSION = """\
while read -r mark <&3; do
  {shell} '{state}/run'
  printf '\\n%s %s\\n' "$mark" "$?"
done 3<'{state}/calls'
"""
LOOK_SECONDS = 0.5
_NICE = ("nice", "-n", "10")
"""On AWS a build has a machine of its own; here it leaves the cores to the endpoints that answer meanwhile."""


class EndedError(Exception):
    """The session is over: it was stopped, or killed from outside."""


class Shell:
    """A session for the commands of a build; `on_line` gets what they print."""

    def __init__(self, processes: Processes, state: Path, shell: str, on_line: Callable[[str], None]) -> None:
        if not shutil.which(shell):
            raise AwsError("CLIENT_ERROR", f"The build wants the shell {shell!r}, which this machine does not have.")
        self._processes = processes
        self._state = state
        self._shell = shell
        self._on_line = on_line
        self._mark = f"\x1e{uuid.uuid4().hex}"
        self._codes: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._process: Process | None = None
        self._empty = False

    def start(self, name: str, directory: Path, environment: Mapping[str, str]) -> None:
        """Begin the session in a directory, with an environment."""
        self._state.mkdir(parents=True)
        (self._state / "directory").write_text(f"{directory}\n")
        (self._state / "variables").touch()
        os.mkfifo(self._state / "calls")
        # Opened to read too, so that opening waits for nobody.
        self._calls = os.fdopen(os.open(self._state / "calls", os.O_RDWR), "w", buffering=1)
        session = _SESSION.format(shell=self._shell, state=self._state)
        self._process = self._processes.start(
            [*_NICE, "sh", "-c", session], name=name, cwd=directory, environment=environment, on_line=self._line
        )

    def run(self, command: str, timeout: float, assignments: str = "") -> int:
        """Run a command; its exit code. TimeoutError after `timeout` seconds, EndedError when the session is over."""
        script = _COMMAND.format(state=self._state, assignments=assignments)
        (self._state / "command").write_text(command + "\n")
        (self._state / "run").write_text(script)
        try:
            self._calls.write(f"{self._mark}\n")
        except ValueError:  # closed by a stop from another thread
            raise EndedError from None
        code = self._wait(time.monotonic() + timeout)
        if code is None:
            raise EndedError
        return code

    def variables(self, names: tuple[str, ...]) -> dict[str, str]:
        """What variables are now, by name; those that are not set are left out."""
        found: dict[str, str] = {}
        for name in names:
            file = self._state / "value"
            # A file, not the output: a value may have any number of lines. The dot keeps newlines at its end.
            command = f"""test -z "${{{name}+set}}" || printf '%s.' "${name}" > '{file}'"""
            if self.run(command, timeout=10) == 0 and file.exists():
                found[name] = file.read_text()[:-1]
                file.unlink()
        return found

    def stop(self, grace: float = 2) -> None:
        """End the session and everything it started; it may have ended before."""
        self._codes.put(None)
        if self._process:
            self._process.stop(grace)
            self._calls.close()

    def _wait(self, deadline: float) -> int | None:
        while True:
            try:
                return self._codes.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                if not (self._process and self._process.alive):
                    return None
                if time.monotonic() > deadline:
                    self.stop()
                    raise TimeoutError from None

    def _line(self, line: str) -> None:
        """Tell a line of output from the mark of an end, which has a line of its own whatever was printed before it."""
        ended = line.startswith(self._mark)
        if self._empty and not ended:
            self._on_line("")
        self._empty = not line
        if ended:
            self._codes.put(int(line.removeprefix(self._mark)))
        elif line:
            self._on_line(line)
