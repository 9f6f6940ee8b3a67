"""The kernel on Spark: each partition becomes a profile, and the driver adds them up."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from monitoring import store
from monitoring.baseline import Baseline
from monitoring.profile import Profile

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_ROWS = 131_072
"""Spark hands over 10,000 rows at a time; counting costs less with more."""


def profile(rows: DataFrame, baseline: Baseline) -> Profile:
    """The profile of a Spark data frame; columns that the spec does not name are not monitored, and named.

    Executors need this package, NumPy and PyArrow, and no pandas, which only Spark's driver asks for. Pass the package
    with `spark.submit.pyFiles`, or install it where they run.
    """
    body = json.dumps(baseline.body())
    wanted = [name for name in baseline.spec.columns if name in rows.columns]

    def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        counted = Profile(Baseline.parse(json.loads(body)))
        for batch in _larger(batches):
            counted.add(batch)
        file = io.BytesIO()
        store.dump(counted, file)
        yield pa.RecordBatch.from_pydict({"profile": pa.array([file.getvalue()], pa.binary())})

    total = Profile(baseline)
    # One row for each partition; all at once, since Spark hands over one after the other only by counting so too.
    for place, row in enumerate(rows.select(*wanted).mapInArrow(count, "profile binary").collect()):
        total.merge(store.parse(baseline, io.BytesIO(row["profile"]), f"partition {place}"))
    others = (field for field in rows.schema.fields if field.name not in baseline.spec.columns)
    total.not_monitored |= {
        field.name: f"the spec does not name this column ({field.dataType.simpleString()})" for field in others
    }
    return total


def _larger(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) >= _ROWS:
            yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()
            waiting = []
    if waiting:
        yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()
