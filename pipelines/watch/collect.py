"""Records that the model server wrote into its log become files like those of SageMaker's Data Capture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import orjson
from botocore.config import Config
from botocore.exceptions import ClientError

from pipelines.watch.places import Places

SLOT = timedelta(minutes=10)
"""What one object holds. Slots do not depend on when they are collected, so that no two objects share a record."""
DELAY = timedelta(minutes=5)
"""So long CloudWatch Logs may take until it shows what it was given."""
MARGIN = timedelta(minutes=2)
"""Parts of a record, and a line that was delivered twice, are so close together at most."""
PATTERN = '{ ($.eventVersion = "0") || ($.record = "*") }'
_TRIES = 5


def logs_client() -> Any:
    """CloudWatch Logs, which is asked again for as long as it wants fewer requests (5 a second in an account)."""
    return boto3.client("logs", config=Config(retries={"mode": "adaptive", "max_attempts": 20}))


@dataclass
class _Record:
    """What was found of a record; `at` is when its first line was written, in milliseconds since 1970."""

    at: int
    parts: int
    found: dict[int, str] = field(default_factory=dict)

    def line(self) -> bytes | None:
        """The record as a captured event of that time, by the clock of CloudWatch Logs; None if a part is missing."""
        if len(self.found) < self.parts:
            return None
        try:
            record = orjson.loads("".join(self.found[part] for part in sorted(self.found)))
            record["eventMetadata"]["inferenceTime"] = _moment(self.at).isoformat(timespec="milliseconds")
        except (ValueError, TypeError, KeyError):
            return None
        return orjson.dumps(record) + b"\n"


def collect(logs: Any, s3: Any, bucket: str, places: Places, log_group: str, since: str, until: str) -> str:
    """Puts the records of a log group below the model's captured files; until when all are there.

    Times are in ISO 8601. Twice the same, or both at once, is the same as once. What was lost is printed.
    """
    start, end = _floor(datetime.fromisoformat(since)), _floor(datetime.fromisoformat(until) - DELAY)
    if end <= start:
        return since
    records: dict[str, _Record] = {}
    lost = 0
    slot = start
    for event in _events(logs, log_group, start - MARGIN, end + MARGIN):
        while slot < end and event["timestamp"] >= _milliseconds(slot + SLOT + MARGIN):
            lost += _put(s3, bucket, places, slot, records)
            slot += SLOT
        _add(records, event["timestamp"], event["message"])
    while slot < end:
        lost += _put(s3, bucket, places, slot, records)
        slot += SLOT
    if lost:
        print(f"{log_group}: records of which a part is not in the log, and which are lost: {lost:,}", flush=True)
    return f"{end:%Y-%m-%dT%H:%M:%SZ}"


def _events(logs: Any, log_group: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """The log's lines that may be records, oldest first."""
    asked: dict[str, Any] = {"logGroupName": log_group, "filterPattern": PATTERN}
    asked |= {"startTime": _milliseconds(start), "endTime": _milliseconds(end) - 1}
    while True:
        page = logs.filter_log_events(**asked)
        yield from page["events"]
        if not page.get("nextToken"):
            return
        asked["nextToken"] = page["nextToken"]


def _add(records: dict[str, _Record], at: int, message: str) -> None:
    """Keeps a line if it is a record or a part of one; the same again changes nothing."""
    try:
        content = orjson.loads(message)
    except ValueError:
        return
    match content:
        case {"captureData": {}, "eventMetadata": {"eventId": str(identity)}}:
            part, parts, text = 1, 1, message
        case {"record": str(identity), "part": int(part), "parts": int(parts), "data": str(text)}:
            pass
        case _:
            return
    record = records.setdefault(identity, _Record(at, parts))
    record.at = min(record.at, at)
    record.found[part] = text


def _put(s3: Any, bucket: str, places: Places, slot: datetime, records: dict[str, _Record]) -> int:
    """Writes the records that began in a slot, and forgets those and older ones; how many of them are incomplete."""
    first, behind = _milliseconds(slot), _milliseconds(slot + SLOT)
    begun = sorted((record.at, name) for name, record in records.items() if record.at < behind)
    lines = [records.pop(name).line() for at, name in begun if at >= first]
    for _, name in begun:
        records.pop(name, None)  # those before the first slot are in another run's
    if body := b"".join(line for line in lines if line):
        name = f"{slot:%Y%m%dT%H%MZ}-{slot + SLOT:%Y%m%dT%H%MZ}.jsonl"
        _create(s3, bucket, f"{places.capture}log/{slot:%Y/%m/%d/%H}/{name}", body)
    return lines.count(None)


def _create(s3: Any, bucket: str, key: str, body: bytes) -> None:
    """Writes an object if it is not there: another run's has the same content."""
    for left in reversed(range(_TRIES)):
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "PreconditionFailed":
                return
            if code != "ConditionalRequestConflict" or not left:  # somebody writes it at this very moment
                raise
        else:
            return


def _floor(moment: datetime) -> datetime:
    """The beginning of the slot that a moment is in; without a zone it is in UTC."""
    given = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _moment(_milliseconds(given) // _milliseconds(SLOT) * _milliseconds(SLOT))


def _milliseconds(moment: datetime | timedelta) -> int:
    seconds = moment.total_seconds() if isinstance(moment, timedelta) else moment.timestamp()
    return round(seconds * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
