"""Captured objects become counts: each is counted once, whoever counts, however often a run is killed."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from monitoring import reading
from monitoring.baseline import Baseline
from monitoring.periods import moments as times
from pipelines.watch import captured, moments
from pipelines.watch.captured import Captured, Read
from pipelines.watch.ledger import Ledger, Ledgers, Seen, unit_of
from pipelines.watch.shelf import Shelf
from pipelines.watch.state import Version

_HOUR = timedelta(hours=1)
_ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)


class Shard(NamedTuple):
    """Which part of the objects an instance counts."""

    place: int = 0
    instances: int = 1

    def has(self, key: str) -> bool:
        """Whether an object is this instance's."""
        return zlib.crc32(key.encode()) % self.instances == self.place

    def name(self, unit: str) -> str:
        """The ledger that an instance writes to."""
        return unit if self.instances == 1 else f"{unit}.{self.place}"


class Span(NamedTuple):
    """A time in which a version served."""

    start: datetime
    end: datetime

    def touches(self, hour: datetime) -> bool:
        return self.start < hour + _HOUR and hour < self.end

    def holds(self, hour: datetime) -> bool:
        return self.start <= hour and hour + _HOUR <= self.end


def spans(versions: Sequence[Version]) -> Mapping[str, list[Span]]:
    """When each baseline's versions served, by its fingerprint; one may have come back."""
    starts = [moments.parse(each.since) for each in versions]
    found: dict[str, list[Span]] = {}
    for version, start, end in zip(versions, starts, [*starts[1:], _ALWAYS], strict=True):
        before = found.setdefault(version.fingerprint, [])
        goes_on = bool(before) and before[-1].end == start
        before.append(Span(before.pop().start if goes_on else start, end))
    return found


def count(
    shelf: Shelf,
    ledgers: Ledgers,
    baseline: Baseline,
    items: Sequence[Captured],
    served: Sequence[Span],
    shard: Shard,
    masks: reading.Masks | None = None,
) -> None:
    """Counts what of *items* falls into *served* and no manifest names, one unit after the other."""
    unit = moments.unit(baseline.spec.period)
    units: dict[str, list[Captured]] = {}
    for item in items:
        if any(span.touches(item.hour) for span in served):
            units.setdefault(moments.name(moments.number(item.hour, unit), unit), []).append(item)
    for name, some in units.items():
        mine = shard.name(name)
        others = [each for each in ledgers.names() if unit_of(each) == name and each != mine]
        elsewhere = {key for each in others for key in ledgers.get(each).manifest}
        left = [item for item in some if shard.has(item.key) and item.key not in elsewhere]
        ledgers.add(mine, _adding(shelf, left, served, masks))


def _adding(
    shelf: Shelf, items: Sequence[Captured], served: Sequence[Span], masks: reading.Masks | None
) -> Callable[[Ledger], bool]:
    def add(ledger: Ledger) -> bool:
        missing = [item for item in items if item.key not in ledger.manifest]
        before = len(ledger.manifest)
        if missing:
            _count(shelf, ledger, missing, served, masks)
        return len(ledger.manifest) > before

    return add


def _count(
    shelf: Shelf, ledger: Ledger, items: Sequence[Captured], served: Sequence[Span], masks: reading.Masks | None
) -> None:
    problems = reading.Problems()
    spec = ledger.profile.baseline.spec

    def batches(found: Iterator[Read]) -> Iterator[pa.RecordBatch]:
        for each in found:
            ledger.manifest[each.item.key] = Seen(each.item.etag, each.events, problem=each.problem)
            if each.problem:
                ledger.profile.note({"captured objects could not be read": 1})
            whole = any(span.holds(each.item.hour) for span in served)
            yield from each.batches if whole else (_within(batch, spec.timestamp, served) for batch in each.batches)

    with tempfile.TemporaryDirectory() as scratch:
        for batch in captured.joined(batches(captured.read(shelf, items, spec, problems, Path(scratch), masks))):
            ledger.profile.add(batch)
    ledger.profile.note(problems.counts)


def _within(batch: pa.RecordBatch, timestamp: str | None, served: Sequence[Span]) -> pa.RecordBatch:
    """The rows that were answered while the versions served, of an hour in which they began or ended to."""
    if timestamp not in batch.schema.names:
        return batch
    when = times(batch.column(timestamp))
    chosen = np.zeros(len(when), bool)
    for span in served:
        chosen |= (when >= _numpy(span.start)) & (when < _numpy(span.end))
    return batch.filter(pa.array(chosen))


def _numpy(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.replace(tzinfo=None), "us")
