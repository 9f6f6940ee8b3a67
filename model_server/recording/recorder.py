"""Takes copies of what was answered, and has a thread of its own write them, so that no caller waits for the log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from random import Random

from model_server.identity import ATTRIBUTES
from model_server.priority import step_back
from model_server.recording.lines import LONGEST_LINE, Seen, lines
from model_server.recording.masking import FILE, Masker, UnmaskableError
from model_server.routes import Response
from model_server.settings import Settings
from model_server.watching.counters import Counter
from model_server.watching.log import log, put

LARGEST_BODY = 6 * 1024 * 1024
"""Of a request and of its answer, in bytes; SageMaker's own capture takes no larger ones either."""
_MOST_WAITING = 16 * 1024 * 1024
"""Bytes of bodies that wait to be written; of what comes beyond nothing is kept."""
_PAUSE_SECONDS = 0.01
"""After a write, so that of many small records several are one; the first is written at once."""
_CLOSE_SECONDS = 3.0


class Copy:
    """A body, kept as it arrives."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def keep(self, part: bytes) -> None:
        """The next part; of a body that is too large none is kept."""
        self._length += len(part)
        if self._length <= LARGEST_BODY:
            self._parts.append(part)
        else:
            self._parts.clear()

    def body(self) -> bytes | None:
        """All of it; None where it was too large."""
        return b"".join(self._parts) if self._length <= LARGEST_BODY else None


def recorder(settings: Settings, counter: Counter) -> Recorder | None:
    """That of one worker; None where nothing is to be recorded."""
    return Recorder(settings.record_percent, counter, _mask(settings)) if settings.record_percent else None


def _mask(settings: Settings) -> Callable[[Seen], Seen] | None:
    """What hides the values of sensitive features, if they are to be hidden."""
    if settings.record_sensitive == "as-sent":
        return None
    masker = Masker.read(settings.model)
    if masker is None and settings.record_sensitive == "masked":
        log({"event": "unmasked", "message": f"the package has no {FILE}, so nothing is recorded; train it again"})
        return _nothing
    return masker


def _nothing(_: Seen) -> Seen:
    raise UnmaskableError


class Recorder:
    """Records some *percent* of the invocations of one worker, each as *mask* leaves it, or not where that refuses."""

    def __init__(self, percent: float, counter: Counter, mask: Callable[[Seen], Seen] | None = None) -> None:
        self._share = percent / 100
        self._counter = counter
        self._mask = mask
        self._random = Random()  # noqa: S311  a sample, and ids that have to be new, not secret
        self._queue: SimpleQueue[Seen | None] = SimpleQueue()
        # Each is changed by one thread alone.
        self._put = 0
        self._taken = 0
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def chosen(self) -> bool:
        """Whether the sample falls on an invocation that begins now."""
        return self._random.random() < self._share

    def offer(
        self, identity: str, headers: Mapping[bytes, bytes], content_type: str, body: bytes | None, response: Response
    ) -> None:
        """An invocation was answered; what was refused is not recorded. Never waits, and never raises."""
        if not 200 <= response.status < 300:
            return
        if body is None or max(len(body), len(response.body)) > LARGEST_BODY:
            self._counter.add("record too_large")
            return
        attributes = headers.get(ATTRIBUTES, b"").decode("latin-1")
        seen = Seen(identity, attributes, content_type, body, response.type, response.body, time.time())
        if self._put - self._taken + seen.size() > _MOST_WAITING:
            self._counter.add("record too_many")
            return
        self._put += seen.size()
        self._queue.put(seen)

    def close(self) -> None:
        """Writes what is waiting, for a few seconds at most."""
        self._queue.put(None)
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        step_back()
        going = True
        while going:
            waiting = [self._queue.get()]
            while True:
                try:
                    waiting.append(self._queue.get_nowait())
                except Empty:
                    break
            going = None not in waiting
            self._write([seen for seen in waiting if seen is not None])
            if going:
                time.sleep(_PAUSE_SECONDS)

    def _write(self, waiting: list[Seen]) -> None:
        buffer = bytearray()
        kept = 0
        for seen in waiting:
            try:
                told = self._mask(seen) if self._mask else seen
                for line in lines(told, self._random.randbytes(12).hex()):
                    if len(buffer) + len(line) > LONGEST_LINE:
                        put(bytes(buffer))
                        buffer.clear()
                    buffer += line
                kept += 1
            except UnmaskableError:
                self._counter.add("record unmaskable")
            except Exception:  # noqa: BLE001  the log may be gone; callers are answered all the same
                self._counter.add("record failed")
            self._taken += seen.size()
        self._end(bytes(buffer), kept)

    def _end(self, buffer: bytes, kept: int) -> None:
        try:
            put(buffer)
            self._counter.add("record written", kept)
        except OSError:
            self._counter.add("record failed", kept)
