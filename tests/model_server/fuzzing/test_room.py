"""Floods of connections, over real sockets: who has a place is served, and a health check is answered to anybody."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.model_server.serving import ROOT, Serving, serve

PLACES, GUESTS = 8, 4
HALF = b"POST /invocations HTTP/1.1\r\nHost: here\r\n"
REST = b"Content-Type: text/csv\r\nContent-Length: 6\r\n\r\n3,red\n"
PING = b"GET /ping HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.fixture(scope="module")
def serving(parcels: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    module = "tests.model_server.fuzzing.crowded"
    with serve(tmp_path_factory.mktemp("ml"), parcels, module=module, SAGEMAKER_MODEL_SERVER_WORKERS="1") as running:
        yield running


def caller(serving: Serving) -> socket.socket:
    return socket.create_connection(("127.0.0.1", serving.port), timeout=30)


def connections(serving: Serving) -> int:
    (worker,) = serving.workers()
    return sum(bool(each.raddr) for each in psutil.Process(worker).net_connections())


def wait_for(serving: Serving, least: int, most: int, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not least <= connections(serving) <= most:
        assert time.monotonic() < deadline, connections(serving)
        time.sleep(0.05)


@pytest.fixture
def full(serving: Serving) -> Iterator[list[socket.socket]]:
    """All places are taken, by requests that are not complete."""
    wait_for(serving, 0, 0)
    with ExitStack() as stack:
        callers = [stack.enter_context(caller(serving)) for _ in range(PLACES)]
        for each in callers:
            each.sendall(HALF)
        wait_for(serving, PLACES, PLACES)
        yield callers


def all_of(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def test_who_has_no_place_is_told_so_and_who_has_is_served(serving: Serving, full: list[socket.socket]) -> None:
    with caller(serving) as guest:
        guest.sendall(HALF + REST)
        answer = all_of(guest)
    assert answer.startswith(b"HTTP/1.1 503 ")
    told = json.loads(answer.rpartition(b"\r\n\r\n")[2])
    assert told["code"] == "crowded"
    assert told["message"].startswith(f"there are {PLACES} connections already, the most that this worker takes")
    for each in full:
        each.sendall(REST)
        assert each.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")
    full.pop().close()
    wait_for(serving, 0, PLACES - 1)
    assert serving.invoke("3,red\n", "text/csv")[0] == 200


@pytest.mark.usefixtures("full")
def test_a_health_check_is_answered_to_a_guest_which_then_leaves(serving: Serving) -> None:
    with caller(serving) as guest:
        guest.sendall(PING)
        answer = all_of(guest)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.usefixtures("full")
def test_a_flood_of_connections_takes_no_more_files_than_places_and_guests(serving: Serving) -> None:
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(caller(serving))
        wait_for(serving, 1, PLACES + GUESTS, seconds=9)
        assert serving.ping() == 200
        wait_for(serving, 0, PLACES)  # a guest that says nothing does not stay


def test_who_says_nothing_does_not_keep_a_place(serving: Serving) -> None:
    started = time.monotonic()
    with caller(serving) as silent:
        assert silent.recv(1) == b""
    assert time.monotonic() - started > 2


@pytest.mark.parametrize(("soft", "hard", "places"), [(300, 300, 136), (300, 4096, 1000), (5000, 5000, 1000)])
def test_there_are_no_more_places_than_files_may_be_open(soft: int, hard: int, places: int) -> None:
    asked = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}));"
        "from model_server import room; print(room.places(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    told, files = map(int, done.stdout.split())
    assert told == places
    assert files >= told + 64
