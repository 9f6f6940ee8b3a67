"""No process of a build outlives its account."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local_aws.delivery import alive, eventually

CHECKOUT = Path(__file__).parents[3]
PROGRAM = """
import sys, threading
from pathlib import Path
from local_aws.account import Account
from local_aws.settings import Settings
from tests.local_aws.delivery import buildspec, project, role
with Account(Settings(home=Path(sys.argv[1]), checkout=Path(sys.argv[2]), port=0)) as account:
    seconds = sys.argv[3]
    spec = buildspec(f"setsid sleep {seconds} & sh -c 'trap : TERM; sleep {seconds}; sleep {seconds}'")
    account.client("codebuild").start_build(projectName=project(account, spec, role(account, "codebuild")))
    print("started", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("number", [0, signal.SIGKILL])
def test_builds_end_with_the_account_however_it_ends(tmp_path: Path, number: int) -> None:
    seconds = f"63.{os.getpid()}{number}"
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "home"), str(CHECKOUT), seconds],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with program:
        assert program.stdout
        assert any(line == "started\n" for line in program.stdout)
        eventually(lambda: alive(f"sleep {seconds}"))
        if number:
            program.send_signal(number)
        else:
            program.communicate("")
    eventually(lambda: not alive(f"sleep {seconds}"))
