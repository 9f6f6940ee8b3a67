"""Bad HTTP requests: bad bodies in good frames, and frames that are bad themselves."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from benchmarks.fuzzing import rows
from benchmarks.fuzzing.damage import bad
from model_server import media


class Sent(NamedTuple):
    """What goes over the wire; `framed`: the connection is good for another, `whole`: an answer has to come."""

    damage: str
    parts: tuple[bytes, ...]
    method: str = "POST"
    framed: bool = True
    whole: bool = True


def bad_request(random: Random) -> Sent:
    """One of many kinds, most of them with a bad body."""
    if random.random() < 0.8:
        kind = random.choice(media.TYPES)
        return _framed(f"body {kind.rpartition('/')[2]}", kind, bad(kind, random), random)
    return random.choice(_KINDS)(random)


def _framed(damage: str, kind: str, body: bytes, random: Random, *headers: bytes) -> Sent:
    line = b"POST /invocations HTTP/1.1\r\nHost: here\r\nContent-Type: %b\r\n" % kind.encode()
    head = line + b"".join(header + b"\r\n" for header in headers)
    if random.random() < 0.2:
        cut = random.randint(0, len(body))
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:cut], body[cut:]) if part)
        return Sent(damage, (head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, b"0\r\n\r\n"))
    whole = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    at = random.randint(0, len(whole))
    return Sent(damage, (whole,) if random.random() < 0.7 else (whole[:at], whole[at:]))


def _header(random: Random) -> Sent:
    names = [b"Accept", b"X-Amzn-SageMaker-Inference-Id", b"X-Amzn-SageMaker-Custom-Attributes", b"Content-Encoding"]
    value = bytes(random.choice(b"\t !;,=/*q0.9-\xff\x80ajson") for _ in range(random.choice([0, 3, 20, 2000])))
    name = random.choice([*names, b"Expect", b"Connection", b"X" * 200])
    value = random.choice(
        [value, b"*/*;q=nan", b"a/b;q=1e999", b"inference-id=" + value, b"gzip, br", b"close", b"upgrade"]
    )
    sent = _framed("header", media.CSV, b"3,red\n", random, name + b": " + value)
    return sent._replace(framed=False)


def _content_type(random: Random) -> Sent:
    value = random.choice(
        ["", "text/csv;charset=utf-16", "a" * 900, "text/csv;header=present", "*/*", ";;;=", "\xff/\xff"]
    )
    line = b"POST /invocations HTTP/1.1\r\nHost: here\r\nContent-Type: %b\r\n" % value.encode("latin-1")
    return Sent("content type", (line + b"Content-Length: 6\r\n\r\n3,red\n",))


def _zipped(random: Random) -> Sent:
    packed = gzip.compress(rows.valid(media.CSV, random) * random.choice([1, 1, 20]))
    at = random.randrange(len(packed))
    body = random.choice([packed, packed[:at], packed[:at] + b"\0" + packed[at + 1 :], packed * 3, packed + b"x"])
    return _framed("gzip", media.CSV, body, random, b"Content-Encoding: gzip")


def _route(random: Random) -> Sent:
    method = random.choice(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"])
    path = random.choice(
        ["/", "/ping", "/invocations", "/metrics", "/models", "/%00%ff", "/ping?x=" + "a" * 3000, "*", "//", "/../x"]
    )
    return Sent("route", (f"{method} {path} HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n".encode(),), method)


def _length(random: Random) -> Sent:
    length = random.choice(["-1", "x", "99999999999999999999", "1e3", "0x10", "9999999999", "3, 3", "", "+5"])
    # An empty one, and a sum that is none, are refused with the head; so is what is announced and too large.
    text = (
        f"POST /invocations HTTP/1.1\r\nHost: here\r\nContent-Type: text/csv\r\nContent-Length: {length}\r\n\r\n3,red\n"
    )
    return Sent("content length", (text.encode(),), framed=False)


def _short(random: Random) -> Sent:
    text = b"POST /invocations HTTP/1.1\r\nHost: here\r\nContent-Type: text/csv\r\nContent-Length: 60000\r\n\r\n3,red\n"
    return Sent("left in the middle", (text[: random.randint(1, len(text))],), framed=False, whole=False)


def _chunks(random: Random) -> Sent:
    head = b"POST /invocations HTTP/1.1\r\nHost: here\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
    wrong = [
        b"zz\r\n3,red\n\r\n",
        b"-1\r\n",
        b"6\r\n3,red\nxx0\r\n\r\n",
        b"ffffffffffffffffffff\r\n",
        b"6;" + b"e" * 70_000,
        b"\r\n\r\n",
    ]
    trailers = b"6\r\n3,red\n\r\n0\r\n" + b"A: b\r\n" * 300 + b"\r\n"
    return Sent("chunks", (head, random.choice([*wrong, trailers])), framed=False)


def _garbage(random: Random) -> Sent:
    good = b"POST /invocations HTTP/1.1\r\nHost: here\r\nContent-Type: text/csv\r\nContent-Length: 6\r\n\r\n3,red\n"
    noise = random.choice(
        [
            random.randbytes(40),
            b"NONSENSE\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"\x16\x03\x01\x02\x00",
            b"PRI * HTTP/2.0\r\n\r\n",
        ]
    )
    return Sent("garbage", (random.choice([good + noise, b"\xff" + noise, b"@" + noise]),), framed=False)


def _flood(random: Random) -> Sent:
    flood = random.choice([b"A: b\r\n" * 5000, b"X: " + b"a" * 70_000 + b"\r\n", b"Cookie: c\r\n" * 200])
    return Sent("header flood", (b"POST /invocations HTTP/1.1\r\nHost: here\r\n" + flood + b"\r\n",), framed=False)


def _both(random: Random) -> Sent:
    headers = random.choice(
        [
            b"Content-Length: 6\r\nTransfer-Encoding: chunked",
            b"Content-Length: 6\r\nContent-Length: 7",
            b"Transfer-Encoding: gzip",
        ]
    )
    return Sent(
        "two lengths", (b"POST /invocations HTTP/1.1\r\nHost: here\r\n" + headers + b"\r\n\r\n3,red\n",), framed=False
    )


def _pipelined(random: Random) -> Sent:
    return Sent("pipelined", (b"GET /ping HTTP/1.1\r\nHost: here\r\n\r\n" * random.choice([2, 60, 300]),), framed=False)


def _bytes(random: Random) -> Sent:
    good = _framed("flipped bytes", media.CSV, b"3,red\n", Random(0)).parts[0]
    at = random.randrange(len(good) - 8)
    return Sent("flipped bytes", (good[:at] + random.randbytes(1) + good[at + 1 :],), framed=False, whole=False)


_KINDS: tuple[Callable[[Random], Sent], ...] = (
    *(_header, _content_type, _zipped, _route, _length, _short, _chunks, _garbage, _flood, _both, _pipelined, _bytes),
)
