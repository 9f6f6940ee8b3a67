"""The last label of each id, out of everything that was put below a model's labels."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.model import Model
from monitoring import columns
from monitoring.periods import moments
from monitoring.records import LABELLED_AT

_WAITING = 1 << 21


class LastLabels:
    """Labels by id; of several of an id the last counts, and of different ones of the same moment none."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._kept: list[pa.Table] = []
        self._waiting = 0

    def add(self, batch: pa.RecordBatch, put: datetime) -> None:
        """Adds labels of an object that was *put* when nothing better says when they were known."""
        names = batch.schema.names
        if self._model.data.id not in names or self._model.target not in names:
            return
        when = np.full(len(batch), np.datetime64(put.astimezone(UTC).replace(tzinfo=None), "us"))
        if LABELLED_AT in names:
            said = moments(batch.column(LABELLED_AT))
            when = np.where(np.isnat(said), when, said)
        label = self.values(batch.column(self._model.target))
        table = pa.table({"id": columns.ids(batch.column(self._model.data.id)), "label": label, "when": pa.array(when)})
        self._kept.append(table.filter(pc.and_(pc.is_valid(table["id"]), pc.is_valid(table["label"]))))
        self._waiting += len(batch)
        if self._waiting > _WAITING:
            self._kept, self._waiting = [_last(self._kept)], 0

    def table(self) -> pa.Table:
        """The columns `id` and `label`, each id once."""
        if not self._kept:
            return pa.table({"id": pa.array([], pa.string()), "label": self.values(pa.array([], pa.string()))})
        last = _last(self._kept)
        counted = last.group_by("id").aggregate([("label", "count_distinct")])
        sure = counted.filter(pc.equal(counted["label_count_distinct"], 1))["id"]
        last = last.filter(pc.is_in(last["id"], sure))
        return last.group_by("id", use_threads=False).aggregate([("label", "first")]).rename_columns(["id", "label"])

    def values(self, labels: pa.Array) -> pa.Array:
        """Labels as training reads them: numbers, or texts of a model with several classes."""
        return texts(labels) if self._model.task == "multiclass" else numbers(labels)


def numbers(column: pa.Array) -> pa.Array:
    """A column as numbers; what is none is null."""
    return pa.array(columns.number(column)[0], pa.float64(), from_pandas=True)


def texts(column: pa.Array) -> pa.Array:
    """A column as the texts of categories."""
    distinct, places = columns.text(column)
    return pa.array(distinct, pa.string()).take(pa.array(places, mask=places < 0))


def _last(tables: Iterable[pa.Table]) -> pa.Table:
    """Of each id the labels of its last moment; more than one where they were known at the same time."""
    labels = pa.concat_tables(tables)
    top = labels.group_by("id").aggregate([("when", "max")])
    newest = top["when_max"].take(pc.index_in(labels["id"], top["id"].combine_chunks()))
    return labels.filter(pc.equal(labels["when"], newest))
