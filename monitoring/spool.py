"""Record batches that wait on disk where they are many."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

import numpy as np
import pyarrow as pa

from monitoring.arrays import from_flags

KEPT_ROWS = 1 << 20
"""Rows that stay in memory; as many more each go to a file."""

_TAIL = 8


class Spool:
    """A list of record batches of one schema; all but the last million rows are in temporary files."""

    def __init__(self, batches: Iterable[pa.RecordBatch] = ()) -> None:
        self._files: list[IO[bytes]] = []
        self._batches: list[pa.RecordBatch] = []
        self._waiting = 0
        self.rows = 0
        """How many there are."""
        for batch in batches:
            self.append(batch)

    def append(self, batch: pa.RecordBatch) -> None:
        """Adds a batch to the end."""
        self._batches.append(batch)
        self._waiting += len(batch)
        self.rows += len(batch)
        if self._waiting > KEPT_ROWS:
            file = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as this does
            with pa.ipc.new_stream(file, batch.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as stream:
                for each in self._batches:
                    stream.write_batch(each)
            self._files.append(file)
            self._batches, self._waiting = [], 0

    def extend(self, other: Spool) -> None:
        """Adds all of another, whose files both then have."""
        self._files += other._files
        self.rows += other.rows - other._waiting
        for batch in other._batches:
            self.append(batch)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for file in self._files:
            file.seek(0)
            yield from pa.ipc.open_stream(file)
        yield from self._batches

    def part(self, column: str, place: int, parts: int) -> pa.Table:
        """The rows whose text in *column* falls into one of so many parts; equal texts fall into the same."""
        return pa.Table.from_batches([batch if parts == 1 else _chosen(batch, column, place, parts) for batch in self])


def _chosen(batch: pa.RecordBatch, column: str, place: int, parts: int) -> pa.RecordBatch:
    return batch.filter(from_flags(_hash(batch.column(column)) % np.uint64(parts) == place))


def _hash(texts: Any) -> np.ndarray:
    """A number from the length and the last bytes of each text, where ids that are counted up or random differ."""
    texts = pa.concat_arrays([texts])  # without an offset
    _, ends, data = texts.buffers()
    edges = np.frombuffer(ends, np.int32)[: len(texts) + 1].astype(np.int64)
    letters = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    starts, place = edges[:-1], edges[1:] - 1
    number = np.diff(edges).astype(np.uint64)
    for back in range(_TAIL):
        at = place - back
        number = number * np.uint64(31) + np.where(at >= starts, letters[np.maximum(at, 0)], 0).astype(np.uint64)
    return number % np.uint64(1_000_003)
