import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.account import Account
from local_aws.errors import StartError
from local_aws.settings import Settings
from tests.local_aws.delivery import eventually

CHECKOUT = Path(__file__).parents[2]

PROGRAM = """
import json, sys, time
from pathlib import Path

began = time.monotonic()
from local_aws.account import Account
from local_aws.settings import Settings

account = Account(Settings(home=Path(sys.argv[1]), checkout=Path.cwd(), port=0))
imported = time.monotonic()
account.start()
started = time.monotonic()
process = account.processes.start(
    ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"],
    name="stubborn", cwd=Path("/"), environment={"PATH": "/usr/bin:/bin"}, on_line=print,
)
idle = time.process_time()
time.sleep(2)
idle = time.process_time() - idle
stopping = time.monotonic()
account.stop()
stopped = time.monotonic()
took = {"start": started - imported, "idle": idle, "stop": stopped - stopping, "ended": process.wait(1)}
print(json.dumps(took))
"""


def test_it_starts_and_stops_within_two_seconds_and_rests_between(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "home")]
    environment = {"PATH": os.environ["PATH"]}
    output = subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    took = json.loads(output.stdout)
    assert took["start"] < 2
    assert took["stop"] < 2
    assert took["idle"] < 0.2
    assert took["ended"] == -9


def test_what_could_not_start_can_be_stopped(account: Account, tmp_path: Path) -> None:
    second = Account(Settings(home=tmp_path / "home", checkout=account.settings.checkout, port=0))
    with pytest.raises(StartError, match="start the next account in a new process"):
        second.start()
    second.stop()
    assert account.client("sts").get_caller_identity()


def test_an_arn_is_of_this_account_and_region(account: Account) -> None:
    assert account.arn("sagemaker", "endpoint/x") == "arn:aws:sagemaker:us-east-1:123456789012:endpoint/x"


def test_background_work_that_fails_is_in_the_log(account: Account) -> None:
    def fail() -> None:
        raise ValueError("a mistake that somebody has to find")

    account.background("some work", fail).join()
    logging.getLogger().handlers[0].flush()

    def logged() -> bool:
        return "a mistake that somebody has to find" in (account.settings.home / "account.log").read_text()

    eventually(logged)
