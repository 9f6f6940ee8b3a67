"""Checks the data, splits it, and writes down which data it was."""

from __future__ import annotations

import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq

from config import load_model
from config.model import Model
from pipelines.container import Container, run
from pipelines.rows import checks, manifest, reading, splitting


def prepare(container: Container) -> None:
    """From the inputs `code` and `data` to the outputs `train`, `test` (a file for each split) and `manifest`."""
    model = load_model(container.input("code"))
    folder = container.input("data")
    data = reading.read(model, folder)
    print(f"read {len(data.rows):,} labelled rows from {len(data.files)} files", flush=True)
    if data.unlabelled:
        print(f"left out: {data.unlabelled:,} rows that have no label yet", flush=True)
    checks.check(model, data.rows)
    splits = splitting.split(model, _typed(model, data.rows))
    named = {"train": splits.train, **splits.held_out}
    for name, rows in named.items():
        pq.write_table(rows, container.output("train" if name == "train" else "test") / f"{name}.parquet")
        print(f"{name}: {len(rows):,} rows", flush=True)
    if splits.unused:
        print(f"neither trained on nor later, so left out: {', '.join(splits.unused)}", flush=True)
    description = manifest.describe(model, data, folder, named)
    (container.output("manifest") / manifest.FILE).write_text(json.dumps(description, indent=2))
    print(f"data version {description['data_version']}", flush=True)


def _typed(model: Model, rows: pa.Table) -> pa.Table:
    if model.task != "binary":
        return rows
    place = rows.column_names.index(model.target)
    return rows.set_column(place, model.target, rows[model.target].cast(pa.int64()))


if __name__ == "__main__":
    sys.exit(run(prepare))
