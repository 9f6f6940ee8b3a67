"""HTTP as it comes over a socket: the short way of small requests keeps to it as uvicorn's own does."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model_server.serving import Serving, serve

ROW = b"3,red\n"


@pytest.fixture(scope="module")
def serving(parcels: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serve(tmp_path_factory.mktemp("ml"), parcels, SAGEMAKER_MODEL_SERVER_WORKERS="1") as running:
        yield running


def post(body: bytes = ROW, *headers: str, version: str = "1.1", length: int | None = None) -> bytes:
    lines = [
        f"POST /invocations HTTP/{version}",
        "Host: here",
        "Content-Type: text/csv",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


PING = b"GET /ping HTTP/1.1\r\nHost: here\r\n\r\n"
LARGE = post(ROW * 20_000)


def exchange(serving: Serving, *parts: bytes, pause: float = 0.05, answers: int = 1) -> bytes:
    """All that comes back when *parts* are sent one after the other: so many answers, and what follows them at once."""
    answer = b""
    with socket.create_connection(("127.0.0.1", serving.port), timeout=30) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        with contextlib.suppress(TimeoutError):
            while more := connection.recv(1 << 16):
                answer += more
                connection.settimeout(0.2 if complete(answer) >= answers else 30)
    return answer


def complete(answer: bytes) -> int:
    """How many answers are there from head to end."""
    count = at = 0
    while (end := answer.find(b"\r\n\r\n", at) + 4) > 3:
        length = lengths(answer[at:end])
        if length:
            count += len(answer) >= end + length[0]
        at = end + sum(length)
    return count


def statuses(answer: bytes) -> list[bytes]:
    return re.findall(rb"HTTP/1\.1 (\d+)", answer)


def lengths(answer: bytes) -> list[int]:
    return [int(length) for length in re.findall(rb"content-length: (\d+)", answer)]


@pytest.mark.parametrize(
    "parts",
    [
        (post(),),
        (post()[:20], post()[20:]),
        (post()[:-3], post()[-3:]),
        tuple(post()[place : place + 1] for place in range(len(post()))),
        (post(ROW, "Expect: 100-continue"),),
        (post(ROW, "Connection: close"),),
        (post(ROW, version="1.0"),),
        (post(ROW, "Connection: keep-alive", version="1.0"),),
        (b"POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n",
         b"3\r\n3,r\r\n", b"3\r\ned\n\r\n0\r\n\r\n"),
        (post().replace(b"/invocations", b"/invocations?a=1"),),
        (post().replace(b"Content-Type", b"CONTENT-TYPE"),),
    ],
)  # fmt: skip
def test_however_a_request_arrives_its_answer_is_one_line(serving: Serving, parts: tuple[bytes, ...]) -> None:
    answer = exchange(serving, *parts, pause=0.002)
    assert statuses(answer)[-1] == b"200"
    assert re.fullmatch(rb"0\.\d+,[01]\n", answer.rpartition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(
    "requests",
    [
        (post(), post(ROW * 2), post(ROW * 3)),
        (post(), PING, post(ROW * 2)),
        (LARGE, post(), PING, post(ROW * 2)),
        (PING, LARGE, post()),
        (post(), LARGE, post(ROW * 2)),
        (post(b"3,pink\n"), post()),
    ],
)
def test_pipelined_requests_are_answered_in_their_order(serving: Serving, requests: tuple[bytes, ...]) -> None:
    alone = [lengths(exchange(serving, request))[0] for request in requests]
    assert lengths(exchange(serving, b"".join(requests), answers=len(requests))) == alone


def test_a_connection_is_used_again_whichever_way_its_requests_go(serving: Serving) -> None:
    with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as connection:
        for request in (post(), PING, LARGE, post(b"x\n"), post()):
            connection.sendall(request)
            answer = b""
            while not answer or len(answer.partition(b"\r\n\r\n")[2]) < lengths(answer)[0]:
                answer += connection.recv(1 << 16)
            assert statuses(answer)[0] in (b"200", b"422")


@pytest.mark.parametrize(
    "sent",
    [
        b"NONSENSE\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\n3,r",
        b"POST /invocations HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\n" + b"X-A: b\r\n" + b"no colon\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_and_harms_nobody(serving: Serving, sent: bytes) -> None:
    answer = exchange(serving, sent)
    assert statuses(answer) in ([b"400"], [])
    assert serving.ping() == 200


def test_a_caller_that_leaves_in_the_middle_harms_nobody(serving: Serving) -> None:
    for request in (post()[:-3], LARGE[:-3], post(length=30_000), b"POST /invoc"):
        with socket.create_connection(("127.0.0.1", serving.port)) as connection:
            connection.sendall(request)
    assert exchange(serving, post()).startswith(b"HTTP/1.1 200 OK\r\n")


def test_what_the_caller_sent_to_be_told_apart_comes_back_by_either_way(serving: Serving) -> None:
    headers = ("X-Amzn-SageMaker-Custom-Attributes: trace=7", "X-Amzn-SageMaker-Inference-Id: abc")
    for request in (post(ROW, *headers), post(ROW * 20_000, *headers)):
        answer = exchange(serving, request)
        assert b"\r\nx-amzn-sagemaker-custom-attributes: trace=7;inference-id=abc\r\n" in answer
        assert b"\r\nx-amzn-sagemaker-inference-id: abc\r\n" in answer
