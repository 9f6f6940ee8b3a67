"""Callers with no good in mind: a crowd with bad requests, slow ones, and one with a bomb."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import threading
import time
from collections import Counter
from random import Random
from typing import Any

import orjson
import psutil

from benchmarks.fuzzing.bombs import Bomb
from benchmarks.fuzzing.pings import pinged
from benchmarks.fuzzing.requests import Sent, bad_request
from tests.model_server.serving import Serving

_CALLERS = 16
_SILENCE_SECONDS = 30.0
"""Longer than the server's patience with a request that is not complete, so that silence is always a fault."""
_SLOW_EACH = 50
_HEAD = b"POST /invocations HTTP/1.1\r\nHost: here\r\nContent-Type: text/csv\r\n"


class Crowd:
    """Sends *count* bad requests on ever new connections, and holds each answer to what an answer is."""

    def __init__(self, port: int, count: int, seed: int) -> None:
        self.sent = 0
        self._port = port
        self._count = count
        self._seed = seed
        self._statuses: Counter[str] = Counter()
        self._kinds: dict[str, Counter[str]] = {}
        self._wrong: list[str] = []

    def run(self, *, progress: bool = False) -> None:
        """Until all are sent."""
        asyncio.run(self._run(progress=progress))

    def told(self) -> dict[str, Any]:
        """Statuses of all answers, and by kind of damage; `wrong` are answers with 5xx, or without a sentence."""
        return {
            "statuses": self._statuses,
            "by_damage": self._kinds,
            "wrong": len(self._wrong),
            "first": self._wrong[:5],
        }

    async def _run(self, *, progress: bool) -> None:
        callers = [asyncio.create_task(self._call(Random(self._seed * 100 + place))) for place in range(_CALLERS)]
        while progress and not all(caller.done() for caller in callers):
            await asyncio.sleep(5)
            print(f"{self.sent} of {self._count}: {dict(self._statuses)}", flush=True)
        await asyncio.gather(*callers)

    async def _call(self, random: Random) -> None:
        while self.sent < self._count:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            for _ in range(random.randint(1, 40)):
                self.sent += 1
                if not await self._exchange(bad_request(random), reader, writer):
                    break
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _exchange(self, sent: Sent, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection is good for another request."""
        try:
            for part in sent.parts:
                writer.write(part)
                await writer.drain()
            if not sent.whole:  # the server waits for more, which never comes
                self._note(sent, "left")
                return False
            status, kept = await asyncio.wait_for(self._answer(sent, reader), _SILENCE_SECONDS)
        except TimeoutError:
            self._note(sent, "silence")
            return False
        except (OSError, asyncio.IncompleteReadError):
            self._note(sent, "closed")
            return False
        self._note(sent, status)
        return kept and sent.framed

    async def _answer(self, sent: Sent, reader: asyncio.StreamReader) -> tuple[str, bool]:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        status = lines[0].split(b" ")[1].decode()
        if status == "100":
            return await self._answer(sent, reader)
        (length,) = [int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")]
        body = b"" if sent.method == "HEAD" else await reader.readexactly(length)
        if status >= "500" or (status >= "400" and sent.method != "HEAD" and not _is_sentence(body)):
            self._wrong.append(f"{sent.damage}: {status} {body[:300]!r} for {b''.join(sent.parts)[:300]!r}")
        return status, b"connection: close" not in lines

    def _note(self, sent: Sent, outcome: str) -> None:
        self._statuses[outcome] += 1
        self._kinds.setdefault(sent.damage, Counter())[outcome] += 1


def _is_sentence(body: bytes) -> bool:
    told = orjson.loads(body)
    return {"code", "message"} <= told.keys() and "Traceback" not in told["message"]


def explode(server: Serving, bomb: Bomb) -> dict[str, Any]:
    """One bomb's answer, and what it costs the worker; in MB and in the processor's seconds."""
    body = bomb.make()
    worker = psutil.Process(server.workers()[0])
    before, used = worker.memory_info().rss, sum(worker.cpu_times()[:2])
    most = [before]
    done = threading.Event()
    watch = threading.Thread(target=_sample, args=(worker, most, done))
    watch.start()
    status = _invoke(server, bomb, body)
    done.set()
    watch.join()
    alive = worker.is_running() and server.workers() == [worker.pid]
    return {
        "sent_mb": round(len(body) / 2**20, 2),
        "status": status,
        "right": status in bomb.right and alive,
        "cpu_seconds": round(sum(worker.cpu_times()[:2]) - used, 2) if alive else None,
        "rise_mb": round((most[0] - before) / 2**20),
    }


def _invoke(server: Serving, bomb: Bomb, body: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    headers = {"Content-Type": bomb.kind, "Accept": bomb.accept}
    if bomb.encoding:
        headers["Content-Encoding"] = bomb.encoding
    try:
        connection.request("POST", "/invocations", body, headers)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
    return response.status


def _sample(worker: psutil.Process, most: list[int], done: threading.Event) -> None:
    while not done.wait(0.02):
        with contextlib.suppress(psutil.Error):
            most[0] = max(most[0], worker.memory_info().rss)


class Slow:
    """Callers that trickle heads, trickle bodies, never end a chunked body, or never read their answers."""

    def __init__(self, server: Serving) -> None:
        self._server = server
        self._port = server.port

    def run(self) -> dict[str, Any]:
        """By kind: how many were ended, how, and after how many seconds at the most."""
        with pinged(self._port) as slowest:
            kinds = asyncio.run(self._run())
        return {"kinds": kinds, "ping_ms_at_most": slowest[0]}

    async def _run(self) -> dict[str, Any]:
        large = b"3,red\n" * 600_000
        kinds = {
            "head, a byte a second": (b"POST /invocations HTTP/1.1\r\nX: ", b"a", 1.0),
            "body, a byte a second": (_HEAD + b"Content-Length: 30000\r\n\r\n", b"3", 1.0),
            "large body, a byte a second": (
                _HEAD + b"Content-Length: 3000000\r\n\r\n" + b"3,red\n" * 20_000,
                b"3",
                1.0,
            ),
            "chunks, one a second": (_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"6\r\n3,red\n\r\n", 1.0),
            "nothing after half a head": (b"POST /invocations HTTP/1.1\r\n", b"", 1.0),
            "never reads its answer": (_HEAD + b"Content-Length: %d\r\n\r\n" % len(large) + large, b"", 1.0),
        }
        return dict(await asyncio.gather(*(self._kind(name, *each) for name, each in kinds.items())))

    async def _kind(self, name: str, first: bytes, more: bytes, pause: float) -> tuple[str, Any]:
        count = 4 if name.startswith("never") else _SLOW_EACH
        ends = await asyncio.gather(*(self._trickle(first, more, pause) for _ in range(count)))
        told = {
            "callers": count,
            "ended": Counter(outcome for outcome, _ in ends),
            "seconds_at_most": round(max(each for _, each in ends), 1),
        }
        print(name, told, flush=True)
        return name, told

    async def _trickle(self, first: bytes, more: bytes, pause: float) -> tuple[str, float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1024)
        started = time.monotonic()
        if len(first) > 1_000_000:
            return await self._unread(writer, first, started)
        writer.write(first)
        answer = asyncio.create_task(reader.read(1000))
        while not answer.done() and time.monotonic() - started < 60:
            with contextlib.suppress(OSError):
                writer.write(more)
            await asyncio.wait([answer], timeout=pause)
        seconds = time.monotonic() - started
        outcome = (answer.result()[9:12].decode() or "closed") if answer.done() and not answer.exception() else "open"
        writer.close()
        return outcome, seconds

    async def _unread(self, writer: asyncio.StreamWriter, first: bytes, started: float) -> tuple[str, float]:
        """Asks for a large answer and reads nothing; behind unread bytes only the server's side shows the end."""
        writer.transport.pause_reading()  # type: ignore[attr-defined]  it reads too, whatever its type says
        port = writer.get_extra_info("sockname")[1]
        writer.write(first)
        await writer.drain()
        outcome = "open"
        while outcome == "open" and time.monotonic() - started < 120:
            await asyncio.sleep(0.5)
            outcome = "open" if port in self._ports() else "closed"
        writer.transport.abort()
        return outcome, time.monotonic() - started

    def _ports(self) -> set[int]:
        workers = map(psutil.Process, self._server.workers())
        return {each.raddr.port for worker in workers for each in worker.net_connections() if each.raddr}
