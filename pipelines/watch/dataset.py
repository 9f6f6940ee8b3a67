"""Puts the newest labelled rows from production where training finds them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from config.features import Number
from config.model import Model
from monitoring import columns, periods, reading
from monitoring.errors import DataError
from monitoring.records import LABELLED_AT
from monitoring.spec import Spec
from pipelines.packaging import watching
from pipelines.packaging.watching import TIMESTAMP
from pipelines.rows import recorded
from pipelines.rows.reading import kinds
from pipelines.watch import captured
from pipelines.watch.captured import Captured
from pipelines.watch.last_labels import LastLabels, numbers, texts
from pipelines.watch.places import Places
from pipelines.watch.shelf import Shelf

_NUMBER = "period"


@dataclass
class Exported:
    """What was recorded: labelled rows by period, oldest first, and rows of those periods without a label."""

    model: str
    labelled: dict[str, int] = field(default_factory=dict)
    unlabelled: dict[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    labels: str = ""
    """Where labels belong."""
    masked: bool = False
    """Whether records hide values, so that no row of theirs can train."""

    @property
    def sentence(self) -> str:
        """The same for people."""
        if self.masked:
            return (
                f"{self.model}: records mask its sensitive features, so no row from production can train it; it trains "
                "on what is below its data prefix: put newer rows there, or say in model.yaml why records may hold "
                "them as they were sent (monitoring.capture_as_sent)"
            )
        if not self.labelled:
            return (
                f"{self.model}: no row from production has a label, so none is recorded; put labels below {self.labels}"
            )
        told = ", ".join(
            f"{name} {count:,} (without a label {self.unlabelled.get(name, 0):,})"
            for name, count in self.labelled.items()
        )
        return f"{self.model}: {sum(self.labelled.values()):,} labelled rows from production are recorded: {told}"


def export(
    s3: Any,
    model: Model,
    places: Places,
    bucket: str,
    data_bucket: str,
    at: str,
    *,
    scores: Iterable[str] = (),
    keys: Iterable[str] | None = None,
) -> Exported:
    """Writes a file for each of the newest periods until *at* that have labelled rows.

    *scores* names the classes as the baseline's spec does, for a model of several; *keys* the captured objects, all in
    the records *bucket* if they are not given. Objects that are gone are left out; so are damaged ones, which are told.
    In memory are the model's labels, and up to twice the rows that model.yaml asks for.
    """
    if model.masks:
        return Exported(model.name, masked=True)
    shelf, problems = Shelf(s3, bucket), reading.Problems()
    spec = Spec.parse(watching.spec(model, tuple(scores) if model.task == "multiclass" else (0, 1)))
    exported = Exported(model.name, labels=f"s3://{bucket}/{places.labels}")
    with tempfile.TemporaryDirectory() as folder:
        found = _Newest(model, _labels(shelf, model, places, problems, Path(folder)))
        listed = (item.key for item in shelf.items(places.capture)) if keys is None else keys
        for number, items in _by_period(model, listed, at) if found.has_labels else ():
            for batch in captured.joined(_rows(shelf, items, spec, problems, Path(folder))):
                found.add(batch)
            if found.enough(number):
                break
    for name, rows in found.periods():
        exported.labelled[name] = len(rows)
        exported.unlabelled[name] = found.unlabelled(name)
        _put(s3, data_bucket, f"{model.team}/{model.data.prefix}/{recorded.key(model, name)}", rows)
    exported.problems = tuple(problems)
    return exported


def _rows(
    shelf: Shelf, items: Sequence[Captured], spec: Spec, problems: reading.Problems, scratch: Path
) -> Iterator[pa.RecordBatch]:
    for read in captured.read(shelf, items, spec, problems, scratch):
        yield from read.batches
        if read.problem:
            problems.add("an object cannot be read", read.item.key, 1)


def _labels(shelf: Shelf, model: Model, places: Places, problems: reading.Problems, scratch: Path) -> pa.Table:
    """The last label of each id."""
    labels = LastLabels(model)
    for item in shelf.items(places.labels):
        if (kept := shelf.read(item.key)) is None:
            continue
        file = scratch / item.key.rsplit("/", 1)[1]
        file.write_bytes(kept.content)
        try:
            for batch in reading.batches(file, [model.data.id, model.target, LABELLED_AT]):
                labels.add(batch, item.modified)
        except DataError:
            problems.add("an object cannot be read", item.key, 1)
        finally:
            file.unlink()
    return labels.table()


class _Newest:
    """The newest labelled rows."""

    def __init__(self, model: Model, labels: pa.Table) -> None:
        self._model = model
        self._ids, self._labels = (labels[name].combine_chunks() for name in ("id", "label"))
        self._held: list[pa.Table] = []
        self._rows = 0
        self._unlabelled: dict[int, int] = {}

    @property
    def has_labels(self) -> bool:
        return len(self._ids) > 0

    def add(self, batch: pa.RecordBatch) -> None:
        model = self._model
        if model.data.id not in batch.schema.names or TIMESTAMP not in batch.schema.names:
            return
        number = periods.numbers(batch.column(TIMESTAMP), model.monitoring.period)
        ids = columns.ids(batch.column(model.data.id))
        label = self._labels.take(pc.index_in(ids, self._ids))
        known = pc.and_(pc.is_valid(label), pa.array(number != periods.NEVER))
        missing, counts = np.unique(number[~known.to_numpy(zero_copy_only=False)], return_counts=True)
        for each, count in zip(missing.tolist(), counts.tolist(), strict=True):
            self._unlabelled[each] = self._unlabelled.get(each, 0) + count
        made = {_NUMBER: pa.array(number), TIMESTAMP: pa.array(periods.moments(batch.column(TIMESTAMP)))}
        made |= {model.data.id: ids, model.target: label, **self._features(batch)}
        rows = pa.table(made).filter(known)
        self._held.append(rows)
        self._rows += len(rows)
        if self._rows > 2 * model.monitoring.retraining.rows:
            self._table()

    def enough(self, number: int) -> bool:
        """Whether older periods than this one, which is complete now, are of no use."""
        asked = self._model.monitoring.retraining
        complete = {each for table in self._held for each in table[_NUMBER].unique().to_pylist() if each >= number}
        return len(complete) >= asked.periods or (self._rows >= asked.rows and len(self._table()) >= asked.rows)

    def periods(self) -> Iterator[tuple[str, pa.Table]]:
        """Each of the newest periods with its rows, oldest first."""
        model = self._model
        if not self._rows:
            return
        rows = self._table()
        for number in sorted(rows[_NUMBER].unique().to_pylist())[-model.monitoring.retraining.periods :]:
            name = periods.name(number, model.monitoring.period)
            some = rows.filter(pc.equal(rows[_NUMBER], number)).drop_columns([_NUMBER, TIMESTAMP])
            some = some.append_column(model.data.period, pa.array([name] * len(some)))
            yield name, some.select(list(kinds(model)))

    def unlabelled(self, name: str) -> int:
        unit = self._model.monitoring.period
        return sum(count for number, count in self._unlabelled.items() if periods.name(number, unit) == name)

    def _table(self) -> pa.Table:
        """All rows in the order of time, each id once, no more than are asked for."""
        rows = pa.concat_tables(self._held).sort_by(TIMESTAMP)
        rows = recorded.newest(self._model, rows)
        self._held, self._rows = [rows], len(rows)
        return rows

    def _features(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        absent = pa.nulls(len(batch), pa.string())
        return {
            feature.name: (numbers if isinstance(feature, Number) else texts)(
                batch.column(feature.name) if feature.name in batch.schema.names else absent
            )
            for feature in self._model.features
        }


def _by_period(model: Model, keys: Iterable[str], at: str) -> list[tuple[int, list[Captured]]]:
    """Captured objects by the period of their folder's hour, newest first, as far back as a report looks."""
    watched = model.monitoring
    items = [Captured(key, "", hour) for key in keys if (hour := captured.hour_of(key))]
    when = [at, *(f"{item.hour:%Y-%m-%dT%H:%M:%SZ}" for item in items)]
    newest, *found = periods.numbers(pa.array(when, pa.string()), watched.period).tolist()
    grouped: dict[int, list[Captured]] = {}
    for item, number in zip(items, found, strict=True):
        if newest - max(watched.history, watched.retraining.periods) < number <= newest:
            grouped.setdefault(number, []).append(item)
    return sorted(grouped.items(), key=lambda each: -each[0])


def _put(s3: Any, bucket: str, key: str, rows: pa.Table) -> None:
    file = BytesIO()
    pq.write_table(rows, file)
    s3.put_object(Bucket=bucket, Key=key, Body=file.getvalue())
