"""Checks the data, splits it, and writes down which data it was."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from config import load_model
from config.model import Model
from pipelines.container import Container, discreet, run
from pipelines.rows import checks, manifest, reading, splitting


def prepare(container: Container, name: str | None = None) -> None:
    """From the inputs `code` and `data` to the outputs `train`, `test` (a file for each split) and `manifest`.

    *name* is the model's, where the folder of its code has another.
    """
    model = load_model(container.input("code"))
    with discreet(sensitive=bool(model.sensitive)):
        _prepare(container, model.model_copy(update={"name": name or model.name}))


def _prepare(container: Container, model: Model) -> None:
    folder = container.input("data")
    data = reading.read(model, folder)
    print(f"read {len(data.rows):,} labelled rows from {len(data.files)} files", flush=True)
    if data.unlabelled:
        print(f"left out: {data.unlabelled:,} rows that have no label yet", flush=True)
    checks.check(model, data.rows)
    splits = splitting.split(model, _typed(model, data.rows), _typed(model, _recorded(model, data)))
    named = {"train": splits.train, **splits.held_out}
    for each, rows in named.items():
        pq.write_table(rows, container.output("train" if each == "train" else "test") / f"{each}.parquet")
        print(f"{each}: {len(rows):,} rows", flush=True)
    if splits.repeated:
        print(f"left out: {splits.repeated:,} rows that are in the data and recorded from production too", flush=True)
    if splits.unused:
        print(f"neither trained on nor later, so left out: {', '.join(splits.unused)}", flush=True)
    description = manifest.describe(model, data, folder, named)
    (container.output("manifest") / manifest.FILE).write_text(json.dumps(description, indent=2))
    print(f"data version {description['data_version']}", flush=True)


def _recorded(model: Model, data: reading.Data) -> pa.Table:
    """Rows from production that keep the schema."""
    rows, broken = checks.fitting(model, data.recorded)
    if len(data.recorded):
        print(f"read {len(data.recorded):,} labelled rows that production recorded", flush=True)
    if broken:
        told = ", ".join(f"{name} {count:,}" for name, count in broken.items())
        print(f"left out: {len(data.recorded) - len(rows):,} recorded rows that break the schema: {told}", flush=True)
    return rows


def _typed(model: Model, rows: pa.Table) -> pa.Table:
    if model.task != "binary":
        return rows
    place = rows.column_names.index(model.target)
    return rows.set_column(place, model.target, rows[model.target].cast(pa.int64()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="prepare", description=__doc__)
    parser.add_argument("--model", help="the model's name, by which production's rows are found")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(partial(prepare, name=_arguments().model)))
