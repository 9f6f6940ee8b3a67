import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local_aws.errors import AwsError
from local_aws.processes import Process, Processes


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.stop(grace=0.2)


def start(processes: Processes, script: str, lines: list[str]) -> Process:
    environment = {"PATH": os.environ["PATH"]}
    return processes.start(
        ["sh", "-c", script], name="test", cwd=Path("/"), environment=environment, on_line=lines.append
    )


def test_both_streams_arrive_line_by_line_before_the_end_is_known(processes: Processes) -> None:
    lines: list[str] = []
    process = start(processes, "echo one; echo two >&2; printf three; exit 3", lines)
    assert process.wait(5) == 3
    assert lines == ["one", "two", "three"]
    assert not process.alive


def ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_what_is_left_of_a_group_ends_with_its_first_process(processes: Processes) -> None:
    lines: list[str] = []
    process = start(processes, "sleep 1000 & echo $!; exit 0", lines)
    assert process.wait(5) == 0
    wait_for(lambda: ended(int(lines[0])))


def test_stop_asks_first_and_insists_when_nothing_happens(processes: Processes) -> None:
    lines: list[str] = []
    polite = start(processes, "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done", lines)
    stubborn = start(processes, "trap '' TERM; echo up; while :; do sleep 0.01; done", lines)
    wait_for(lambda: len(lines) == 2)
    assert polite.stop() == 0
    assert lines[-1] == "bye"
    assert stubborn.stop(grace=0.1) == -signal.SIGKILL


def test_a_line_that_cannot_be_taken_does_not_end_the_output(processes: Processes) -> None:
    taken: list[str] = []

    def take(line: str) -> None:
        if line == "bad":
            raise ValueError(line)
        taken.append(line)

    command = ["sh", "-c", "echo bad; echo good"]
    process = processes.start(command, name="test", cwd=Path("/"), environment={"PATH": "/usr/bin:/bin"}, on_line=take)
    process.wait(5)
    assert taken == ["good"]


def test_nothing_starts_any_more_when_all_are_stopped(processes: Processes) -> None:
    processes.stop(grace=0.1)
    with pytest.raises(AwsError, match="is stopping; test is not started"):
        start(processes, "true", [])


PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from local_aws.processes import Processes

script = "sleep 1000 & echo $!; setsid sleep 1000 & echo $!; sleep 1000 & echo $!; wait"
started = []
environment = {"PATH": os.environ["PATH"]}
processes = Processes()
processes.start(["sh", "-c", script], name="x", cwd=Path("/"), environment=environment, on_line=started.append)
while len(started) < 3:
    time.sleep(0.01)
print(*started, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_account_leaves_no_child_and_no_grandchild() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    grandchildren = [int(pid) for pid in ended.stdout.split()]
    assert ended.returncode == -signal.SIGKILL
    assert len(grandchildren) == 3
    wait_for(lambda: not any(running(pid) for pid in grandchildren))


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
