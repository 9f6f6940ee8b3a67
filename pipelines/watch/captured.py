"""Captured objects: which there are, of which hour, and the rows in them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from monitoring import reading
from monitoring.errors import DataError
from monitoring.spec import Spec
from pipelines.watch import moments
from pipelines.watch.places import Places
from pipelines.watch.shelf import Shelf

THREADS = 16
LATE = timedelta(days=2)
"""How long after its hour an object may still appear; SageMaker writes within minutes, what a batch or a log leaves
comes with the next run."""

_HOUR = re.compile(r"/(\d{4})/(\d\d)/(\d\d)/(\d\d)/[^/]+$")
_BATCH = "batch"
_ROWS = 100_000
_BATCHES = 32
"""Batches that wait until they are copied into one: each keeps the buffers alive that its file was read through."""
_MANY = 256
"""Objects that are on disk at once."""


class Captured(NamedTuple):
    """A captured object."""

    key: str
    etag: str
    hour: datetime


class Read(NamedTuple):
    """What was in an object: its rows, how many events they are of, and why they could not be read."""

    item: Captured
    batches: Sequence[pa.RecordBatch]
    events: int
    problem: str = ""


def listed(shelf: Shelf, places: Places, counted_until: str, at: datetime) -> list[Captured]:
    """The captured objects until *at* that may not have been counted yet, oldest hour first.

    A folder of hours is listed from shortly before the newest run that had counted everything, else from its beginning:
    so a run costs the same however long an endpoint has been there. Batches are few, and their folders may be of runs.
    """
    day = f"{moments.parse(counted_until) - LATE:%Y/%m/%d}" if counted_until else ""
    found: list[Captured] = []
    for folder in shelf.folders(places.capture):
        after = f"{folder}{day}" if day and folder != f"{places.capture}{_BATCH}/" else ""
        items = shelf.items(folder, after)
        found += [Captured(item.key, item.etag, hour) for item in items if (hour := hour_of(item.key)) and hour <= at]
    return sorted(found, key=lambda each: (each.hour, each.key))


def hour_of(key: str) -> datetime | None:
    """The hour that a captured object's folder names."""
    found = _HOUR.search(key)
    if found is None:
        return None
    year, month, day, hour = map(int, found.groups())
    try:
        return datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:
        return None


def is_answer(places: Places, key: str) -> bool:
    """Whether it holds what an endpoint answered, and not what a batch did."""
    return not key.startswith(f"{places.capture}{_BATCH}/")


def read(
    shelf: Shelf,
    items: Sequence[Captured],
    spec: Spec,
    problems: reading.Problems,
    scratch: Path,
    masks: reading.Masks | None = None,
) -> Iterator[Read]:
    """What is in the objects; those that are gone by now are left out. Without *masks* masked records are no rows."""
    capture = reading.Capture(tuple(spec.features), spec.scores, spec.prediction, spec.row_id, spec.timestamp, masks)
    with ThreadPoolExecutor(THREADS) as threads:
        for start in range(0, len(items), _MANY):
            some = items[start : start + _MANY]
            contents = threads.map(lambda item: shelf.read(item.key), some)
            for item, kept in zip(some, contents, strict=True):
                if kept is not None:
                    # What is counted is what was read, which may have been replaced since it was listed.
                    now = item._replace(etag=kept.etag)
                    yield _parsed(now, kept.content, spec, capture, problems, scratch / item.key.rsplit("/", 1)[1])


def joined(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Fewer and larger batches, because counting has a price for each; so many of each schema wait in memory."""
    waiting: dict[pa.Schema, list[pa.RecordBatch]] = {}
    for batch in batches:
        if batch.num_rows:
            some = waiting.setdefault(batch.schema, [])
            some.append(batch)
            if len(some) >= _BATCHES:
                some[:] = [pa.concat_batches(some)]
                if some[0].num_rows >= _ROWS:
                    yield waiting.pop(batch.schema)[0]
    for some in waiting.values():
        yield pa.concat_batches(some)


def _parsed(
    item: Captured, content: bytes, spec: Spec, capture: reading.Capture, problems: reading.Problems, file: Path
) -> Read:
    file.write_bytes(content)
    try:
        batches = list(reading.batches(file, spec.columns, capture=capture, problems=problems))
        return Read(item, batches, _lines(content))
    except DataError as error:
        return Read(item, (), 0, str(error).replace(str(file), item.key))
    finally:
        file.unlink()


def _lines(content: bytes) -> int:
    text = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    return sum(bool(line.strip()) for line in text.split(b"\n"))
