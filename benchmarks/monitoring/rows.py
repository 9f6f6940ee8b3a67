"""The rows of the bench, by pieces from a seed, so that ten million never are in memory at once.

`python -m benchmarks.monitoring.rows FOLDER ROWS` writes <ROWS>-<place>.parquet files, and the reference and its spec
when ROWS is `reference`. The measuring process stays small by leaving this to another: on Linux the peak memory of a
process is never said to be less than that of the one that started it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PIECE = 100_000
PIECES_IN_A_FILE = 5
REFERENCE_ROWS = 100_000
MONTHS = 10
NUMERIC = tuple(f"number_{place}" for place in range(14))
CATEGORICAL = {
    "category_0": 3,
    "category_1": 5,
    "category_2": 12,
    "category_3": 30,
    "category_4": 100,
    "category_5": 1_000,
}
SPEC: dict[str, Any] = {
    "task": "binary",
    "features": dict.fromkeys(NUMERIC, "numeric") | dict.fromkeys(CATEGORICAL, "categorical"),
    "score": "score",
    "prediction": "prediction",
    "label": "label",
    "timestamp": "at",
    "period": "month",
}


def piece(seed: tuple[int, int], year: int, start: float, share: float, rows: int = PIECE) -> pa.Table:
    """Rows of the part of ten months of *year* that begins at *start* and is *share* long; they drift with time."""
    draw = np.random.default_rng(seed)
    drift = 0.0 if year == 2023 else 0.3 * start
    columns: dict[str, Any] = {}
    pull = np.zeros(rows)
    for place, name in enumerate(NUMERIC):
        values = draw.standard_normal(rows) + drift * (place % 3)
        pull += values * (0.4 if place < 6 else 0.05)
        if place % 4 == 1:
            values = np.exp(values)
        elif place % 4 == 3:
            values = np.floor(10 * values)
        columns[name] = pa.array(values, mask=draw.random(rows) < 0.02 if place % 2 else None)
    for place, (name, count) in enumerate(CATEGORICAL.items()):
        drawn = np.minimum((count * draw.random(rows) ** (1 + drift)).astype(np.int32), count - 1)
        pull += (drawn % 3 - 1) * 0.2
        gaps = draw.random(rows) < 0.01 if place % 2 else np.zeros(rows, dtype=bool)
        words = pa.array([f"value {number}" for number in range(count)])
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(drawn, mask=gaps), words).cast(pa.string())
    score = 1 / (1 + np.exp(-1.2 * pull))
    label = draw.random(rows) < 1 / (1 + np.exp(-pull - 0.1))
    columns |= {"score": score, "prediction": (score >= 0.5).astype(np.int64), "label": label.astype(np.int64)}
    months = MONTHS * (start + share * np.arange(rows) / rows)
    whole = np.floor(months)
    firsts = np.datetime64(f"{year}-01", "M") + whole.astype(np.int64)
    columns["at"] = firsts.astype("datetime64[us]") + ((months - whole) * 28 * 86_400e6).astype("timedelta64[us]")
    return pa.table(columns)


def write(folder: Path, rows: int) -> None:
    """The files of that many rows; each holds some row groups."""
    count = max(1, rows // PIECE)
    for file, first in enumerate(range(0, count, PIECES_IN_A_FILE)):
        parts = (piece((1, place), 2024, place / count, 1 / count) for place in range(first, count)[:PIECES_IN_A_FILE])
        _write(folder / f"{rows}-{file:03}.parquet", parts)


def write_reference(folder: Path) -> None:
    (folder / "spec.json").write_text(json.dumps(SPEC))
    _write(folder / "reference.parquet", [piece((0, 0), 2023, 0, 1, REFERENCE_ROWS)])


def _write(path: Path, parts: Any) -> None:
    writer = None
    for part in parts:
        writer = writer or pq.ParquetWriter(path, part.schema, compression="snappy")
        writer.write_table(part, row_group_size=PIECE)
    assert writer is not None
    writer.close()


if __name__ == "__main__":
    if sys.argv[2] == "reference":
        write_reference(Path(sys.argv[1]))
    else:
        write(Path(sys.argv[1]), int(sys.argv[2]))
