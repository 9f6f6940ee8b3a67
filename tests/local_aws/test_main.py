import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import psutil
import pytest

CHECKOUT = Path(__file__).parents[2]


def start(home: Path, port: str = "0") -> subprocess.Popen[str]:
    environment = {"PATH": os.environ["PATH"], "LOCAL_AWS_HOME": str(home), "LOCAL_AWS_PORT": port}
    command = [sys.executable, "-m", "local_aws"]
    return subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def url_of(account: subprocess.Popen[str]) -> str:
    assert account.stdout
    found = re.search(r"http://127\.0\.0\.1:\d+", account.stdout.readline())
    assert found
    return found[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop_and_is_gone_soon(tmp_path: Path, number: signal.Signals) -> None:
    account = start(tmp_path / "home")
    sts = boto3.client(
        "sts",
        endpoint_url=url_of(account),
        region_name="us-east-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key="any",
    )
    assert sts.get_caller_identity()["Account"] == "123456789012"
    children = psutil.Process(account.pid).children(recursive=True)
    asked = time.monotonic()
    account.send_signal(number)
    assert account.wait(10) == 0
    assert time.monotonic() - asked < 5
    assert not psutil.wait_procs(children, timeout=5)[1]


def test_the_variables_that_it_prints_point_a_client_at_it(tmp_path: Path) -> None:
    account = start(tmp_path / "home")
    url = url_of(account)
    assert account.stdout
    exported = {}
    while (line := account.stdout.readline()).startswith("export "):
        name, _, value = line.removeprefix("export ").strip().partition("=")
        exported[name] = value
    account.terminate()
    account.wait(10)
    assert exported["AWS_ENDPOINT_URL"] == url
    assert exported["AWS_CONFIG_FILE"] == os.devnull
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"} <= exported.keys()


def test_a_port_in_use_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        account = start(tmp_path / "home", str(port))
        _, errors = account.communicate(timeout=20)
    assert account.returncode == 1
    assert errors == (
        f"Port {port} is in use, perhaps by another local AWS; stop that, or give another with LOCAL_AWS_PORT.\n"
    )
    assert not (tmp_path / "home").exists()


def test_killed_it_leaves_no_process_and_the_next_one_starts(tmp_path: Path) -> None:
    account = start(tmp_path / "home")
    url_of(account)
    children = psutil.Process(account.pid).children(recursive=True)
    assert children
    account.kill()
    account.wait()
    assert not psutil.wait_procs(children, timeout=5)[1]
    successor = start(tmp_path / "home")
    url_of(successor)
    successor.terminate()
    assert successor.wait(10) == 0
