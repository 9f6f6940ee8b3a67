"""What a connection may cost: heads, trailers, framing, pace and pipelines, over real sockets."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.model_server.serving import Serving, serve

HEAD = b"POST /invocations HTTP/1.1\r\nHost: here\r\nContent-Type: text/csv\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = HEAD + b"Content-Length: 6\r\n\r\n3,red\n"
LONG = HEAD + b"Content-Length: 120000\r\n\r\n" + b"3,red\n" * 20_000


@pytest.fixture(scope="module")
def serving(parcels: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    module = "tests.model_server.fuzzing.hasty"
    with serve(tmp_path_factory.mktemp("ml"), parcels, module=module, SAGEMAKER_MODEL_SERVER_WORKERS="1") as running:
        running.invoke(b"3,red\n" * 20_000, "text/csv")  # the first of its kind imports
        yield running


@pytest.fixture(autouse=True)
def unharmed(serving: Serving) -> Iterator[None]:
    before = serving.workers()
    yield
    assert serving.ping() == 200
    assert serving.workers() == before
    assert not [line for line in serving.logged() if line.get("status") == 500]


def all_of(serving: Serving, *parts: bytes, pause: float = 0.02) -> bytes:
    """All that the server says until it closes the connection, which it has to."""
    with socket.create_connection(("127.0.0.1", serving.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def refusal(answer: bytes) -> tuple[int, dict[str, str]]:
    """The last answer: its status, and what it says."""
    status = int(re.findall(rb"HTTP/1\.1 (\d+)", answer)[-1])
    return status, json.loads(answer.rpartition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(
    "parts",
    [
        (HEAD + b"X: " + b"a" * 40_000 + b"\r\n\r\n",),
        (HEAD + b"X: ", *[b"a" * 10_000] * 5),
        (HEAD + b"A: b\r\n" * 120 + b"\r\n",),
        (HEAD, *[b"A: b\r\n" * 30] * 5),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: here\r\n\r\n",),
        (CHUNKED + b"6\r\n3,red\n\r\n0\r\n", *[b"A: b\r\n" * 30] * 5),
        (CHUNKED + b"6\r\n3,red\n\r\n0\r\nA: ", *[b"b" * 10_000] * 5),
        (CHUNKED, b"6;", *[b"e" * 10_000] * 5),
        (CHUNKED + b"6;" + b"e" * 70_000,),
        (b"\r\n", *[b"\r\n" * 5000] * 5),
    ],
    ids=[
        "header",
        "endless header",
        "headers",
        "endless headers",
        "path",
        "trailers",
        "trailer",
        "extension",
        "extension at once",
        "lines",
    ],
)
def test_a_flood_of_what_is_no_body_is_431(serving: Serving, parts: tuple[bytes, ...]) -> None:
    status, told = refusal(all_of(serving, *parts))
    assert (status, told["code"]) == (431, "head_too_large")
    assert "32768 bytes or 100 headers" in told["message"]


def test_a_head_at_its_bounds_is_read(serving: Serving) -> None:
    many = b"".join(b"X-%d: b\r\n" % number for number in range(95))
    long = b"X: " + b"a" * 31_000 + b"\r\n"
    for more in (many, long):
        answer = all_of(serving, HEAD + more + b"Connection: close\r\nContent-Length: 6\r\n\r\n3,red\n")
        assert answer.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    "noise", [b"NONSENSE\r\n\r\n", b"\0\0\0\0\r\n", HEAD + b"Content-Length: -1\r\n\r\n", CHUNKED + b"zz\r\n"]
)
@pytest.mark.parametrize("before", [(), (GOOD,), (GOOD, GOOD), (LONG,), (LONG, GOOD), (GOOD, LONG, GOOD)])
def test_garbage_is_refused_after_all_before_it_is_answered(
    serving: Serving, before: tuple[bytes, ...], noise: bytes
) -> None:
    answer = all_of(serving, b"".join(before) + noise)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200"] * len(before) + [b"400"]
    status, told = refusal(answer)
    assert (status, told["code"]) == (400, "malformed")
    assert told["message"].startswith("the request cannot be read as HTTP: ")


@pytest.mark.parametrize("body", [b"6\r\n3,red\n\r\n", b"1d4c0\r\n" + b"3,red\n" * 20_000])
def test_a_body_whose_chunks_break_off_is_refused(serving: Serving, body: bytes) -> None:
    assert refusal(all_of(serving, CHUNKED + body, b"zz\r\n"))[0] == 400


def test_a_length_that_is_too_large_is_refused_before_a_byte_of_the_body(serving: Serving) -> None:
    length = b"Content-Length: 104857601\r\nExpect: 100-continue\r\n\r\n"
    status, told = refusal(all_of(serving, HEAD + length))
    assert (status, told["code"]) == (413, "too_large")
    assert told["message"].startswith("the body has 104857601 bytes; at most 104857600 are read")


def test_after_a_refused_body_the_connection_is_good_for_the_next(serving: Serving) -> None:
    unread = HEAD + b"Content-Encoding: br\r\nContent-Length: 3000000\r\n\r\n" + b"1\n" * 1_500_000
    answer = all_of(serving, unread + GOOD + GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"415", b"200", b"200"]


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (HEAD + b"X: ", b"a"),
        (b"", b"\r\n"),
        (HEAD + b"Content-Length: 30000\r\n\r\n", b"3"),
        (HEAD + b"Content-Length: 3000000\r\n\r\n" + b"3,red\n" * 20_000, b"3"),
        (CHUNKED, b"6\r\n3,red\n\r\n"),
    ],
    ids=["head", "empty lines", "small body", "large body", "chunks"],
)
def test_who_takes_too_long_is_told_so(serving: Serving, first: bytes, more: bytes) -> None:
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", serving.port)) as connection:
        connection.sendall(first)
        connection.settimeout(0.2)
        answer = b""
        while not answer and time.monotonic() - started < 20:
            connection.sendall(more)
            try:
                answer = connection.recv(1 << 16)
            except TimeoutError:
                continue
        connection.settimeout(20)
        answer += b"".join(iter(lambda: connection.recv(1 << 16), b""))
    status, told = refusal(answer)
    assert (status, told["code"]) == (408, "late")
    assert time.monotonic() - started > 2


def test_who_does_not_take_the_answer_is_let_go(serving: Serving) -> None:
    body = b"3,red\n" * 1_000_000
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", serving.port))
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        port = connection.getsockname()[1]
        wait_until(lambda: port in callers(serving))
        wait_until(lambda: port not in callers(serving))


def callers(serving: Serving) -> set[int]:
    """The ports whose connections the worker has; behind unread bytes the caller would not see the end of its own."""
    (worker,) = serving.workers()
    return {each.raddr.port for each in psutil.Process(worker).net_connections() if each.raddr}


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_more_requests_ahead_than_allowed_are_refused_after_the_others_are_answered(serving: Serving) -> None:
    answer = all_of(serving, LONG + b"GET /ping HTTP/1.1\r\nHost: here\r\n\r\n" * 200)
    status, told = refusal(answer)
    assert (status, told["code"]) == (400, "pipelined")
    assert answer.startswith(b"HTTP/1.1 200 OK")


def test_a_wish_for_another_protocol_with_a_body_is_refused(serving: Serving) -> None:
    upgrade = b"\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    status, told = refusal(all_of(serving, GOOD.replace(b"\r\n\r\n", upgrade)))
    assert (status, told["code"]) == (400, "upgrade")
