"""Labels that people and systems put beside the records: each file is read once, a corrected one again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from monitoring import reading
from monitoring.errors import DataError
from monitoring.periods import moments as times
from monitoring.profile import Profile
from monitoring.records import LABELLED_AT
from pipelines.watch.counting import Shard
from pipelines.watch.ledger import Ledger, Ledgers, Manifest, Seen, unit_of
from pipelines.watch.shelf import Item, Shelf


def count(shelf: Shelf, ledgers: Ledgers, items: Iterable[Item], since: datetime, shard: Shard) -> None:
    """Adds the labels of the files that were put there from *since* on and that no manifest has with their ETag."""
    first = _month(since)
    manifests = {name: ledgers.get(name).manifest for name in ledgers.names(first)}
    seen = _newest(manifests)
    units: dict[str, list[Item]] = {}
    for item in items:
        known = seen.get(item.key)
        if item.modified >= since and shard.has(item.key) and (known is None or known.etag != item.etag):
            units.setdefault(_month(item.modified), []).append(item)
    for unit, some in sorted(units.items()):
        ledgers.add(shard.name(unit), _adding(shelf, some, seen))


def unreadable(ledgers: Ledgers, since: datetime) -> dict[str, str]:
    """Why files of labels could not be read, by their key."""
    manifests = {name: ledgers.get(name).manifest for name in ledgers.names(_month(since))}
    return {key: seen.problem for key, seen in sorted(_newest(manifests).items()) if seen.problem}


def _newest(manifests: Mapping[str, Manifest]) -> dict[str, Seen]:
    """What was counted last of each file."""
    newest: dict[str, Seen] = {}
    for name in sorted(manifests, key=unit_of):
        for key, seen in manifests[name].items():
            if key not in newest or seen.again >= newest[key].again:
                newest[key] = seen
    return newest


def _adding(shelf: Shelf, items: Sequence[Item], seen: Mapping[str, Seen]) -> Callable[[Ledger], bool]:
    def add(ledger: Ledger) -> bool:
        before = dict(ledger.manifest)
        with tempfile.TemporaryDirectory() as scratch:
            for item in items:
                known = ledger.manifest.get(item.key) or seen.get(item.key)
                if known is None or known.etag != item.etag:
                    _read(shelf, ledger, item, known.again + 1 if known else 0, Path(scratch))
        return ledger.manifest != before

    return add


def _read(shelf: Shelf, ledger: Ledger, item: Item, again: int, scratch: Path) -> None:
    kept = shelf.read(item.key)
    if kept is None:
        return  # somebody took it away
    file = scratch / item.key.rsplit("/", 1)[1]
    file.write_bytes(kept.content)
    spec = ledger.profile.baseline.spec
    wanted = [name for name in (spec.row_id, spec.label, LABELLED_AT) if name]
    trial = Profile(ledger.profile.baseline)
    try:
        rows = 0
        for batch in reading.batches(file, wanted):
            trial.add_labels(_dated(batch, item.modified, again))
            rows += batch.num_rows
        seen = Seen(kept.etag, rows, again)
        ledger.profile.records.labels.extend(trial.records.labels)
    except DataError as error:
        seen = Seen(kept.etag, 0, again, str(error).replace(str(file), item.key))
    finally:
        file.unlink()
    ledger.manifest[item.key] = seen


def _dated(batch: pa.RecordBatch, modified: datetime, again: int) -> pa.RecordBatch:
    """With a time for every label: its own, else its file's; a file that was corrected comes after what it was."""
    file = np.datetime64(modified.replace(tzinfo=None), "us")
    own = batch.schema.get_field_index(LABELLED_AT)
    when = np.full(batch.num_rows, file) if own < 0 else times(batch.column(own))
    when = np.where(np.isnat(when), file, when) + np.timedelta64(again, "us")
    column = pa.array(when, pa.timestamp("us"))
    return batch.append_column(LABELLED_AT, column) if own < 0 else batch.set_column(own, LABELLED_AT, column)


def _month(moment: datetime) -> str:
    return f"{moment:%Y-%m}"
