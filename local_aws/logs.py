"""Lines to CloudWatch Logs, and to files."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.calendar import Calendar
from local_aws.errors import AwsError

LOG = logging.getLogger(__name__)
FLUSH_SECONDS = 0.5
EVENTS_OF_A_BATCH = 10_000
BYTES_OF_A_BATCH = 1_000_000
BYTES_OF_AN_EVENT = 26


class LogStream:
    """A stream of CloudWatch Logs; every line is in the file `path` too, also when the role may not write logs."""

    def __init__(
        self,
        group: str,
        stream: str,
        client: Callable[[], Any],
        path: Path,
        calendar: Calendar,
        on_close: Callable[[LogStream], None],
    ) -> None:
        self.group = group
        self.stream = stream
        self.path = path
        self._make_client = client
        self._calendar = calendar
        self._on_close = on_close
        self._client: Any = None
        self._only_file = False
        self._waiting: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def write(self, line: str) -> None:
        """Add a line; it goes to CloudWatch Logs within about half a second."""
        timestamp = int(self._calendar.now().timestamp() * 1000)
        with self._lock:
            self._file.write(line + "\n")
            # CloudWatch Logs refuses an empty message.
            self._waiting.append({"timestamp": timestamp, "message": line or " "})

    def close(self) -> None:
        """Send what is waiting, and end the stream."""
        self._on_close(self)
        self.flush()
        with self._lock:
            self._file.close()

    def end_sending(self) -> None:
        """Send what is waiting, and what comes still only to the file."""
        self.flush()
        self._only_file = True

    def flush(self) -> None:
        """Send what is waiting."""
        with self._sending:
            while batch := self._next_batch():
                self._send(batch)

    def _next_batch(self) -> list[dict[str, Any]]:
        with self._lock:
            size = count = 0
            for event in self._waiting[:EVENTS_OF_A_BATCH]:
                size += len(event["message"].encode()) + BYTES_OF_AN_EVENT
                if count and size > BYTES_OF_A_BATCH:
                    break
                count += 1
            batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    def _send(self, batch: list[dict[str, Any]]) -> None:
        if self._only_file:
            return
        try:
            if self._client is None:
                self._client = self._make_client()
                self._create()
            self._client.put_log_events(logGroupName=self.group, logStreamName=self.stream, logEvents=batch)
        except (ClientError, BotoCoreError, AwsError) as error:
            self._only_file = True
            LOG.warning("the log stream %s of %s is only in %s: %s", self.stream, self.group, self.path, error)

    def _create(self) -> None:
        names = {"logGroupName": self.group, "logStreamName": self.stream}
        exceptions = self._client.exceptions
        try:
            self._client.create_log_stream(**names)
        except exceptions.ResourceNotFoundException:
            with contextlib.suppress(exceptions.ResourceAlreadyExistsException):
                self._client.create_log_group(logGroupName=self.group)
            self._client.create_log_stream(**names)
        except exceptions.ResourceAlreadyExistsException:
            return


class LogStreams:
    """The open streams of an account; one thread sends what they gather."""

    def __init__(self, folder: Path, calendar: Calendar) -> None:
        self._folder = folder
        self._calendar = calendar
        self._open: set[LogStream] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._send, name="log streams", daemon=True)
        self._thread.start()

    def open(self, group: str, stream: str, client: Callable[[], Any]) -> LogStream:
        """A stream that writes with the client that `client` makes when the first lines are sent."""
        path = self._folder / group.strip("/") / f"{stream.replace('/', '_')}.log"
        opened = LogStream(group, stream, client, path, self._calendar, self._forget)
        with self._lock:
            self._open.add(opened)
        return opened

    def close(self) -> None:
        """Send what is waiting, and from now on nothing."""
        self._closing.set()
        self._thread.join(FLUSH_SECONDS)
        for stream in self._streams():
            stream.end_sending()

    def _send(self) -> None:
        while not self._closing.wait(FLUSH_SECONDS):
            for stream in self._streams():
                stream.flush()

    def _streams(self) -> list[LogStream]:
        with self._lock:
            return list(self._open)

    def _forget(self, stream: LogStream) -> None:
        with self._lock:
            self._open.discard(stream)
