"""What a profile keeps of each row, so that a label that comes later finds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring import columns, outputs
from monitoring.arrays import from_flags, from_numbers, numbers_of
from monitoring.errors import DataError
from monitoring.outputs import Outputs
from monitoring.periods import moments
from monitoring.spec import Spec
from monitoring.spool import Spool

LABELLED_AT = "labelled_at"
"""The column of a file of labels that says when each was known; of several labels of a row the last counts."""

_ROWS, _JOINED_ROWS = 1 << 17, 1 << 19


@dataclass
class Joined:
    """What there is to say about labels that were joined to their rows."""

    repeated_rows: int = 0
    """Rows whose id another row has too; the first by period and content is the one that counts."""
    unknown: int = 0
    """Labels whose id no row has."""
    contradicting: int = 0
    """Rows with different labels that nothing puts in order; they count as not labelled."""


class Records:
    """Rows by their id, and labels by theirs."""

    def __init__(self) -> None:
        self.rows = Spool()
        self.labels = Spool()

    def add(self, ids: pa.Array, periods: np.ndarray, said: Outputs, bins: Mapping[str, np.ndarray]) -> None:
        """Keeps rows; a label that a row brings with it is a label like any other."""
        kept = {"id": ids, "period": from_numbers(periods), "predicted": from_numbers(said.predicted)}
        kept |= {f"score/{place}": from_numbers(column) for place, column in enumerate(said.scores.T)}
        kept |= {f"bin/{name}": from_numbers(each.astype(np.int32)) for name, each in bins.items()}
        self.rows.append(_identified(pa.RecordBatch.from_pydict(kept)))
        self._add_labels(ids, said.labels, np.full(len(ids), np.datetime64("NaT"), "datetime64[us]"))

    def add_labels(self, spec: Spec, batch: pa.RecordBatch) -> None:
        """Keeps a batch of a file of labels: the columns of id and label, and perhaps when the label was known."""
        names = batch.schema.names
        missing = [name for name in (spec.row_id, spec.label) if name not in names]
        if missing:
            raise DataError(f"labels have no column {' and no '.join(map(str, missing))}, but {', '.join(names)}")
        labels = batch.column(spec.label)
        known = outputs.truth(spec, labels, len(batch))
        when = moments(batch.column(LABELLED_AT)) if LABELLED_AT in names else np.full(len(batch), np.datetime64("NaT"))
        self._add_labels(columns.ids(batch.column(spec.row_id)), known, when.astype("datetime64[us]"))

    def merge(self, other: Records) -> None:
        """Adds all of another."""
        self.rows.extend(other.rows)
        self.labels.extend(other.labels)

    def joined(self, spec: Spec, found: Joined) -> Iterator[tuple[np.ndarray, Outputs, Mapping[str, np.ndarray]]]:
        """The labelled rows, each once: their periods, outputs with labels, and bins of sensitive features."""
        # What is sorted and joined at once fits into memory, however many rows there are.
        parts = 1 + max(self.rows.rows, self.labels.rows) // _JOINED_ROWS
        for place in range(parts if self.labels.rows else 0):
            labels = _last(self.labels.part("id", place, parts), found)
            if not self.rows.rows:
                found.unknown += len(labels)
                continue
            rows = _once(self.rows.part("id", place, parts), found)
            places = pc.index_in(rows["id"], value_set=labels["id"]).combine_chunks()
            used = places.drop_null()
            found.unknown += len(labels) - len(pc.unique(used))
            labelled = rows.filter(places.is_valid())
            truth = labels["label"].combine_chunks().take(used)
            for start in range(0, len(labelled), _ROWS):
                yield _outputs(spec, labelled.slice(start, _ROWS), truth.slice(start, _ROWS))

    def _add_labels(self, ids: pa.Array, labels: np.ndarray, when: np.ndarray) -> None:
        known = ~np.isnan(labels) if labels.dtype.kind == "f" else labels >= 0
        if known.any():
            kept = {"id": ids, "label": from_numbers(labels.astype(np.float64)), "when": from_numbers(when)}
            batch = pa.RecordBatch.from_pydict(kept)
            self.labels.append(_identified(batch if known.all() else batch.filter(from_flags(known))))


def _identified(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(batch.column("id").is_valid()) if batch.column("id").null_count else batch


def _outputs(spec: Spec, rows: pa.Table, truth: pa.Array) -> tuple[np.ndarray, Outputs, Mapping[str, np.ndarray]]:
    column = {name: numbers_of(rows[name]) for name in rows.column_names if name != "id"}
    scores = [each for name, each in column.items() if name.startswith("score/")]
    labels = numbers_of(truth)
    said = Outputs(
        np.column_stack(scores) if scores else np.zeros((len(labels), 0)),
        column["predicted"],
        labels if spec.task == "regression" else labels.astype(np.int32),
    )
    return column["period"], said, {name[4:]: each for name, each in column.items() if name.startswith("bin/")}


def _once(rows: pa.Table, found: Joined) -> pa.Table:
    """Each id once: the first row by period and content."""
    distinct = pc.count_distinct(rows["id"]).as_py()
    repeated = len(rows) - distinct
    found.repeated_rows += repeated
    if not repeated:
        return rows
    ordered = rows.sort_by([(name, "ascending") for name in rows.column_names])
    return ordered.filter(_first_of_run(ordered["id"]))


def _last(labels: pa.Table, found: Joined) -> pa.Table:
    """Each id's last label; an id with two different last ones has none."""
    if pc.count_distinct(labels["id"]).as_py() == len(labels):
        return labels
    ordered = labels.sort_by([("id", "ascending"), ("when", "descending"), ("label", "ascending")])
    # A label without a time is older than any with one: sorting puts nulls last.
    last = ordered.filter(_first_of_run(ordered["id"]))
    top = pc.index_in(ordered["id"], value_set=last["id"])
    same_time = pc.fill_null(pc.equal(ordered["when"], last["when"].take(top)), False)  # noqa: FBT003
    both_never = pc.and_(pc.is_null(ordered["when"]), pc.is_null(last["when"].take(top)))
    other = pc.not_equal(ordered["label"], last["label"].take(top))
    contradicting = pc.unique(ordered["id"].filter(pc.and_(other, pc.or_(same_time, both_never))))
    found.contradicting += len(contradicting)
    return last.filter(pc.invert(pc.is_in(last["id"], value_set=contradicting)))


def _first_of_run(ids: pa.ChunkedArray) -> pa.Array:
    ids = ids.combine_chunks()
    new = pc.not_equal(ids[1:], ids[:-1])
    return pa.concat_arrays([pa.array([True]), new]) if len(ids) else pa.array([], pa.bool_())
